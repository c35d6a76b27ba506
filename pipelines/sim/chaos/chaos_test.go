package chaos

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/pipelines/sim/generate"
	"tributary/runners/devcluster/servicestest"
)

// hard is input in which all goes wrong that can.
func hard(t *testing.T, views int64, duration time.Duration, kinds string) generate.Config {
	t.Helper()
	c := generate.Default()
	c.Out, c.Views, c.Duration, c.Diurnal, c.Partitions = t.TempDir(), views, duration, 0, 4
	var err error
	c.Kinds, err = generate.ParseKinds(kinds, time.Minute)
	require.NoError(t, err)
	c.Duplicates, c.Late, c.Orphans, c.Malformed, c.Early, c.Edges = 0.1, 0.1, 0.1, 0.05, 0.1, 0.3
	return c
}

// newSystem starts servers, with two workers for each release, and creates the topics.
func newSystem(t *testing.T, in *Input, into Sink, releases ...string) *System {
	t.Helper()
	kafka, brokers := servicestest.Start(t, "kafka")
	cluster, address := servicestest.Start(t, "flink", "FLINK_HA=1", "FLINK_TASKMANAGERS=2", "FLINK_SLOTS=2")
	s := &System{
		Kafka: kafka, Flink: cluster, REST: address.Part("rest"), JobServer: address.Part("jobserver"),
		Dir: t.ArtifactDir(), Log: t.Logf, OwnState: *older != "", parallelism: 2,
	}
	t.Cleanup(func() { require.NoError(t, s.Close(context.Background())) })
	for i, name := range releases {
		source := "."
		if i == 0 && *older != "" {
			source = *older
		}
		r, err := NewRelease(t.Context(), source, binaries, name)
		require.NoError(t, err)
		s.Releases = append(s.Releases, r)
	}
	var err error
	s.Stream, err = NewStream(t.Context(), in, string(brokers), fmt.Sprintf("chaos%d", time.Now().UnixNano()), into)
	require.NoError(t, err)
	t.Cleanup(s.Stream.Close)
	return s
}

// TestSamplesSurviveFaults runs the join while its servers are killed and stalled: every
// sample is there once, and the same as without.
func TestSamplesSurviveFaults(t *testing.T) {
	survive(t, IntoTopic, AsMade, Kinds(), cmp.Or(*faults, 9))
}

// TestFilesSurviveFaults does so where samples go to a folder, whose files are put together: whoever lists it never finds
// one twice, and all are there in the end.
func TestFilesSurviveFaults(t *testing.T) {
	survive(t, IntoFolder, AsMade, FolderKinds(), cmp.Or(*faults, 2))
}

// TestStagesSurviveFaults does so with stages: of each stage a sample is there once, and the same as without.
func TestStagesSurviveFaults(t *testing.T) {
	survive(t, IntoTopic, WithStages, StageKinds(), cmp.Or(*faults, 3))
}

// TestKeysSurviveFaults does so where engagements name views by a key, and count for the last with it.
func TestKeysSurviveFaults(t *testing.T) {
	survive(t, IntoTopic, WithKeys, StageKinds(), cmp.Or(*faults, 1))
}

func survive(t *testing.T, into Sink, edit func(spec string) string, groups [][]Fault, faults int) {
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	kinds, err := regexp.Compile(*only)
	require.NoError(t, err)
	for i := range groups {
		groups[i] = slices.DeleteFunc(groups[i], func(f Fault) bool { return !kinds.MatchString(f.Kind) })
	}
	groups = slices.DeleteFunc(groups, func(group []Fault) bool { return len(group) == 0 })
	if len(groups) == 0 {
		t.Skipf("no kind of fault is like %s", *only)
	}
	plan := Schedule(groups, *seed, faults)
	t.Logf("to repeat this schedule: -seed %d -faults %d", *seed, faults)
	// More than is published until the last fault is over; the rest is published then, at once.
	lasts := time.Duration(len(plan)) * 45 * time.Second
	c := hard(t, int64(250*lasts.Seconds()), speed*lasts, "like:30%:window=20s,median=5s,repeat=30% buy:5%:window=30s,amount=20 "+spareKind)
	c.OutOfOrderness, c.ClockSkew, c.Disorder = 5*time.Second, 2*time.Second, 4*time.Second
	in, err := NewInput(t.Context(), c, edit)
	require.NoError(t, err)
	releases := []string{"one", "two"}
	if into == IntoFolder {
		in.Last -= in.compact().Milliseconds() // the last file is not closed
		releases = releases[:1]
	}
	s := newSystem(t, in, into, releases...)
	s.Publisher, err = NewPublisher(s.Stream)
	require.NoError(t, err)
	t.Cleanup(s.Publisher.Close)
	require.NoError(t, s.Start(t.Context()))
	t.Cleanup(func() { // what failed would hold the slots that the next campaign needs
		if !t.Failed() {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Logf("the job goes on: %v", err)
		}
	})
	campaign := Campaign{System: s, Faults: plan}
	err = campaign.Run(t.Context())
	t.Logf("%d views, %d samples\n%s", c.Views, len(in.Samples), &campaign.Table)
	assert.NoError(t, err, "seed %d; logs in %s, %s, %s and below %s", *seed, s.Kafka.Data, s.Flink.Data, s.Releases[0].Workers[0].Data, s.Dir)
}
