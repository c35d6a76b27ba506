package stream

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/commitlog"
	"tributary/io/kafkaio/source"
	"tributary/io/kafkaio/timeindex"
	"tributary/pipelines/job/topics"
	"tributary/pipelines/spec"
	"tributary/runners/prism"
	"tributary/transforms/account"
	"tributary/transforms/attribution/rules"
)

// cutJob is a job whose input comes bit by bit and which is cut again and again.
type cutJob struct {
	t       *testing.T
	brokers []string
	client  *kgo.Client
	dir     string
	name    string
	// left are the records that are not published yet, by topic and partition.
	left map[string][][][]byte
	// inFiles are the folders of made input that are read as they are.
	inFiles []string
}

// newCutJob creates the topics of a job; nothing is in them yet. What is in files stays there.
func newCutJob(t *testing.T, brokers []string, dir, name string, inFiles ...string) *cutJob {
	t.Helper()
	j := &cutJob{t: t, brokers: brokers, dir: dir, name: name, left: map[string][][][]byte{}, inFiles: inFiles}
	for _, folder := range []string{"views", "engagements"} {
		files, err := filepath.Glob(filepath.Join(dir, folder, "*.avro"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, path := range files {
			var records [][]byte
			schema := eachRecord(t, path, func(record []byte) { records = append(records, slices.Clone(record)) })
			if folder == "engagements" {
				require.NoError(t, os.WriteFile(dir+"/engagement.avsc", []byte(schema.String()), 0o600))
			}
			if topic := name + "." + folder; !slices.Contains(inFiles, folder) {
				j.left[topic] = append(j.left[topic], records)
			}
		}
	}
	_, err := topics.Create(t.Context(), j.spec(3), topics.CreateOptions{Inputs: true, Partitions: 3, Replicas: 1})
	require.NoError(t, err)
	j.client, err = kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, err)
	t.Cleanup(j.client.Close)
	return j
}

// spec is the job's, with that many shards.
func (j *cutJob) spec(shards int, edits ...string) *spec.Spec {
	j.t.Helper()
	var inputs []string
	for _, folder := range []string{"views", "engagements"} {
		if slices.Contains(j.inFiles, folder) {
			inputs = append(inputs, filesOf(folder, "file")...)
		} else {
			inputs = append(inputs, "topic: "+folder, "topic: "+j.name+"."+folder)
		}
	}
	return streamSpec(j.t, j.dir, j.brokers, append(append(inputs,
		"name: made", "name: "+j.name,
		"samples: {topic: samples}", "samples: {topic: "+j.name+"}\n  orphans: {topic: "+j.name+".orphans}",
		"shards: 3", "shards: "+strconv.Itoa(shards),
	), edits...)...)
}

// publish writes the next part of every partition's log.
func (j *cutJob) publish(part float64) {
	j.t.Helper()
	for topic, partitions := range j.left {
		for p, records := range partitions {
			n := int(part * float64(len(records)))
			for _, r := range records[:n] {
				j.client.Produce(j.t.Context(), &kgo.Record{Topic: topic, Partition: int32(p), Value: r}, func(_ *kgo.Record, err error) {
					if err != nil {
						j.t.Errorf("publish to %s: %v", topic, err)
					}
				})
			}
			partitions[p] = records[n:]
		}
	}
	require.NoError(j.t, j.client.Flush(j.t.Context()))
}

// output is all that the job has written: samples with how often they are there, and the
// distinct records beside them without the job's name.
func (j *cutJob) output() (samples map[string]int, beside map[string]bool) {
	j.t.Helper()
	beside = map[string]bool{}
	for _, topic := range []string{".late", ".dead", ".orphans"} {
		for value := range consume(j.t, j.brokers, j.name+topic) {
			beside[topic+" "+strings.ReplaceAll(value, j.name, "")] = true
		}
	}
	return consume(j.t, j.brokers, j.name), beside
}

// through is the last bucket that the ledger notes as complete; 0 if none is.
func (j *cutJob) through() (last int64) {
	j.t.Helper()
	for value := range consume(j.t, j.brokers, j.name+".ledger") {
		if _, number, ok := strings.Cut(value, `"through":`); ok {
			at, err := strconv.ParseInt(strings.TrimSuffix(number, "}"), 10, 64)
			require.NoError(j.t, err)
			last = max(last, at)
		}
	}
	return last
}

// report is what the job's accounts add up to.
func (j *cutJob) report() *account.Sheet {
	j.t.Helper()
	r, err := Report(j.t.Context(), j.spec(3))
	require.NoError(j.t, err)
	return r.Accounts
}

// sameOutput holds the output of a job that was cut against that of one that was not.
func sameOutput(t *testing.T, whole, cut *cutJob) {
	t.Helper()
	wantSamples, wantBeside := whole.output()
	gotSamples, gotBeside := cut.output()
	require.NotEmpty(t, wantSamples)
	for value, n := range gotSamples {
		require.Equal(t, 1, n, "a sample is there %d times: %q", n, value)
		require.Contains(t, wantSamples, value)
	}
	require.Len(t, gotSamples, len(wantSamples))
	for value := range wantBeside {
		require.True(t, gotBeside[value], "not there: %s", value)
	}
	for value := range gotBeside {
		require.True(t, wantBeside[value], "should not be there: %s", value)
	}
	require.Equal(t, whole.report(), cut.report())
}

// quick are options for a broker and a runner in this process.
func quick(run string, resume Resume) Options {
	return Options{Run: run, Resume: resume, Readers: prism.Readers, Rest: 20 * time.Millisecond, PollBudget: 50 * time.Millisecond, BooksEvery: 1}
}

// TestResumeFromLog cuts a job at random moments, and each time begins anew from the log with
// nothing else, over other shards: refused commits, refused messages, topics that
// can no longer be read. In the end its output is that of a job that nobody disturbed.
func TestResumeFromLog(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("TRIBUTARY_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("TRIBUTARY_SEED=%d cuts at the same places again, as far as goroutines do", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for _, c := range []struct {
		what, job string
		attempts  int
		views     int64
		stages    string
		inFiles   []string
	}{
		{"topics", "cut", 6, 2000, "", nil},
		{"engagements in files", "cutviews", 3, 2000, "", []string{"engagements"}},
		{"views in files", "cutlikes", 3, 2000, "", []string{"views"}},
		{"stages", "cutstages", 3, 1000, stagesUnderTest, nil},
	} {
		t.Run(c.what, func(t *testing.T) { resumeFromLog(t, random, c.job, c.attempts, c.views, c.stages, c.inFiles) })
	}
}

func resumeFromLog(t *testing.T, random *rand.Rand, job string, attempts int, views int64, stages string, inFiles []string) {
	t.Helper()
	fake, whole := undisturbed(t, views, stages, inFiles...)
	cut := newCutJob(t, fake.ListenAddrs(), whole.dir, job, inFiles...)
	resume := Fresh
	for attempt := range attempts {
		shards := 1 + random.IntN(5)
		if resume == Fresh {
			shards = 3 // as many as its ledger was created with
		}
		plan, err := New(t.Context(), cut.spec(shards), quick(fmt.Sprint("cut", attempt), resume))
		require.NoError(t, err)
		t.Logf("attempt %d, %d shards: %v", attempt, shards, plan.Resumed())
		switch {
		case attempt == 0:
			// Far enough for another run to begin in the middle of the log.
			cut.runUntilCut(fake, random, plan, logStart.Add(8*time.Minute).UnixMilli())
		case attempt%2 == 0:
			cut.runUntilCut(fake, random, plan, cut.through()+1)
		default:
			cut.runUntilCut(fake, random, plan, 0)
		}
		if attempt == 1 {
			offsets := slices.Collect(maps.Values(plan.reading.Start.Offsets))
			require.True(t, slices.ContainsFunc(offsets, func(p timeindex.Position) bool { return p.Offset > 0 }), "it begins at the beginning: %v", offsets)
		}
		resume = FromLog
	}
	cut.publish(1)
	plan := cut.toEnd("cut at last", FromLog, true, "shards: 3", "shards: 4")
	t.Logf("at last: %v", plan.Resumed())
	require.False(t, plan.Resumed().Since.IsZero(), "it does not begin anew")
	run(t, plan.Pipeline())
	sameOutput(t, whole, cut)
	requireVersionsRise(t, cut.brokers, cut.name, plan.SampleSchema(), plan.spec)
}

// logStart is the first event time of made input.
var logStart = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// runUntilCut runs a pipeline while more is published, until something is refused; or, with
// a goal, until that bucket is complete, and the topics can no longer be read.
func (j *cutJob) runUntilCut(fake *kfake.Cluster, random *rand.Rand, plan *Plan, goal int64) {
	j.t.Helper()
	completes := goal > 0
	var commits atomic.Int64
	fault := kfake.Fault{Count: -1}
	refuseReading := kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: slices.Min(slices.Collect(maps.Keys(j.left))), Err: kerr.TopicAuthorizationFailed, Count: -1}
	switch which := random.IntN(2); {
	case completes:
		fault = kfake.Fault{}
	case which == 0:
		after := int64(random.IntN(30))
		fault.Keys, fault.Err = []kmsg.Key{kmsg.EndTxn}, kerr.TransactionalIDAuthorizationFailed
		fault.When = func(kmsg.Request) bool { return commits.Add(1) > after }
		j.t.Logf("  commits are refused after %d", after)
	default:
		after := int64(random.IntN(10))
		fault.Keys, fault.Topic, fault.Err = []kmsg.Key{kmsg.Produce}, j.name+".late", kerr.TopicAuthorizationFailed
		fault.When = func(kmsg.Request) bool { return commits.Add(1) > after }
		j.t.Logf("  late records are refused after %d requests", after)
	}
	if !completes {
		defer fake.Fault(fault).Remove()
	}
	ctx, cancel := context.WithTimeout(j.t.Context(), time.Minute)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- prism.Run(ctx, plan.Pipeline()) }()
	for range 1 + random.IntN(4) {
		if completes {
			break // bit by bit below, so that there are many places to begin again from
		}
		select {
		case err := <-ended:
			require.Error(j.t, err)
			return
		case <-time.After(time.Duration(random.IntN(150)) * time.Millisecond):
			j.publish(0.05 + 0.1*random.Float64())
		}
	}
	for completes && j.through() < goal {
		select {
		case err := <-ended:
			require.NoError(j.t, err, "nothing was refused yet")
			return
		case <-ctx.Done():
			j.t.Fatal("nothing is ever complete")
		case <-time.After(200 * time.Millisecond):
			j.publish(0.05)
		}
	}
	defer fake.Fault(refuseReading).Remove()
	select {
	case err := <-ended:
		require.Error(j.t, err)
		require.False(j.t, errors.Is(err, context.DeadlineExceeded), "it did not end")
	case <-ctx.Done():
		j.t.Fatal("the pipeline is stuck")
	}
}

// TestResumeRefused: a run that cannot be resumed says why, before anything is submitted.
func TestResumeRefused(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	job := newCutJob(t, fake.ListenAddrs(), hard(t, 500), "refused")
	job.publish(1)
	opt := quick("first", Fresh)
	opt.Stop, opt.Drain = source.Stop{At: source.StopAtEnd}, true
	plan, err := New(t.Context(), job.spec(3), opt)
	require.NoError(t, err)
	run(t, plan.Pipeline())
	before, _ := job.output()

	_, err = New(t.Context(), job.spec(3, "name: refused,", "name: refused, delivery: at_least_once,"), quick("", FromLog))
	require.ErrorContains(t, err, "delivery is at_least_once, so no commit log says what was written")
	_, err = New(t.Context(), job.spec(3, "bucket: 1m", "bucket: 2m"), quick("", FromLog))
	require.ErrorContains(t, err, "is of groups 60000 apart, not 120000: the length of a bucket stays as it is")

	// A job whose accounts cannot be read is not taken over: it may run on.
	accounts := fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: "refused.accounts", Err: kerr.TopicAuthorizationFailed, Count: -1})
	var fenced atomic.Int64
	watch := fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Count: -1, When: func(kmsg.Request) bool { fenced.Add(1); return false }})
	_, err = New(t.Context(), job.spec(3), quick("", FromLog))
	require.ErrorContains(t, err, "resume from the log: accounts in topic refused.accounts")
	require.Zero(t, fenced.Load(), "it was fenced off")
	accounts.Remove()

	// What the last buckets need is deleted from one partition.
	plan, err = New(t.Context(), job.spec(3), quick("", FromLog))
	require.NoError(t, err)
	require.NotZero(t, plan.Resumed().Partitions)
	require.NotZero(t, fenced.Load())
	watch.Remove()
	ends, err := cluster.Ends(t.Context(), job.client, "refused.views")
	require.NoError(t, err)
	offsets := kadm.Offsets{}
	offsets.AddOffset("refused.views", 1, ends[1], -1)
	_, err = kadm.NewClient(job.client).DeleteRecords(t.Context(), offsets)
	require.NoError(t, err)
	_, err = New(t.Context(), job.spec(3, "name: refused,", "name: refused, on_offset_out_of_range: fail,"), quick("", FromLog))
	require.ErrorIs(t, err, source.ErrTruncated)
	require.ErrorContains(t, err, "main/refused.views/1: offset ")
	require.ErrorContains(t, err, fmt.Sprintf("and its log begins at %d", ends[1]))
	require.ErrorContains(t, err, "with `on_offset_out_of_range: skip` in stream they are joined from it all the same")
	_, err = New(t.Context(), job.spec(3, "name: refused,", "name: refused, on_offset_out_of_range: skip,"), quick("", FromLog))
	require.NoError(t, err)

	// Only the log of a job tells what it needs: whatever comes of settled buckets is skipped.
	after, _ := job.output()
	require.True(t, maps.Equal(before, after))
}

// TestResumeFollowsCorrections: a run that goes on from the log knows what was corrected of an early stage in buckets that
// it does not join again, and so does one that goes on from the state of that, as far as something may follow from it.
func TestResumeFollowsCorrections(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	dir := hard(t, 500)
	addStages(t, dir, stagesUnderTest)
	j := newCutJob(t, fake.ListenAddrs(), dir, "corrected")
	j.publish(0.5)
	run(t, j.toEnd("first", Fresh, false).Pipeline())
	goOn := func(name string, how Resume) *Plan {
		plan, err := New(t.Context(), j.spec(3), quick(name, how))
		require.NoError(t, err)
		return plan
	}
	second := goOn("second", FromLog)
	early, last := &second.params.Stages[1], second.params.Since
	require.Less(t, last, early.Since)
	require.Empty(t, early.Corrected)

	settled, old := early.Since-early.Bucket, last-early.Bucket
	for _, id := range []int64{settled, old} {
		r := commitlog.Record{ID: id, Entry: commitlog.Entry{Version: 3}, TruncatedBefore: commitlog.NoID, Job: second.early[1].samples.Job}
		require.NoError(t, j.client.ProduceSync(t.Context(), &kgo.Record{Topic: second.early[1].samples.CommitLog, Key: commitlog.Key(0, id), Value: r.Value()}).FirstErr())
	}
	for _, how := range []Resume{FromLog, FromState} {
		plan := goOn("third", how)
		require.Equal(t, []rules.Corrected{{Part: rules.Part{Bucket: settled}, Times: 2}}, plan.params.Stages[1].Corrected, how)
		require.Empty(t, plan.params.Stages[0].Corrected)
	}
}
