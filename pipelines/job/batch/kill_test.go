package batch

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/stretchr/testify/require"

	"tributary/pipelines/spec"
	"tributary/runners/devcluster/services"
	"tributary/runners/devcluster/servicestest"
	"tributary/runners/flink"
	"tributary/transforms/account"
)

// joinEnv makes the test binary a process that joins the spec of that name.
const joinEnv = "TRIBUTARY_TEST_JOIN"

// workerEnv makes it a worker at that address, flinkEnv has joinEnv's process join on the Flink there.
const (
	workerEnv = "TRIBUTARY_TEST_WORKER"
	flinkEnv  = "TRIBUTARY_TEST_FLINK"
)

func TestMain(m *testing.M) {
	file := os.Getenv(joinEnv)
	listen := os.Getenv(workerEnv)
	if file == "" || listen != "" {
		beam.Init()
	}
	if listen != "" {
		if err := flink.Worker(context.Background(), flink.WorkerOptions{Listen: listen}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if file == "" {
		os.Exit(servicestest.Main(m))
	}
	opt := Options{Interval: short / 2, Parallel: 2}
	if at := services.Address(os.Getenv(flinkEnv)); at != "" {
		opt = Options{Runner: withWorker(at, at.Part("worker"), at.Part("name"))}
	}
	s, err := spec.Load(file)
	if err == nil {
		_, err = Run(context.Background(), s, opt)
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
	want := joined(t, s, Options{Interval: short / 2})
	text, err := os.ReadFile(dir + "/spec.yaml")
	require.NoError(t, err)
	write(t, dir+"/all.yaml", strings.Replace(string(text), allOutputs[0], allOutputs[1], 1))
	process := func() *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), executable)
		cmd.Env = append(os.Environ(), joinEnv+"="+dir+"/all.yaml")
		cmd.Stderr = os.Stderr
		return cmd
	}

	began := time.Now()
	require.NoError(t, process().Run())
	longest := time.Since(began) // that a process is left alone
	requireSameFiles(t, want, contents(t, dir+"/out"))
	require.NoError(t, os.RemoveAll(dir+"/out"))

	random := rand.New(rand.NewPCG(uint64(began.UnixNano()), 0))
	killed, partly := 0, 0
	for range 12 {
		err := killedAfter(t, process(), longest/8+time.Duration(random.Int64N(int64(longest))))
		if err == nil {
			longest = longest * 3 / 4 // it was done before: the machine is faster now
		} else {
			require.ErrorContains(t, err, "killed")
			killed++
		}
		require.NoError(t, os.MkdirAll(dir+"/out", 0o700)) // it may have been killed before it got there
		requireWhole(t, dir+"/out", want)
		if n := countPrefix(contents(t, dir+"/out"), "ledger/"); n > 0 && n < countPrefix(want, "ledger/") {
			partly++
		}
		if err == nil || random.IntN(4) == 0 {
			require.NoError(t, os.RemoveAll(dir+"/out"))
		}
	}
	t.Logf("%d of 12 killed, %d times with some intervals finished", killed, partly)
	require.NotZero(t, killed)
	require.NoError(t, process().Run())
	requireWhole(t, dir+"/out", want)
	require.Len(t, written(t, dir+"/out"), len(want), "a pattern finds the same files")
}

// killedAfter runs a process, kills it then if it still runs, and returns how it ended.
func killedAfter(t *testing.T, cmd *exec.Cmd, after time.Duration) error {
	t.Helper()
	require.NoError(t, cmd.Start())
	killer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() }) // it may have ended
	defer killer.Stop()
	return cmd.Wait()
}

// requireWhole compares what a pattern finds below dir with what there is in the end.
func requireWhole(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	for name := range written(t, dir) {
		content, err := os.ReadFile(dir + "/" + name)
		require.NoError(t, err)
		_, known := want[name]
		require.True(t, known, "%s is not of this join", name)
		if strings.HasPrefix(name, "ledger/") {
			l, err := account.Decode(content)
			require.NoError(t, err)
			require.Equal(t, accountOf(t, want[name]), same(l))
			continue
		}
		require.True(t, want[name] == string(content), "%s is not whole", name)
	}
}
