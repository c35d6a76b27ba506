package main

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/io/format/avro"
	"tributary/pipelines/spec"
	"tributary/transforms/label"
	"tributary/transforms/sample"
)

// TestTrafficIsWhatItsTruthSays: the truth of the first events is that of a join which knows
// all of them.
func TestTrafficIsWhatItsTruthSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		window := 10 * time.Second
		made := newTraffic(logStart, 500, window)
		var so truth
		type view struct {
			ms       int64
			positive bool
		}
		views := map[string]*view{}
		last := int64(0)
		for range rapid.IntRange(0, 3000).Draw(t, "events") {
			e := made.next()
			so.add(e)
			require.GreaterOrEqual(t, e.ms, last, "events come in the order of their times")
			last = e.ms
			if e.view {
				views[string(e.id)] = &view{ms: e.ms}
				continue
			}
			v := views[string(e.id)]
			require.NotNil(t, v, "an engagement follows its view")
			require.False(t, v.positive, "a view is engaged with once")
			require.Less(t, e.ms, v.ms+window.Milliseconds())
			v.positive = true
		}
		want := uint64(0)
		for id, v := range views {
			want += digest([]byte(id), v.positive)
		}
		require.Equal(t, want, so.digest)
		require.Len(t, views, int(so.views))
		sum := int64(0)
		for p := range partitions {
			sum += so.viewEnds[p] + so.engagementEnds[p]
		}
		require.Equal(t, so.events(), sum)
	})
}

// TestEventsHaveTheirSchemas: a decoder of Avro reads every event to its end.
func TestEventsHaveTheirSchemas(t *testing.T) {
	read := map[bool]*avro.JSONWriter{}
	for isView, text := range map[bool]string{true: viewSchema, false: engagementSchema} {
		schema, err := avro.ParseSchema(text)
		require.NoError(t, err)
		read[isView], err = avro.NewJSON(schema)
		require.NoError(t, err)
	}
	made := newTraffic(logStart, 500, time.Minute)
	seen := map[bool]int{}
	for range 1000 {
		e := made.next()
		text, n, err := read[e.view].Append(nil, e.value)
		require.NoError(t, err)
		require.Len(t, e.value, n)
		require.Contains(t, string(text), string(e.id))
		seen[e.view]++
	}
	require.Positive(t, seen[true])
	require.Positive(t, seen[false])
}

// TestDecodeStaged: a sample of a join in stages has three more fields before the view.
func TestDecodeStaged(t *testing.T) {
	e := newTraffic(logStart, 500, time.Minute).next()
	for _, count := range []int64{0, 1} {
		encoder := sample.Encoder{Columns: []sample.Column{{Kind: "like", Func: label.Binary}}, SpecVersion: 300}
		value := encoder.Append(nil, &sample.Sample{
			ViewID: e.id, ViewTime: e.ms, Positive: count > 0, Labels: []label.Totals{{Count: count, Delay: 1500}}, Maturity: 10_000, Rate: 0.5, Weight: 2,
		})
		value = append(appendText(value, []byte("10s")), 2, 0) // version 1, and not final
		got, err := decodeStaged(append(value, e.value...))
		require.NoError(t, err)
		require.Equal(t, head{id: e.id, ms: e.ms, positive: count > 0, stage: "10s", version: 1}, got)
		for cut := range len(value) - 1 {
			_, err = decodeStaged(value[:cut])
			require.ErrorIs(t, err, errSample, "cut to %d", cut)
		}
	}
}

// TestTally: corrections lead to the sum that the truth has, and what is missing, double or wrong does not.
func TestTally(t *testing.T) {
	a, b := []byte("a"), []byte("b")
	want := outcome{records: 2, digest: digest(a, true) + digest(b, false)}
	at := func(id []byte, positive bool, version int64) head {
		return head{id: id, positive: positive, version: version, stage: "10s"}
	}
	early, corrected, late := at(a, false, 0), at(a, true, 2), at(b, false, 1)
	for name, c := range map[string]struct {
		heads []head
		right bool
	}{
		"without stages":        {[]head{{id: a, positive: true}, {id: b}}, true},
		"as it is":              {[]head{at(a, true, 0), late}, true},
		"corrected":             {[]head{early, late, corrected}, true},
		"corrected twice":       {[]head{early, late, at(a, true, 1), corrected}, true},
		"not corrected":         {[]head{early, late}, false},
		"taken back":            {[]head{at(a, true, 0), late, at(a, false, 1)}, false},
		"a view is missing":     {[]head{at(a, true, 0)}, false},
		"a view is there twice": {[]head{{id: a, positive: true}, {id: b}, {id: b}}, false},
		"another view":          {[]head{early, at([]byte("c"), false, 0), corrected}, false},
	} {
		var got tally
		for _, h := range c.heads {
			require.NoError(t, got.add(h))
		}
		require.Equal(t, c.right, got.outcome == want, name)
	}
	var got tally
	require.NoError(t, got.add(corrected))
	require.EqualError(t, got.add(early), "version 0 of view a comes behind version 2")
	require.EqualError(t, got.add(corrected), "version 2 of view a comes behind version 2")
}

// TestWaits: a sample counts in its stage, from the moment that its stage could be decided.
func TestWaits(t *testing.T) {
	all := waitsOf(job{stages: liveStages})
	view := time.UnixMilli(1_767_225_600_250)
	at := view.Add(10*time.Second + time.Second + 1200*time.Millisecond)
	for _, w := range all {
		w.add(at, head{ms: view.UnixMilli(), stage: "10s", positive: true}, view, view.Add(time.Minute))
		w.add(at, head{ms: view.UnixMilli(), stage: "10s"}, view.Add(11*time.Second), view.Add(time.Minute)) // it closed before what counts
		w.add(at, head{ms: view.UnixMilli(), stage: "10s"}, view, view.Add(11*time.Second))                  // and after it
	}
	require.Empty(t, all[0].afterView)
	require.Empty(t, all[2].afterView)
	require.Equal(t, []time.Duration{12200 * time.Millisecond}, all[1].afterView)
	require.Equal(t, []time.Duration{1200 * time.Millisecond}, all[1].afterWindow)
	require.Equal(t, []time.Duration{450 * time.Millisecond}, all[1].afterBucket) // its bucket ends 750 ms after it

	plain := waitsOf(job{window: liveWindow, bucket: liveBucket})
	require.Len(t, plain, 1)
	for _, positive := range []bool{true, false} { // one that came early says nothing of the window
		plain[0].add(view.Add(liveWindow+outOfOrderness+time.Second), head{ms: view.UnixMilli(), positive: positive}, view, view.Add(time.Hour))
	}
	require.Equal(t, []time.Duration{time.Second}, plain[0].afterWindow)
}

// TestChoose: each system can be named alone.
func TestChoose(t *testing.T) {
	all := new(servers).systems(true)
	names := func(systems []*system) (out []string) {
		for _, sys := range systems {
			out = append(out, sys.name)
		}
		return out
	}
	for _, sys := range all {
		got, err := choose(all, []string{sys.name})
		require.NoError(t, err)
		require.Equal(t, []string{sys.name}, names(got))
	}
	for _, c := range []struct{ only, want []string }{
		{nil, names(all)},
		{[]string{"stage"}, []string{oneStageName, threeStagesName}},
		{[]string{"copy,", "Kafka", oursName}, []string{oursName, streamsName, transactedName}},
	} {
		got, err := choose(all, c.only)
		require.NoError(t, err)
		require.Equal(t, c.want, names(got))
	}
	_, err := choose(new(servers).systems(false), []string{"stages"})
	require.ErrorContains(t, err, `--only "stages": there is none of that name; there are "tributary", "tributary, short buckets", "Flink SQL, RocksDB", `)
	for _, sys := range new(servers).systems(false) {
		require.Empty(t, append(sys.stages, sys.liveStages...), sys.name)
	}
}

// TestDecoders read what the two sides write.
func TestDecoders(t *testing.T) {
	e := newTraffic(logStart, 500, time.Minute).next()
	for _, positive := range []bool{true, false} {
		encoder := sample.Encoder{Columns: []sample.Column{{Kind: "like", Func: label.Binary}}}
		ours := encoder.Append(nil, &sample.Sample{ViewID: e.id, ViewTime: e.ms, Positive: positive, Labels: make([]label.Totals, 1), View: e.value})
		label := byte(0)
		if positive {
			label = 1
		}
		control := append(append([]byte(nil), e.value...), label) // the columns of the view, then the label
		for name, c := range map[string]struct {
			decode decoder
			value  []byte
		}{"ours": {decodeOurs, ours}, "control": {decodeControl, control}} {
			got, err := c.decode(c.value)
			require.NoError(t, err, name)
			require.Equal(t, head{id: e.id, ms: e.ms, positive: positive}, got, name)
			_, err = c.decode(c.value[:10])
			require.ErrorIs(t, err, errSample, name)
		}
	}
	_, err := decodeOurs(binary.AppendVarint(nil, -1))
	require.ErrorIs(t, err, errSample)
}

// TestSpecIsValid: what our side is asked to do is a spec without problems.
func TestSpecIsValid(t *testing.T) {
	j := job{name: "samples", from: topicPair{"views", "engagements"}, window: liveWindow, bucket: liveBucket}
	s, err := spec.Parse("bench.yaml", []byte(specText(t.TempDir(), "127.0.0.1:9092", j)))
	require.NoError(t, err)
	require.Equal(t, liveWindow, s.LongestWindow())
	require.Equal(t, liveBucket, s.Bucket)
	require.True(t, s.Streams())
}

// TestStagesAreALine: a join in stages is asked for by one line more.
func TestStagesAreALine(t *testing.T) {
	j := job{name: "samples", from: topicPair{"views", "engagements"}, window: logWindow, bucket: logBucket}
	plain := specText("dir", "127.0.0.1:9092", j)
	j.stages = logStages
	staged := specText("dir", "127.0.0.1:9092", j)
	require.NotEqual(t, plain, staged)
	require.Equal(t, plain, strings.Replace(staged, "stages: [10s, 1m, 10m]\n", "", 1))
}

// TestCopyJob: a copy ends where the truth does, and takes nothing behind it.
func TestCopyJob(t *testing.T) {
	until := &truth{viewEnds: [partitions]int64{7, 8, 9, 10}, engagementEnds: [partitions]int64{1, 0, 0, 2}}
	c := newCopyJob("127.0.0.1:9092", job{name: "to", from: topicPair{"v", "e"}, until: until}, true)
	require.Equal(t, map[string]map[int32]int64{"v": {0: 7, 1: 8, 2: 9, 3: 10}, "e": {0: 1, 1: 0, 2: 0, 3: 2}}, c.Ends)
	require.EqualValues(t, 37, c.records())
}

// TestControlIsFilledIn: every name in join.sql has a value, and the source stops where the
// truth does.
func TestControlIsFilledIn(t *testing.T) {
	j := job{name: "samples", window: logWindow, checkpoints: logCheckpoints, parallelism: 2, until: &truth{viewEnds: [partitions]int64{7, 8, 9, 10}}}
	env := strings.Join(controlEnv("127.0.0.1:9092", j), "\n")
	require.Contains(t, env, "'scan.bounded.specific-offsets' = 'partition:0,offset:7;partition:1,offset:8;partition:2,offset:9;partition:3,offset:10',")
	require.Contains(t, env, "WINDOW=0 00:10:00\n")
}

func TestQuantiles(t *testing.T) {
	var delays []time.Duration
	for i := 100; i >= 0; i-- {
		delays = append(delays, time.Duration(i)*time.Second)
	}
	require.Equal(t, Quantiles{P50: 50, P99: 99, Max: 100}, quantiles(delays))
}

// TestStagesAreTheSpecs: delays count from when a stage can be decided, which takes what the spec fills in.
func TestStagesAreTheSpecs(t *testing.T) {
	for _, j := range []job{
		{window: logWindow, bucket: logBucket, stages: logStages},
		{window: logWindow, bucket: logBucket, stages: oneStage},
		{window: liveWindow, bucket: liveBucket, stages: liveStages},
	} {
		j.name, j.from = "samples", topicPair{"views", "engagements"}
		s, err := spec.Parse("bench.yaml", []byte(specText(t.TempDir(), "127.0.0.1:9092", j)))
		require.NoError(t, err)
		var got []stage
		for _, one := range s.Stages {
			got = append(got, stage{one.After, one.OutOfOrderness, one.Bucket})
		}
		require.Equal(t, j.stages, got)
	}
}
