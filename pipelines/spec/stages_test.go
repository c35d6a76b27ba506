package spec

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func stagesOf(t *testing.T, text string) []Stage {
	t.Helper()
	s, err := Parse("spec.yaml", []byte(completed(text)))
	require.NoError(t, err)
	return s.Stages
}

func TestStages(t *testing.T) {
	const second, ms = time.Second, time.Millisecond
	last := Stage{30 * time.Minute, time.Minute, 5 * time.Minute, EmitChanged}
	for name, test := range map[string]struct {
		text string
		want []Stage
	}{
		"none": {"version: 1", nil},
		"the last is appended": {"stages: [10s, 1m]", []Stage{
			{10 * second, second, second, EmitAll}, {time.Minute, 6 * second, 6 * second, EmitChanged}, last,
		}},
		"the last is named": {"stages: [10s, 30m]", []Stage{{10 * second, second, second, EmitAll}, last}},
		"only the last":     {"stages: [30m]", []Stage{{30 * time.Minute, time.Minute, 5 * time.Minute, EmitAll}}},
		"the last emits all": {"stages: [10s, {after: 30m, emit: all}]", []Stage{
			{10 * second, second, second, EmitAll}, {30 * time.Minute, time.Minute, 5 * time.Minute, EmitAll},
		}},
		"a mapping": {"stages: [{after: 10s, out_of_orderness: 2s, emit: positives}]", []Stage{
			{10 * second, 2 * second, second, EmitPositives}, last,
		}},
		"no disorder in a stage": {"stages: [{after: 10s, out_of_orderness: 0s}]", []Stage{{10 * second, 0, second, EmitAll}, last}},
		"no disorder at all": {"stages: [10s]\nout_of_orderness: 500ms", []Stage{
			{10 * second, 500 * ms, second, EmitAll}, {30 * time.Minute, 500 * ms, 5 * time.Minute, EmitChanged},
		}},
		"whole milliseconds": {"stages: [10012ms]", []Stage{{10012 * ms, 1001 * ms, second, EmitAll}, last}},
		"short ones":         {"stages: [50ms]", []Stage{{50 * ms, second, 100 * ms, EmitAll}, last}},
		"the join's bucket is shorter": {"stages: [1m, 10m]\nbucket: 10s\nviews: {inputs: views/*.avro, id: view_id, time: ts, dedup_window: 1s}", []Stage{
			{time.Minute, 6 * second, 5 * second, EmitAll},
			{10 * time.Minute, time.Minute, 10 * second, EmitChanged},
			{30 * time.Minute, time.Minute, 10 * second, EmitChanged},
		}},
		// A sixth of the window is 10007 s: 1 s divides it, 9 s and their half do not.
		"the usual bucket nests": {"stages: [90s]\nengagements:\n  like: {inputs: likes/*.avro, view: view_id, time: ts, window: 60042s}", []Stage{
			{90 * second, 9 * second, 9 * second, EmitAll}, {60042 * second, time.Minute, 3 * time.Hour, EmitChanged},
		}},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, test.want, stagesOf(t, test.text)) })
	}
	assert.Equal(t, "30m", last.Name())
}

func TestStagesOfOutputs(t *testing.T) {
	s, err := Parse("spec.yaml", []byte(completed("stages: [10s, {after: 30m, emit: all}]\noutputs: {samples: {path: out/samples, stages: final}}")))
	require.NoError(t, err)
	assert.Equal(t, FinalStage, s.Outputs.Samples.Stages)
	assert.Contains(t, s.Settings(), Setting{Key: "outputs.samples", Value: "out/samples (avro, snappy, final samples)", Set: true})
	s, err = Parse("spec.yaml", []byte(completed("stages: [10s]")))
	require.NoError(t, err)
	assert.Empty(t, s.Outputs.Samples.Stages)
	assert.Contains(t, s.Settings(), Setting{Key: "stages.0", Value: "10s (all, out of orderness 1s, buckets of 1s)", Set: true})
	assert.Contains(t, s.Settings(), Setting{Key: "stages.1", Value: "30m (changed, out of orderness 1m, buckets of 5m)"})
	s, err = Parse("spec.yaml", []byte(completed("version: 1")))
	require.NoError(t, err)
	assert.NotContains(t, strings.ToLower(string(s.YAML())), "stages", "a spec without stages is as it was")
	for _, v := range []any{s, s.Outputs} {
		inJSON, err := json.Marshal(v)
		require.NoError(t, err)
		assert.NotContains(t, string(inJSON), "Stages", "fingerprints of finished work are as they were")
	}
}

func TestStageCosts(t *testing.T) {
	s, err := Parse("spec.yaml", []byte(completed("stages: [10s, {after: 1m, emit: positives}]")))
	require.NoError(t, err)
	assert.Equal(t, []StageCost{
		{"10s", EmitAll, 1000, 1000, 12_000, 21, 10, 10, 12. / 2160},
		{"1m", EmitPositives, 6000, 6000, 72_000, 13, 2, 10. / 6, 72. / 2160},
		{"30m", EmitChanged, 60_000, 300_000, 2_160_000, 8, 1, 10. / 300, 1},
	}, s.StageCosts())

	s, err = Parse("spec.yaml", []byte(completed("stages: [10s]\nclock_skew: 2s\nviews: {inputs: views/*.avro, id: view_id, time: ts, dedup_window: 0s}\n"+
		"engagements:\n  like: {inputs: likes/*.avro, view: view_id, view_time: vt, time: ts, window: 30m}")))
	require.NoError(t, err)
	assert.EqualValues(t, 5, s.StageCosts()[0].EngagementCopies, "2 s to either side of the view's time")
	assert.Zero(t, s.StageCosts()[0].ViewMarkers)

	// Views that share engagements are told to the buckets on both sides, and buckets are longer.
	keyed := "stages: [10s]\nviews: {inputs: views/*.avro, id: view_id, key: user_id, time: ts}\nengagements:\n  like: {inputs: likes/*.avro, key: user_id, time: ts, window: 30m, credit: %s}"
	for credit, markers := range map[Credit]int64{CreditLast: 6, CreditEven: 6, CreditFirst: 4, CreditAll: 10} {
		s, err = Parse("spec.yaml", []byte(completed(fmt.Sprintf(keyed, credit))))
		require.NoError(t, err)
		assert.EqualValues(t, markers, s.StageCosts()[0].ViewMarkers, credit)
	}

	s, err = Parse("spec.yaml", []byte(completed("version: 1")))
	require.NoError(t, err)
	assert.Nil(t, s.StageCosts())
}

// TestBucketsOf compares with every place that a length may have.
func TestBucketsOf(t *testing.T) {
	for bucket := int64(1); bucket <= 12; bucket++ {
		for length := int64(1); length <= 40; length++ {
			most := int64(0)
			for from := range bucket {
				most = max(most, (from+length-1)/bucket+1)
			}
			got := Stage{Bucket: time.Duration(bucket) * time.Millisecond}.bucketsOf(time.Duration(length) * time.Millisecond)
			assert.Equal(t, most, got, "length %d, bucket %d", length, bucket)
		}
	}
}

// TestDivisors compares with all divisors there are.
func TestDivisors(t *testing.T) {
	for of := int64(1); of <= 400; of++ {
		for want := int64(1); want <= 450; want++ {
			most, expected := min(of, want), []int64(nil)
			for d := most; d >= 1; d-- {
				if of%d == 0 && d*mostParts >= most {
					expected = append(expected, d)
				}
			}
			var got []int64
			for d := range divisors(time.Duration(of)*time.Millisecond, time.Duration(want)*time.Millisecond) {
				got = append(got, d.Milliseconds())
			}
			require.Equal(t, expected, got, "of %d, want %d", of, want)
		}
	}
}

// TestAnyStages: whatever a spec says of stages, it is refused, or its stages are as what is built on them needs.
func TestAnyStages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		length := func(name string, most int64) time.Duration {
			steps := rapid.SampledFrom([]int64{1, 100, 1000, 60_000}).Draw(t, name+" in")
			return time.Duration(rapid.Int64Range(1, max(1, most/steps)).Draw(t, name)*steps) * time.Millisecond
		}
		window := length("window", 30*day.Milliseconds())
		text := "engagements:\n  like: {inputs: likes/*.avro, view: view_id, time: ts, window: " + FormatDuration(window) + "}\n" +
			"views: {inputs: [{path: views/*.avro, order: file}], id: view_id, time: ts, dedup_window: 0s}\n"
		whole, free := DefaultOutOfOrderness, true
		if rapid.Bool().Draw(t, "a disorder") {
			whole = length("out of orderness", 120_000)
			text += "out_of_orderness: " + FormatDuration(whole) + "\n"
		}
		if rapid.Bool().Draw(t, "a bucket") {
			text += "bucket: " + FormatDuration(length("bucket", day.Milliseconds())) + "\n"
			free = false
		}
		var stages []string
		after := time.Duration(0)
		for range rapid.IntRange(1, mostStages-1).Draw(t, "stages") {
			if after += length("after", max(1, window.Milliseconds()/4)); after >= window {
				break
			}
			stage := "after: " + FormatDuration(after)
			if rapid.IntRange(0, 3).Draw(t, "own disorder") == 0 {
				stage += ", out_of_orderness: " + FormatDuration(min(whole, length("disorder", 60_000)))
				free = false
			}
			if rapid.Bool().Draw(t, "emits") {
				stage += ", emit: " + string(rapid.SampledFrom(Emits).Draw(t, "emit"))
			}
			stages = append(stages, "{"+stage+"}")
		}
		if len(stages) == 0 {
			stages = []string{FormatDuration(window)}
		}
		text += "stages: [" + strings.Join(stages, ", ") + "]\noutputs: {samples: out/samples}\n"
		s, err := Parse("spec.yaml", []byte(text))
		if err != nil {
			if free {
				t.Fatalf("only defaults, and refused:\n%s%v", text, err)
			}
			return
		}
		last := s.Stages[len(s.Stages)-1]
		if last.After != window || last.OutOfOrderness != s.OutOfOrderness || last.Bucket != s.Bucket || last.Emit == EmitPositives {
			t.Fatalf("the last stage is %+v, of %+v", last, s)
		}
		for i, stage := range s.Stages[:len(s.Stages)-1] {
			next := s.Stages[i+1]
			switch {
			case stage.After >= next.After || stage.After+stage.OutOfOrderness > next.After+next.OutOfOrderness,
				stage.OutOfOrderness > s.OutOfOrderness,
				stage.Bucket <= 0 || next.Bucket%stage.Bucket != 0 || stage.Bucket%time.Millisecond != 0,
				stage.Bucket > max(100*time.Millisecond, stage.After/10),
				4*stage.Bucket < min(next.Bucket, max(100*time.Millisecond, stage.After/10)).Truncate(time.Millisecond),
				stage.Emit == "":
				t.Fatalf("stage %+v before %+v:\n%s", stage, next, text)
			}
		}
		again, err := Parse("spec.yaml", s.YAML())
		if err != nil {
			t.Fatalf("%v\n%s", err, s.YAML())
		}
		assert.Equal(t, bare(*s), bare(*again))
	})
}

// TestBucketCosts: of views that share a key, and as files of samples may be.
func TestBucketCosts(t *testing.T) {
	buckets := func(more string) (all []string) {
		s, err := Parse("spec.yaml", []byte(completed("views: {inputs: views/*.avro, id: view_id, key: user_id, time: ts}\n"+more)))
		require.NoError(t, err)
		for _, c := range s.BucketCosts() {
			text := FormatDuration(time.Duration(c.Cost.BucketMs)*time.Millisecond) + ": " + strconv.FormatInt(c.Cost.ViewMarkers, 10)
			if require.Equal(t, c.Cost.BucketMs == s.Bucket.Milliseconds(), c.Now); c.Now {
				text += " now"
			}
			all = append(all, text)
		}
		return all
	}
	const week = "engagements:\n  like: {inputs: likes/*.avro, key: user_id, time: ts, window: 7d, credit: %s}\n"
	last := fmt.Sprintf(week, CreditLast)
	assert.Equal(t, []string{"1d: 15 now", "1d18h: 9", "3d12h: 5", "7d: 3"}, buckets(last))
	assert.Equal(t, []string{"1d18h: 9", "3d12h: 5", "7d: 3 now"}, buckets(last+"bucket: 7d"))
	assert.Equal(t, []string{"1d18h: 5", "3d12h: 3", "7d: 2 now"}, buckets(fmt.Sprintf(week, CreditFirst)+"bucket: 7d"))
	assert.Equal(t, []string{"1h: 337 now"}, buckets(last+"bucket: 1h\noutputs: {samples: {path: out/samples, folders: hour}}"), "nothing longer fits in the folder of an hour")
	assert.Nil(t, buckets(fmt.Sprintf(week, CreditAll)), "each view is in its own bucket alone")
	assert.Nil(t, buckets(last+"bucket: 1d\nstages: [1h]"))
}
