package fileio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/io/fileio/fileiotest"
)

// The same must hold wherever files are.

func TestLocal(t *testing.T) { conformance(t, t.TempDir()+"/") }

func TestFakeCloud(t *testing.T) {
	newFakeCloud(t)
	conformance(t, "gs://bucket/some/where/")
}

func TestEmulatedCloud(t *testing.T) {
	fileiotest.StartEmulator(t)
	conformance(t, "gs://bucket/some/where/")
}

func TestS3(t *testing.T) {
	fileiotest.StartS3(t)
	conformance(t, "s3://bucket/some/where/")
}

func TestAzure(t *testing.T) {
	fileiotest.StartAzure(t)
	conformance(t, "az://bucket/some/where/")
}

func conformance(t *testing.T, root string) {
	t.Run("write", func(t *testing.T) { testWrite(t, root+"write/") })
	t.Run("write new", func(t *testing.T) { testWriteNew(t, root+"new/") })
	t.Run("move", func(t *testing.T) { testMove(t, root+"move/") })
	t.Run("hold", func(t *testing.T) { testHold(t, root+"hold/") })
	t.Run("writable", func(t *testing.T) { testWritable(t, root+"writable/") })
	t.Run("list", func(t *testing.T) { testList(t, root+"list/") })
	t.Run("no match", func(t *testing.T) { testNoMatch(t, root+"nomatch/") })
	t.Run("remove all", func(t *testing.T) { testRemoveAll(t, root+"removeall/") })
	t.Run("read", func(t *testing.T) { testRead(t, root+"read/") })
}

func write(t *testing.T, path, content string) {
	t.Helper()
	w, err := Create(t.Context(), path)
	require.NoError(t, err)
	defer w.Abort()
	_, err = io.WriteString(w, content)
	require.NoError(t, err)
	require.NoError(t, w.Commit())
}

func testWrite(t *testing.T, root string) {
	ctx, path := t.Context(), root+"dt=2026-01-01/part 1%2F+ü.avro"
	read := func() string {
		content, err := ReadFile(ctx, path)
		require.NoError(t, err)
		return string(content)
	}
	w, err := Create(ctx, path)
	require.NoError(t, err)
	_, err = io.WriteString(w, "first")
	require.NoError(t, err)
	exists, err := Exists(ctx, path)
	require.NoError(t, err)
	require.False(t, exists, "it is there before the commit")
	files, err := List(ctx, root+"**")
	require.ErrorIs(t, err, fs.ErrNotExist, "%v", files)
	require.NoError(t, w.Commit())
	require.Equal(t, "first", read())
	require.Equal(t, int64(5), w.Size())
	require.Equal(t, path, w.Path())

	// After the end.
	w.Abort()
	_, err = w.Write([]byte("x"))
	require.ErrorIs(t, err, errEnded)
	require.ErrorIs(t, w.Commit(), errEnded)
	require.Equal(t, "first", read())
	before, err := Stat(ctx, path)
	require.NoError(t, err)
	require.Equal(t, int64(5), before.Size)

	// A new content replaces it, all at once.
	big := strings.Repeat("0123456789abcdef", (chunkSize+999)/16)
	w, err = Create(ctx, path)
	require.NoError(t, err)
	_, err = io.WriteString(w, big)
	require.NoError(t, err)
	require.Equal(t, "first", read())
	require.NoError(t, w.Commit())
	require.True(t, big == read(), "another content")
	after, err := Stat(ctx, path)
	require.NoError(t, err)
	require.NotEqual(t, before.Version, after.Version)

	// Neither aborting nor cancelling leaves a trace.
	for _, size := range []int{10, chunkSize + 10} {
		w, err = Create(ctx, path)
		require.NoError(t, err)
		_, err = w.Write(make([]byte, size))
		require.NoError(t, err)
		w.Abort()
		require.ErrorIs(t, w.Commit(), errEnded)

		cancelled, cancel := context.WithCancel(ctx)
		w, err = Create(cancelled, path)
		require.NoError(t, err)
		_, err = w.Write(make([]byte, size))
		require.NoError(t, err)
		cancel()
		require.ErrorIs(t, w.Commit(), context.Canceled)
	}
	require.True(t, big == read(), "another content")

	write(t, root+"empty", "")
	write(t, root+"empty", "")
	files, err = List(ctx, root)
	require.NoError(t, err)
	require.Len(t, files, 2)
	require.Zero(t, files[1].Size)

	require.NoError(t, Remove(ctx, root+"empty"))
	require.NoError(t, Remove(ctx, root+"empty"))
	exists, err = Exists(ctx, root+"empty")
	require.NoError(t, err)
	require.False(t, exists)

	_, err = Create(ctx, root)
	require.ErrorContains(t, err, "it is a folder")
}

func testMove(t *testing.T, root string) {
	ctx, from, to := t.Context(), root+"hidden/a b%2F", root+"dt=2026-01-01/hr=03/part ü.avro"
	read := func() string {
		content, err := ReadFile(ctx, to)
		require.NoError(t, err)
		return string(content)
	}
	require.ErrorIs(t, Move(ctx, from, to), fs.ErrNotExist)
	for _, content := range []string{"first", "in place of it"} {
		write(t, from, content)
		require.NoError(t, Move(ctx, from, to))
		require.Equal(t, content, read())
		exists, err := Exists(ctx, from)
		require.NoError(t, err)
		require.False(t, exists)
	}
	// What is not there, or may not be moved any more, leaves all as it is.
	require.ErrorIs(t, Move(ctx, from, to), fs.ErrNotExist)
	write(t, from, "third")
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	require.ErrorIs(t, Move(cancelled, from, to), context.Canceled)
	require.Equal(t, "in place of it", read())
	require.Error(t, Move(ctx, from, "gs://elsewhere/x"), "to a bucket that is not there")
	require.Error(t, Move(ctx, from, "s3://elsewhere/x"), "to a bucket that is not there")
	require.Error(t, Move(ctx, from, "az://elsewhere/x"), "to a container that is not there")
	exists, err := Exists(ctx, from)
	require.NoError(t, err)
	require.True(t, exists)
}

func testList(t *testing.T, root string) {
	for _, name := range []string{
		"views/dt=2026-01-01/hour=00/a.avro", "views/dt=2026-01-01/hour=01/a.avro", "views/dt=2026-01-01/hour=01/b.json",
		"views/dt=2026-01-02/hour=00/a.avro", "views/dt=2026-01-02/_SUCCESS", "views/.hidden/a.avro", "views/_tmp/a.avro",
		"views2/a.avro", "odd/a[1].avro", "odd/a1.avro", "odd/x*y", "odd/xay", "top.avro",
		"spark/day1.json/part-0.json", "spark/day1.json/_SUCCESS", "spark/day1.json/.part-0.json.crc", "spark/day2.json",
	} {
		write(t, root+name, name)
	}
	for _, c := range []struct {
		pattern string
		want    []string
	}{
		{"top.avro", []string{"top.avro"}},
		{"*.avro", []string{"top.avro"}},
		{"views/dt=*/hour=*/*.avro", []string{"views/dt=2026-01-01/hour=00/a.avro", "views/dt=2026-01-01/hour=01/a.avro", "views/dt=2026-01-02/hour=00/a.avro"}},
		{"views/dt=2026-01-0[2-9]/hour=??/a.*", []string{"views/dt=2026-01-02/hour=00/a.avro"}},
		{"views/**/*.json", []string{"views/dt=2026-01-01/hour=01/b.json"}},
		{"views/**/hour=01/**/a.avro", []string{"views/dt=2026-01-01/hour=01/a.avro"}},
		{"**/hour=00/*", []string{"views/dt=2026-01-01/hour=00/a.avro", "views/dt=2026-01-02/hour=00/a.avro"}},
		{"**/**/**/top.avro", []string{"top.avro"}},
		{"{views/*,views2}/a.avro", []string{"views2/a.avro"}},
		{"{top,views2/a}.avro", []string{"top.avro", "views2/a.avro"}},
		{"views/dt=2026-01-0{1/hour={00,01}/a,2/hour=00/a}.avro", []string{"views/dt=2026-01-01/hour=00/a.avro", "views/dt=2026-01-01/hour=01/a.avro", "views/dt=2026-01-02/hour=00/a.avro"}},
		{"views/dt=2026-01-01", []string{"views/dt=2026-01-01/hour=00/a.avro", "views/dt=2026-01-01/hour=01/a.avro", "views/dt=2026-01-01/hour=01/b.json"}},
		{"views/dt=*2/", []string{"views/dt=2026-01-02/hour=00/a.avro"}},
		{"views2/", []string{"views2/a.avro"}},
		{"views*", []string{"views/dt=2026-01-01/hour=00/a.avro", "views/dt=2026-01-01/hour=01/a.avro", "views/dt=2026-01-01/hour=01/b.json", "views/dt=2026-01-02/hour=00/a.avro", "views2/a.avro"}},
		{"spark/*.json", []string{"spark/day1.json/part-0.json", "spark/day2.json"}},
		{"spark/**/*.json", []string{"spark/day1.json/part-0.json", "spark/day2.json"}},
		{"views/_tmp", []string{"views/_tmp/a.avro"}},
		{"views/_*/*", []string{"views/_tmp/a.avro"}},
		{"views/.hidden/*.avro", []string{"views/.hidden/a.avro"}},
		{"views/**/_SUCCESS", []string{"views/dt=2026-01-02/_SUCCESS"}},
		{`odd/a\[1\].avro`, []string{"odd/a[1].avro"}},
		{"odd/a[1].avro", []string{"odd/a1.avro"}},
		{`odd/x\*y`, []string{"odd/x*y"}},
		{"odd/x[*]y", []string{"odd/x*y"}},
	} {
		files, err := List(t.Context(), root+c.pattern)
		if !assert.NoError(t, err, c.pattern) {
			continue
		}
		var got []string
		for _, f := range files {
			got = append(got, strings.TrimPrefix(f.Path, root))
			assert.Equal(t, len(strings.TrimPrefix(f.Path, root)), int(f.Size), f.Path)
			stat, err := Stat(t.Context(), f.Path)
			assert.NoError(t, err)
			assert.Equal(t, stat, f)
		}
		assert.Equal(t, c.want, got, c.pattern)
	}

	// Several patterns: sorted, each file once.
	files, err := List(t.Context(), root+"views2/*", root+"top.avro", root+"*.avro", root+"views2")
	require.NoError(t, err)
	require.Len(t, files, 2)
	require.Equal(t, root+"top.avro", files[0].Path)
	all, err := List(t.Context(), root)
	require.NoError(t, err)
	require.Len(t, all, 12, "the five hidden ones are left out")
}

func testNoMatch(t *testing.T, root string) {
	for _, name := range []string{"views/dt=2026-01-01/a.avro", "views/dt=2026-01-02/b.json", "clicks/x.avro", "_log/x"} {
		write(t, root+name, "")
	}
	for _, c := range []struct {
		pattern, folder, wanted string
		nearest                 []string
	}{
		{"view/*.avro", "", "view/*.avro", []string{"views/", "clicks/"}},
		{"views/dt=2026-02-*/*.avro", "views/", "dt=2026-02-*/*.avro", []string{"dt=2026-01-01/", "dt=2026-01-02/"}},
		{"views/dt=*/c.avro", "views/dt=2026-01-01/", "c.avro", []string{"a.avro"}},
		{"clicks/x.avr", "clicks/", "x.avr", []string{"x.avro"}},
		{"clicks/x.avro/*", "clicks/", "x.avro/*", []string{"x.avro"}},
		{"**/y", "", "**/y", []string{"views/", "clicks/"}},
		{"clicks/**/y", "clicks/", "**/y", []string{"x.avro"}},
	} {
		_, err := List(t.Context(), root+c.pattern)
		var none *NoMatchError
		if assert.ErrorAs(t, err, &none, c.pattern) {
			assert.Equal(t, &NoMatchError{Pattern: root + c.pattern, Folder: root + c.folder, Wanted: c.wanted, Nearest: c.nearest}, none)
			assert.ErrorContains(t, err, fmt.Sprintf("%s matches no file: nothing in %s matches %s; there is %s",
				root+c.pattern, root+c.folder, c.wanted, strings.Join(c.nearest, ", ")))
		}
	}
	// All of them are told at once.
	_, err := List(t.Context(), root+"a", root+"views/**", root+"b")
	require.ErrorContains(t, err, root+"a matches no file")
	require.ErrorContains(t, err, root+"b matches no file")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func testRead(t *testing.T, root string) {
	ctx, path := t.Context(), root+"file"
	content := make([]byte, 1<<20)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range content {
		content[i] = byte(random.Uint32())
	}
	write(t, path, string(content))
	for _, offset := range []int64{0, 1, 1 << 19, 1<<20 - 1, 1 << 20, 1<<20 + 1} {
		r, err := OpenAt(ctx, path, offset)
		require.NoError(t, err)
		got, err := io.ReadAll(r)
		require.NoError(t, err)
		require.NoError(t, r.Close())
		require.True(t, bytes.Equal(content[min(int(offset), len(content)):], got), "from %d: %d bytes", offset, len(got))
	}
	_, err := OpenAt(ctx, path, -1)
	require.EqualError(t, err, "open "+path+": offset -1 is negative")

	for doing, err := range map[string]error{
		"open":  func() error { _, err := Open(ctx, root+"absent"); return err }(),
		"stat":  func() error { _, err := Stat(ctx, root+"absent"); return err }(),
		"below": func() error { _, err := Stat(ctx, root); return err }(),
	} {
		require.ErrorIs(t, err, fs.ErrNotExist, doing)
		require.ErrorContains(t, err, root, doing)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	_, err = List(cancelled, root+"*")
	require.True(t, errors.Is(err, context.Canceled), "%v", err)
}
