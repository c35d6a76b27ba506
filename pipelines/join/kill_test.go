package join

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/pipelines/spec"
	"tributary/transforms/ledger"
)

// joinEnv makes the test binary a process that joins the spec of that name.
const joinEnv = "TRIBUTARY_TEST_JOIN"

func TestMain(m *testing.M) {
	file := os.Getenv(joinEnv)
	if file == "" {
		os.Exit(m.Run())
	}
	s, err := spec.Load(file)
	if err == nil {
		_, err = Run(context.Background(), s, Options{Slice: short / 2, Parallel: 2})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// TestKilledRunGoesOn kills processes at random moments of a join. Whatever the moment, a
// pattern finds only files that are whole, and the run after it is none the worse.
func TestKilledRunGoesOn(t *testing.T) {
	executable, err := os.Executable()
	require.NoError(t, err)
	dir, s := deterministic(t)
	want := joined(t, s, Options{Slice: short / 2})
	text, err := os.ReadFile(dir + "/spec.yaml")
	require.NoError(t, err)
	write(t, dir+"/all.yaml", strings.Replace(string(text), allOutputs[0], allOutputs[1], 1))
	process := func(ctx context.Context) *exec.Cmd {
		cmd := exec.CommandContext(ctx, executable) // killed when ctx is done
		cmd.Env = append(os.Environ(), joinEnv+"="+dir+"/all.yaml")
		cmd.Stderr = os.Stderr
		return cmd
	}

	began := time.Now()
	require.NoError(t, process(t.Context()).Run())
	whole := time.Since(began)
	requireSameFiles(t, want, contents(t, dir+"/out"))
	require.NoError(t, os.RemoveAll(dir+"/out"))

	random := rand.New(rand.NewPCG(uint64(began.UnixNano()), 0))
	killed, partly := 0, 0
	for range 12 {
		ctx, cancel := context.WithTimeout(t.Context(), whole/4+time.Duration(random.Int64N(int64(whole))))
		err := process(ctx).Run()
		cancel()
		if err != nil {
			require.ErrorContains(t, err, "killed")
			killed++
		}
		requireWhole(t, dir+"/out", want)
		if n := countPrefix(contents(t, dir+"/out"), "ledger/"); n > 0 && n < countPrefix(want, "ledger/") {
			partly++
		}
		if err == nil || random.IntN(4) == 0 {
			require.NoError(t, os.RemoveAll(dir+"/out"))
		}
	}
	t.Logf("%d of 12 killed, %d times with some slices finished", killed, partly)
	require.NotZero(t, killed)
	require.NoError(t, process(t.Context()).Run())
	requireWhole(t, dir+"/out", want)
	require.Len(t, written(t, dir+"/out"), len(want), "a pattern finds the same files")
}

// requireWhole compares what a pattern finds below dir with what there is in the end.
func requireWhole(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	for name := range written(t, dir) {
		content, err := os.ReadFile(dir + "/" + name)
		require.NoError(t, err)
		require.Contains(t, want, name)
		if strings.HasPrefix(name, "ledger/") {
			l, err := ledger.Decode(content)
			require.NoError(t, err)
			require.Equal(t, accountOf(t, want[name]), same(l))
			continue
		}
		require.True(t, want[name] == string(content), "%s is not whole", name)
	}
}
