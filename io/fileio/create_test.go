package fileio

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/zeebo/xxh3"

	"tributary/io/fileio/fileiotest"
)

// writerEnv makes the test binary a writer that never ends.
const writerEnv = "FILEIO_TEST_WRITER"

func TestMain(m *testing.M) {
	if path := os.Getenv(writerEnv); path != "" {
		writeForEver(path)
	}
	os.Exit(m.Run())
}

func writeForEver(path string) {
	w, err := Create(context.Background(), path)
	if err == nil {
		_, err = w.Write(make([]byte, 1<<20))
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("writing")
	for {
		if _, err := w.Write(make([]byte, 4096)); err != nil {
			os.Exit(1)
		}
		_, _ = os.Stdin.Read(make([]byte, 1)) // a byte at a time, for as long as the parent lives
	}
}

// startWriter starts a process that is in the midst of writing path.
func startWriter(t *testing.T, path string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), writerEnv+"="+path)
	_, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "writing\n", line)
	return cmd
}

func kill(t *testing.T, cmd *exec.Cmd) {
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait(), "killed")
}

func hiddenFiles(t *testing.T, folder string) int {
	found, err := filepath.Glob(filepath.Join(folder, ".*"+unfinished))
	require.NoError(t, err)
	return len(found)
}

func TestKilledWriters(t *testing.T) {
	folder := t.TempDir()
	path := folder + "/part.avro"
	write(t, path, "old")
	dead, living := startWriter(t, path), startWriter(t, path)
	require.Equal(t, 2, hiddenFiles(t, folder))
	kill(t, dead)

	// Nothing shows, and the old file is as it was.
	files, err := List(t.Context(), folder, folder+"/*", folder+"/**")
	require.NoError(t, err)
	require.Len(t, files, 1)
	content, err := ReadFile(t.Context(), path)
	require.NoError(t, err)
	require.Equal(t, "old", string(content))

	// The next writer tidies up after the dead one, not after the living one.
	w, err := Create(t.Context(), folder+"/other.avro")
	require.NoError(t, err)
	require.Equal(t, 2, hiddenFiles(t, folder))
	kill(t, living)
	write(t, path, "new")
	require.Equal(t, 1, hiddenFiles(t, folder))
	require.NoError(t, w.Commit())
	require.Equal(t, 0, hiddenFiles(t, folder))
	files, err = List(t.Context(), folder)
	require.NoError(t, err)
	require.Len(t, files, 2)
}

// Killed while it uploads, a writer leaves no object.
func TestKilledUpload(t *testing.T) {
	fileiotest.StartEmulator(t)
	kill(t, startWriter(t, "gs://bucket/x"))
	_, err := Stat(t.Context(), "gs://bucket/x")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// Many at once, each tidying: none loses its file.
func TestManyWriters(t *testing.T) {
	folder := t.TempDir()
	errs := make(chan error)
	for i := range 8 {
		go func() {
			errs <- func() error {
				for j := range 25 {
					w, err := Create(t.Context(), filepath.Join(folder, "f"+string(rune('a'+(i+j)%4))))
					if err != nil {
						return err
					}
					if _, err = io.WriteString(w, strings.Repeat("x", 1000)); err == nil {
						err = w.Commit()
					}
					if err != nil {
						return err
					}
				}
				return nil
			}()
		}()
	}
	for range 8 {
		require.NoError(t, <-errs)
	}
	files, err := List(t.Context(), folder)
	require.NoError(t, err)
	require.Len(t, files, 4)
	for _, f := range files {
		require.Equal(t, int64(1000), f.Size)
	}
	require.Zero(t, hiddenFiles(t, folder))
}

func TestModeOfFiles(t *testing.T) {
	path := t.TempDir() + "/x"
	plain, err := os.OpenFile(path+"2", os.O_CREATE, 0o644)
	require.NoError(t, err)
	defer func() { require.NoError(t, plain.Close()) }()
	want, err := plain.Stat()
	require.NoError(t, err)
	w, err := Create(t.Context(), path)
	require.NoError(t, err)
	hidden, err := filepath.Glob(filepath.Dir(path) + "/.x.*")
	require.NoError(t, err)
	require.Len(t, hidden, 1)
	info, err := os.Stat(hidden[0])
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode())
	require.NoError(t, w.Commit())
	info, err = os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, want.Mode(), info.Mode())
}

// A failed write fails the commit, whatever the caller does about it.
func TestCommitAfterFailedWrite(t *testing.T) {
	sink := &brokenSink{}
	w := &Writer{ctx: t.Context(), path: "p", sink: sink, hash: xxh3.New()}
	_, err := w.Write([]byte("x"))
	require.ErrorIs(t, err, errBroken)
	_, err = w.Write([]byte("x"))
	require.ErrorIs(t, err, errBroken)
	require.EqualError(t, w.Commit(), "commit p: broken")
	w.Abort()
	require.Equal(t, []string{"write", "abort"}, sink.calls)
}

var errBroken = errors.New("broken")

type brokenSink struct{ calls []string }

func (s *brokenSink) Write([]byte) (int, error) {
	s.calls = append(s.calls, "write")
	return 0, errBroken
}

func (s *brokenSink) commit() (string, error) {
	s.calls = append(s.calls, "commit")
	return "", nil
}

func (s *brokenSink) abort() { s.calls = append(s.calls, "abort") }

func TestCreateWhereItCannot(t *testing.T) {
	folder := t.TempDir()
	write(t, folder+"/file", "")
	_, err := Create(t.Context(), folder)
	require.EqualError(t, err, "create "+folder+": it is a folder")
	_, err = Create(t.Context(), folder+"/file/x")
	require.ErrorContains(t, err, folder+"/file")
	require.NoError(t, os.Mkdir(folder+"/late", 0o755))
	w, err := Create(t.Context(), folder+"/late/x")
	require.NoError(t, err)
	require.NoError(t, os.RemoveAll(folder+"/late"))
	require.ErrorContains(t, w.Commit(), "commit "+folder+"/late/x")
}
