package flink

import (
	"context"
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/runners/devcluster/servicestest"
)

func TestBoundedPipelineRunsToItsEnd(t *testing.T) {
	for _, streaming := range []bool{false, true} {
		name := map[bool]string{false: "as a batch", true: "as a stream"}[streaming]
		t.Run(name, func(t *testing.T) {
			o := cluster(t)
			o.Streaming = streaming
			file := filepath.Join(t.TempDir(), "out")
			job, err := Submit(t.Context(), bounded(file, 100), o)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, job.Close()) })
			seen := 0
			status, err := job.Wait(t.Context(), func(Status) { seen++ })
			require.NoError(t, err)
			assert.Equal(t, Finished, status.State)
			assert.Equal(t, t.Name(), status.Name)
			assert.Positive(t, seen)
			numbers := readGroups(t, file).numbers
			assert.Len(t, numbers, 100)
			for n, times := range numbers {
				assert.Equal(t, 1, times, "number %d", n)
			}
			// It keeps what it has fetched for an hour after the job's end.
			assert.Zero(t, staged(t), "bytes that the TaskManager has fetched for the job")
		})
	}
}

// staged is how many bytes the TaskManager keeps of what was uploaded with jobs.
func staged(t *testing.T) int64 {
	t.Helper()
	service, _ := servicestest.Start(t, "flink")
	folders, err := filepath.Glob(filepath.Join(service.Data, "tmp", "tm_*", "blobStorage"))
	require.NoError(t, err)
	require.NotEmpty(t, folders, "TaskManagers keep what they fetch elsewhere")
	var sum int64
	for _, folder := range folders {
		require.NoError(t, filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			info, err := entry.Info()
			if err == nil {
				sum += info.Size()
			}
			return err
		}))
	}
	return sum
}

func TestStoppedJobResumesWhereItWas(t *testing.T) {
	o := cluster(t)
	o.Worker = freeAddress(t)
	startWorker(t, o.Worker)
	file := filepath.Join(t.TempDir(), "out")
	job, err := Submit(t.Context(), counted(file, false), o)
	require.NoError(t, err)
	waitFor(t, file, 4, job)
	var status Status
	require.Eventually(t, func() bool { // Flink collects metrics by and by
		status, err = job.Status(context.Background())
		return err == nil && !status.Watermark.IsZero() && status.RecordsOut > 0
	}, time.Minute, 200*time.Millisecond, "no watermark is told")
	assert.Equal(t, Running, status.State)
	assert.Equal(t, status.Tasks, status.TasksRunning)
	assert.WithinRange(t, status.Watermark, epoch, epoch.Add(5*time.Minute))
	assert.Nil(t, status.Failure)
	savepoint, err := job.StopWithSavepoint(t.Context(), "")
	require.NoError(t, err)
	status, err = job.Wait(t.Context(), nil)
	require.NoError(t, err)
	assert.Equal(t, Finished, status.State)
	stopped := readGroups(t, file)
	stopped.requireComplete(t, true)

	// One more step, and twice the subtasks.
	o.Savepoint, o.Parallelism = savepoint, 2
	resumed, err := Submit(t.Context(), counted(file, true), o)
	require.NoError(t, err)
	waitFor(t, file, stopped.last+4, resumed)
	status, err = resumed.Status(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 1, status.Checkpoints.Restored)
	require.NoError(t, resumed.Cancel(t.Context()))
	_, err = resumed.Wait(t.Context(), nil)
	require.ErrorIs(t, err, ErrJobCanceled)
	readGroups(t, file).requireComplete(t, true)
}

func TestKilledProcessesAreRecoveredFrom(t *testing.T) {
	service, _ := servicestest.Start(t, "flink")
	o := cluster(t)
	o.Worker = freeAddress(t)
	// Whatever is killed, the proof of the token comes along when workers are asked for again.
	o.WorkerTokenFile = tokenFile(t, oneToken)
	t.Setenv(workerTokenEnv, o.WorkerTokenFile)
	worker := startWorker(t, o.Worker)
	file := filepath.Join(t.TempDir(), "out")
	job, err := Submit(t.Context(), counted(file, false), o)
	require.NoError(t, err)
	waitFor(t, file, 4, job)
	waitForCheckpoint(t, job, 1)

	kill(t, worker.Process.Pid)
	startWorker(t, o.Worker)
	waitFor(t, file, readGroups(t, file).last+4, job)
	status := waitForCheckpoint(t, job, 2)
	require.NotNil(t, status.Failure)
	t.Log("killed worker, as Flink tells it: ", status.Failure.Cause)

	pid, err := service.PID("taskmanager.pid")
	require.NoError(t, err)
	kill(t, pid)
	waitFor(t, file, readGroups(t, file).last+4, job)
	status, err = job.Status(t.Context())
	require.NoError(t, err)
	assert.GreaterOrEqual(t, status.Checkpoints.Restored, 2)
	t.Log("killed TaskManager, as Flink tells it: ", status.Failure.Cause)
	require.NoError(t, job.Cancel(t.Context()))
	_, err = job.Wait(t.Context(), nil)
	require.ErrorIs(t, err, ErrJobCanceled)
	// Groups may be written again after a restart, but then with the same numbers.
	readGroups(t, file).requireComplete(t, false)
}

// waitForCheckpoint waits until the job has completed n checkpoints more.
func waitForCheckpoint(t *testing.T, job *Job, n int) Status {
	t.Helper()
	var status Status
	before := -1
	require.Eventually(t, func() bool {
		var err error
		status, err = job.Status(context.Background())
		if err != nil {
			return false
		}
		if before < 0 {
			before = status.Checkpoints.Completed
		}
		return status.Checkpoints.Completed >= before+n
	}, 3*time.Minute, 200*time.Millisecond, "no checkpoint completes")
	return status
}

// A job whose worker or Go code fails is restarted again and again by the cluster; why, is
// told meanwhile.
func TestFailureIsTold(t *testing.T) {
	t.Run("error of a DoFn", func(t *testing.T) {
		o := cluster(t)
		o.Streaming = true
		job, err := Submit(t.Context(), failing(), o)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, job.Close()) })
		assert.Contains(t, failure(t, job), "number 7 is not wanted here")
	})
	t.Run("worker with a token", func(t *testing.T) {
		o := cluster(t)
		o.Streaming, o.Worker = true, freeAddress(t)
		t.Setenv(workerTokenEnv, tokenFile(t, oneToken))
		startWorker(t, o.Worker)
		job, err := Submit(t.Context(), failing(), o)
		require.NoError(t, err)
		assert.Contains(t, failure(t, job), errNoProof.Error())
	})
	t.Run("worker of another version", func(t *testing.T) {
		o := cluster(t)
		o.Streaming = true
		ctx, stop := context.WithCancel(t.Context())
		address, ended := make(chan string, 1), make(chan error, 1)
		go func() {
			ended <- Worker(ctx, WorkerOptions{
				Listen: "127.0.0.1:0", Version: "v0.0.1", Ready: func(listen, _ string) { address <- listen },
			})
		}()
		o.Worker = <-address
		job, err := Submit(t.Context(), failing(), o)
		require.NoError(t, err)
		version, err := Version()
		require.NoError(t, err)
		assert.Contains(t, failure(t, job),
			"the job was submitted by version "+version+" of the binary, and this is version v0.0.1; run the same one in both places")
		stop()
		require.NoError(t, <-ended)
	})
}

// failure waits for a job's failure, cancels the job and returns the cause.
func failure(t *testing.T, job *Job) string {
	t.Helper()
	var cause string
	require.Eventually(t, func() bool {
		status, err := job.Status(context.Background())
		if err != nil || status.Failure == nil {
			return false
		}
		cause = status.Failure.Cause
		return true
	}, 2*time.Minute, 200*time.Millisecond, "no failure is told")
	require.NoError(t, job.Cancel(t.Context()))
	_, err := job.Wait(t.Context(), nil)
	require.ErrorIs(t, err, ErrJobCanceled)
	return cause
}
