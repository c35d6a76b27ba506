package flink

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/runners/devcluster/servicestest"
)

// cluster starts Flink, or finds it started, and returns options that lead to it.
func cluster(t *testing.T) Options {
	t.Helper()
	_, address := servicestest.Start(t, "flink")
	return Options{
		JobServer:   address.Part("jobserver"),
		REST:        address.Part("rest"),
		Name:        t.Name(),
		Checkpoints: Checkpoints{Interval: time.Second},
	}
}

// startWorker runs a worker as a process of its own, on a port of its own, until the test ends.
func startWorker(t *testing.T, listen string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), workerEnv+"="+listen)
	log, err := os.OpenFile(filepath.Join(t.ArtifactDir(), "worker.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	cmd.Stdout, cmd.Stderr = log, log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have been killed already
		_ = cmd.Wait()
		require.NoError(t, log.Close())
	})
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", listen)
		return err == nil && conn.Close() == nil
	}, 20*time.Second, 50*time.Millisecond, "the worker does not listen on %s", listen)
	return cmd
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close() //nolint:errcheck // it only found a port
	return listener.Addr().String()
}

// groups are the lines of a sink: how often each group was written, and its numbers.
type groups struct {
	times   map[string]int
	numbers map[int64]int // how often each number is there, every group counted once
	last    int64         // end of the last window, in seconds from epoch
}

func readGroups(t *testing.T, file string) groups {
	t.Helper()
	g := groups{times: map[string]int{}, numbers: map[int64]int{}}
	f, err := os.Open(file)
	if os.IsNotExist(err) {
		return g
	}
	require.NoError(t, err)
	defer f.Close() //nolint:errcheck // only read
	for lines := bufio.NewScanner(f); lines.Scan(); {
		g.times[lines.Text()]++
		if g.times[lines.Text()] > 1 {
			continue
		}
		fields := strings.Fields(lines.Text())
		end, err := strconv.ParseInt(fields[0], 10, 64)
		require.NoError(t, err)
		g.last = max(g.last, end)
		for _, field := range fields[2:] {
			n, err := strconv.ParseInt(field, 10, 64)
			require.NoError(t, err)
			g.numbers[n]++
		}
	}
	return g
}

// requireComplete demands that every number of the windows before the last was written in one
// group, the same however often it was written; and, if once, that no group was written again.
func (g groups) requireComplete(t *testing.T, once bool) {
	t.Helper()
	for n := range (g.last - 1) * perWindow {
		require.Equal(t, 1, g.numbers[n], "groups with number %d, of %d seconds", n, g.last)
	}
	if once {
		for group, times := range g.times {
			require.Equal(t, 1, times, "group %s", group)
		}
	}
}

// waitFor waits until the sink has windows up to the end, in seconds from epoch.
func waitFor(t *testing.T, file string, end int64, job *Job) {
	t.Helper()
	require.Eventually(t, func() bool { return readGroups(t, file).last >= end }, 3*time.Minute, 100*time.Millisecond,
		"second %d is not written to %s; see %s", end, file, job.URL())
}

func kill(t *testing.T, pid int) {
	t.Helper()
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL), fmt.Sprint("kill ", pid))
}
