package stream

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/pipelines/report"
	"tributary/transforms/account"
)

// TestTombstones: records without a value are counted apart, for each input of their topic, in the stream as in the batch, and are
// in no output; those with an empty value are dead letters as ever.
func TestTombstones(t *testing.T) {
	dir := t.TempDir()
	text := `
clusters: {main: {brokers: [%q]}}
views: {inputs: [{topic: events, format: json}], where: {kind: view}, id: id, time: {field: ts, unit: epoch-millis}}
engagements:
  like: {inputs: [{topic: events, format: json}, {topic: likes, format: json}], where: {kind: like}, view: id, time: {field: ts, unit: epoch-millis}, window: 1m}
out_of_orderness: 5s
bucket: 1m
shards: 2
stream: {name: small, idle_timeout: never, source_parallelism: 1}
outputs: {samples: {topic: samples, format: json}}
`
	s := newSmallOf(t, 1, text)
	event := func(kind, id string, after time.Duration) []byte {
		return fmt.Appendf(nil, `{"kind":%q,"id":%q,"ts":%d}`, kind, id, start.Add(after).UnixMilli())
	}
	s.publish("events", nil, event("view", "a", 0), nil, event("like", "a", time.Second), event("view", "b", 2*time.Second), nil, []byte{})
	s.publish("likes", event("like", "b", 3*time.Second), nil, nil, event("like", "c", 3*time.Second), nil)
	s.run()
	require.Equal(t, []string{"a+", "b+"}, s.samples())
	dead := s.rejected("samples.dead")
	require.Len(t, dead, 2, "the record without a byte, in two roles")
	ofStream, err := Report(t.Context(), s.spec)
	require.NoError(t, err)
	_, ofBatch := joinFiles(t, dir, strings.Replace(fmt.Sprintf(text, s.brokers[0]), "samples: {topic: samples,", "samples: {path: out/samples,", 1))
	for _, a := range []*account.Sheet{ofStream.Accounts, ofBatch.Accounts} {
		require.NoError(t, a.Check())
		views, likes := a.Views.N, a.Engagements["like"].N
		require.Equal(t, []int64{3, 1, 3}, []int64{views[account.Read], views[account.Dead], views[account.Tombstones]})
		require.Equal(t, []int64{4, 1, 6}, []int64{likes[account.Read], likes[account.Dead], likes[account.Tombstones]})
		for input, want := range map[string]int64{"views.inputs.0": 3, "engagements.like.inputs.0": 3, "engagements.like.inputs.1": 3} {
			require.Equal(t, want, a.Inputs[input].N[account.Tombstones], input)
		}
	}
	for _, r := range []*report.Report{ofStream, ofBatch} {
		var out strings.Builder
		require.NoError(t, r.Text(&out, 200))
		require.Contains(t, out.String(), "views: their topics have 3 further records without a value (tombstones).")
		require.Contains(t, out.String(), "like: its topics have 6 further records without a value (tombstones).")
	}
	letters, err := filepath.Glob(dir + "/out/dead/*/*.jsonl")
	require.NoError(t, err)
	require.Len(t, letters, 1)
	content, err := os.ReadFile(letters[0])
	require.NoError(t, err)
	require.Equal(t, 2, strings.Count(string(content), "\n"))
}
