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
			id, ms, got, err := c.decode(c.value)
			require.NoError(t, err, name)
			require.Equal(t, e.id, id, name)
			require.Equal(t, e.ms, ms, name)
			require.Equal(t, positive, got, name)
			_, _, _, err = c.decode(c.value[:10])
			require.ErrorIs(t, err, errSample, name)
		}
	}
	_, _, _, err := decodeOurs(binary.AppendVarint(nil, -1))
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
