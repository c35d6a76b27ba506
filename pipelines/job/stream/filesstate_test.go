package stream

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/io/kafkaio/source"
	"tributary/pipelines/job/batch"
	"tributary/pipelines/job/topics"
	"tributary/pipelines/spec"
	"tributary/runners/devcluster/servicestest"
	"tributary/runners/flink"
	"tributary/transforms/account"
)

// TestFilesGoOnFromState stops a job on Flink with a savepoint while it reads files, and goes on from there: no file is begun
// again, and in the end samples and accounts are those of the bounded join.
func TestFilesGoOnFromState(t *testing.T) {
	_, kafka := servicestest.Start(t, "kafka")
	_, flinkAt := servicestest.Start(t, "flink")
	brokers := []string{string(kafka)}
	dir := hard(t, 20_000)
	own := "state" + fmt.Sprint(time.Now().UnixNano())
	s := streamSpec(t, dir, brokers, append(filesOf("views", "file"), "topic: engagements", "topic: "+own+".engagements", "name: made", "name: "+own,
		"samples: {topic: samples}", "samples: {topic: "+own+"}")...)
	_, err := topics.Create(t.Context(), s, topics.CreateOptions{Inputs: true, Partitions: 3, Replicas: 1})
	require.NoError(t, err)
	send(t, brokers, own+".engagements", dir+"/engagements")
	files, err := spec.Load(dir + "/spec.yaml")
	require.NoError(t, err)
	report, err := batch.Run(t.Context(), files, batch.Options{})
	require.NoError(t, err)

	// start starts a run and waits until that share of the views is accounted for.
	start := func(resume Resume, savepoint string, share float64) *flink.Job {
		opt := Options{Resume: resume, feed: batch.FeedConfig{PieceBytes: 32 << 10, Budget: 1}}
		plan, err := New(t.Context(), s, opt)
		require.NoError(t, err)
		job, err := flink.Submit(t.Context(), plan.Pipeline(), flink.Options{
			JobServer: flinkAt.Part("jobserver"), REST: flinkAt.Part("rest"), Name: own, Parallelism: 1, Savepoint: savepoint,
			Checkpoints: flink.Checkpoints{Interval: 2 * time.Second},
		})
		require.NoError(t, err)
		require.Eventually(t, func() bool {
			accounted, err := Report(t.Context(), s)
			require.NoError(t, err)
			t.Logf("%d views are read", accounted.Accounts.Views.N[account.Read])
			return float64(accounted.Accounts.Views.N[account.Read]) >= share*float64(report.Accounts.Views.N[account.Read])
		}, 4*time.Minute, time.Second)
		return job
	}
	first := start(Fresh, "", 0.2)
	savepoint, err := first.StopWithSavepoint(t.Context(), t.TempDir())
	require.NoError(t, err)
	require.NoError(t, first.Close())
	midway, err := Report(t.Context(), s)
	require.NoError(t, err)
	require.Less(t, midway.Accounts.Views.N[account.Read], report.Accounts.Views.N[account.Read], "files are left to read")

	second := start(FromState, savepoint, 1)
	require.NoError(t, second.Cancel(t.Context()))
	_, err = second.Wait(t.Context(), nil)
	require.ErrorIs(t, err, flink.ErrJobCanceled)
	require.NoError(t, second.Close())
	begun := 0
	for value, times := range consume(t, brokers, own+".accounts") {
		var a counted
		require.NoError(t, json.Unmarshal([]byte(value), &a))
		if a.Files != "" && a.Step == steps[account.StepRead] && a.First == 0 {
			begun += times
		}
	}
	require.Equal(t, 3, begun, "each file is begun once")

	plan, err := New(context.Background(), s, Options{Resume: FromLog, Stop: source.Stop{At: source.StopAtEnd}, Drain: true})
	require.NoError(t, err)
	runOnFlink(t, flinkAt, plan.Pipeline())
	require.True(t, maps.Equal(samplesIn(t, dir+"/out/samples"), consume(t, brokers, own)))
	accounted, err := Report(t.Context(), s)
	require.NoError(t, err)
	require.Equal(t, report.Accounts.Views, accounted.Accounts.Views)
	require.Equal(t, report.Accounts.Engagements, accounted.Accounts.Engagements)
}
