package stream

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/sink"
	"tributary/io/kafkaio/source"
	"tributary/transforms/account"
	"tributary/transforms/sample"
)

// toEnd is the plan of a run up to the end of what is there.
func (j *cutJob) toEnd(run string, resume Resume, drain bool, edits ...string) *Plan {
	j.t.Helper()
	opt := quick(run, resume)
	opt.Stop, opt.Drain = source.Stop{At: source.StopAtEnd}, drain
	plan, err := New(j.t.Context(), j.spec(3, edits...), opt)
	require.NoError(j.t, err)
	return plan
}

// undisturbed is a broker, and a job on it that has joined all of made input in one run.
func undisturbed(t *testing.T, views int64, stages string, inFiles ...string) (fake *kfake.Cluster, whole *cutJob) {
	t.Helper()
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	dir := hard(t, views)
	addStages(t, dir, stages)
	whole = newCutJob(t, fake.ListenAddrs(), dir, "whole", inFiles...)
	whole.publish(1)
	run(t, whole.toEnd("whole", Fresh, true).Pipeline())
	return fake, whole
}

// newest returns the sample of each view with the largest version, by id, and how many
// records each has.
func (j *cutJob) newest() (samples map[string]string, count map[string]int) {
	j.t.Helper()
	samples, count = map[string]string{}, map[string]int{}
	versions := map[string]int{}
	require.NoError(j.t, cluster.ReadAll(j.t.Context(), cluster.Config{Brokers: j.brokers}, j.name, func(r *kgo.Record) error {
		id, _, err := sample.Key(r.Value)
		require.NoError(j.t, err)
		require.Equal(j.t, sink.VersionHeader, r.Headers[0].Key)
		version, err := strconv.Atoi(string(r.Headers[0].Value))
		require.NoError(j.t, err)
		if count[string(id)]++; version > versions[string(id)] {
			samples[string(id)], versions[string(id)] = string(r.Value), version
		}
		return nil
	}))
	return samples, count
}

// TestRunsThatEnd runs a job bit by bit, each time to the end of what is there: whatever comes
// later, nothing that was written was wrong, doubled or left out, and the accounts balance.
func TestRunsThatEnd(t *testing.T) {
	fake, whole := undisturbed(t, 2000, "")
	want, _ := whole.output()

	cut := newCutJob(t, fake.ListenAddrs(), whole.dir, "cut")
	plan := cut.toEnd("nothing", Fresh, false)
	require.Equal(t, "no views are decided yet, by partition main/cut.engagements/0, which is least far; later ones are left to the run that goes on with --resume log, or decided now with --drain", plan.End().String())
	run(t, plan.Pipeline())
	require.Empty(t, consume(t, cut.brokers, cut.name))

	resume, before := FromLog, 0
	for i, part := range []float64{0.4, 0.5, 0.9} {
		cut.publish(part)
		plan := cut.toEnd(fmt.Sprint("cut", i), resume, false)
		t.Logf("%v; %v", plan.Resumed(), plan.End())
		run(t, plan.Pipeline())
		got, _ := cut.output()
		require.Greater(t, len(got), before)
		require.Less(t, len(got), len(want), "something is left open")
		before = len(got)
		for value, n := range got {
			require.Equal(t, want[value], n, "%q", value)
			_, at, err := sample.Key([]byte(value))
			require.NoError(t, err)
			require.Less(t, at, plan.End().Through.UnixMilli())
		}
		open := cut.report()
		require.NoError(t, open.Check())
		require.Positive(t, open.Views.N[account.Open])
	}
	cut.publish(1)
	run(t, cut.toEnd("cut last", FromLog, true).Pipeline())
	sameOutput(t, whole, cut)
}

// TestDrainedAndGoneOn: what a run has drained before all was there says so, and is
// corrected by the run that goes on.
func TestDrainedAndGoneOn(t *testing.T) {
	fake, whole := undisturbed(t, 1000, "")
	cut := newCutJob(t, fake.ListenAddrs(), whole.dir, "cut")
	cut.publish(0.5)
	plan := cut.toEnd("drained", Fresh, true)
	require.True(t, plan.End().Drained)
	run(t, plan.Pipeline())
	require.Equal(t, plan.End().Through.Add(-time.Minute).UnixMilli(), cut.through(), "what is provisional is not noted as complete")
	report := cut.report()
	require.Positive(t, report.Views.N[account.Immature])
	require.Zero(t, report.Views.N[account.Open])
	cut.publish(1)
	run(t, cut.toEnd("gone on", FromLog, true).Pipeline())

	want, _ := whole.newest()
	got, count := cut.newest()
	require.Equal(t, want, got)
	twice := 0
	for _, n := range count {
		require.LessOrEqual(t, n, 2)
		twice += n - 1
	}
	require.Positive(t, twice)
	require.Less(t, twice, len(want)/2, "what was decided for good is not written again")
	require.Equal(t, whole.report(), cut.report())
}

// TestStageCorrectsWhatIsOpen: a run goes on with what another has drained, and ends where an early stage corrects views whose bucket
// the last one leaves to a later run.
func TestStageCorrectsWhatIsOpen(t *testing.T) {
	fake, whole := undisturbed(t, 500, stagesUnderTest)
	cut := newCutJob(t, fake.ListenAddrs(), whole.dir, "cut")
	cut.publish(0.5)
	run(t, cut.toEnd("drained", Fresh, true).Pipeline())
	cut.publish(0.08)
	plan := cut.toEnd("gone on", FromLog, false)
	run(t, plan.Pipeline())
	require.Less(t, cut.through(), plan.End().Through.UnixMilli(), "what is open is not noted as complete")
	cut.publish(1)
	run(t, cut.toEnd("gone on again", FromLog, true).Pipeline())
	require.Equal(t, whole.report(), cut.report())
}

// TestEndsRefused: what cannot be ended is refused.
func TestEndsRefused(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	job := newCutJob(t, fake.ListenAddrs(), hard(t, 100), "ends")
	opt := quick("a", Fresh)
	opt.Drain = true
	_, err = New(t.Context(), job.spec(3), opt)
	require.ErrorContains(t, err, "to drain takes a run that ends")
	opt.Drain, opt.Stop = false, source.Stop{At: source.StopAtOffsets, Offsets: map[cluster.Partition]int64{{Cluster: "main", Topic: "ends.views"}: 5}}
	_, err = New(t.Context(), job.spec(3), opt)
	require.ErrorContains(t, err, "the topics do not hold yet what is to be read")
	opt = quick("b", Fresh) // a state needs a run before
	opt.Stop = source.Stop{At: source.StopAtEnd}
	_, err = New(t.Context(), job.spec(3), opt)
	require.NoError(t, err)
	opt.Resume = FromState
	_, err = New(t.Context(), job.spec(3), opt)
	require.ErrorContains(t, err, "to end elsewhere, resume from the log")
}
