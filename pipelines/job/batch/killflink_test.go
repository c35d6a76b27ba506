package batch

import (
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

	"tributary/pipelines/sim/generate"
	"tributary/runners"
	"tributary/runners/devcluster/services"
	"tributary/runners/devcluster/servicestest"
	"tributary/runners/flink"
)

// withWorker is Flink with a worker in a process of its own.
func withWorker(cluster services.Address, worker, name string) runners.Runner {
	return flink.Runner{Options: flink.Options{
		JobServer: cluster.Part("jobserver"), REST: cluster.Part("rest"), Name: name, Parallelism: 2,
		Worker: worker, Checkpoints: flink.Checkpoints{Interval: time.Second},
	}.Bounded()}
}

// TestKilledOnFlink kills what runs a join, while blocks are being kept: a worker or a TaskManager that comes back does
// the rest; whoever joins anew ends the job of one who was killed. The files are those of the direct runner.
func TestKilledOnFlink(t *testing.T) {
	service, cluster := servicestest.Start(t, "flink")
	c := generate.Default()
	c.Views, c.Duration = 400_000, 2*time.Hour
	dir, _ := made(t, c)
	want := join(t, loadSpec(t, dir), Options{})
	listen := freeAddress(t)
	worker := startWorker(t, listen)
	text, err := os.ReadFile(dir + "/spec.yaml")
	require.NoError(t, err)

	tests := []struct {
		name string
		kill func(t *testing.T, submitter *exec.Cmd)
	}{
		{"worker", func(*testing.T, *exec.Cmd) {
			require.NoError(t, worker.Process.Kill())
			_ = worker.Wait() // it was killed
			worker = startWorker(t, listen)
		}},
		{"TaskManager", func(t *testing.T, _ *exec.Cmd) {
			text, err := os.ReadFile(filepath.Join(service.Data, "taskmanager.pid"))
			require.NoError(t, err)
			pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
			require.NoError(t, err)
			require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		}},
		{"submitter", func(t *testing.T, submitter *exec.Cmd) { require.NoError(t, submitter.Process.Kill()) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file, out := dir+"/"+tt.name+".yaml", dir+"/"+tt.name
			write(t, file, strings.Replace(string(text), "out/samples", tt.name+"/samples", 1))
			name := fmt.Sprintf("killed-%s-%d", tt.name, os.Getpid())
			executable, err := os.Executable()
			require.NoError(t, err)
			submitter := exec.CommandContext(t.Context(), executable)
			submitter.Env = append(os.Environ(), joinEnv+"="+file, fmt.Sprintf("%s=%s worker=%s name=%s", flinkEnv, cluster, listen, name))
			submitter.Stderr = os.Stderr
			require.NoError(t, submitter.Start())
			require.Eventually(t, func() bool {
				kept, err := filepath.Glob(out + "/ledger/.shuffle/*/*")
				return err == nil && len(kept) > 0
			}, 2*time.Minute, 5*time.Millisecond, "nothing is kept")
			tt.kill(t, submitter)
			err = submitter.Wait()
			if tt.name == "submitter" {
				require.ErrorContains(t, err, "killed")
				require.NoFileExists(t, accountsIn(t, out))
				again := join(t, loadSpec(t, dir, "out/samples", tt.name+"/samples"), Options{Runner: withWorker(cluster, listen, name)})
				require.Zero(t, again.Finished)
			} else {
				require.NoError(t, err)
			}
			sameFiles(t, dir+"/out/samples", out+"/samples")
			require.NoDirExists(t, out+"/ledger/.shuffle")
			got := join(t, loadSpec(t, dir, "out/samples", tt.name+"/samples"), Options{Runner: withWorker(cluster, listen, name)})
			require.Equal(t, 1, got.Finished)
			require.Equal(t, want.Accounts.Views, got.Accounts.Views)
			require.Equal(t, want.Accounts.Engagements, got.Accounts.Engagements)
			requireFailed(t, cluster, name)
		})
	}
}

// requireFailed requires that a job of the name was interrupted.
func requireFailed(t *testing.T, cluster services.Address, name string) {
	t.Helper()
	client, err := flink.NewClient(cluster.Part("rest"))
	require.NoError(t, err)
	jobs, err := client.List(t.Context())
	require.NoError(t, err)
	for _, job := range jobs {
		if job.Name != name {
			continue
		}
		status, err := client.Status(t.Context(), job.ID)
		require.NoError(t, err)
		if status.Failure != nil || status.State == flink.Canceled {
			return
		}
	}
	require.Fail(t, "no job was interrupted", name)
}

// accountsIn is the file of accounts in a folder of outputs, or where one could be.
func accountsIn(t *testing.T, out string) string {
	t.Helper()
	files, err := filepath.Glob(out + "/ledger/*/*.json")
	require.NoError(t, err)
	return append(files, out+"/none")[0]
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return listener.Addr().String()
}

// startWorker runs a worker in a process of its own until the test ends.
func startWorker(t *testing.T, listen string) *exec.Cmd {
	t.Helper()
	executable, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(executable)
	cmd.Env = append(os.Environ(), workerEnv+"="+listen)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have been killed already
		_ = cmd.Wait()
	})
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", listen)
		return err == nil && conn.Close() == nil
	}, 20*time.Second, 50*time.Millisecond, "the worker does not listen on %s", listen)
	return cmd
}
