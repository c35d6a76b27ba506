package batch

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestALoneRecordIsNoEnd: a record that is further ahead of its file than the longest window does not make what came before it mature,
// until another one is near it.
func TestALoneRecordIsNoEnd(t *testing.T) {
	const text = `version: 1
views: {inputs: v.jsonl, id: view_id, time: ts}
engagements:
  buy: {inputs: e.jsonl, view: view_id, time: ts, window: 30m, label: binary}
outputs: {samples: out}
`
	const views = `{"view_id":"v1","ts":"2026-01-01T10:00:00Z"}` + "\n" + `{"view_id":"v2","ts":"2026-01-01T10:01:00Z"}` + "\n"
	for _, tt := range []struct {
		name, more string
		want       []int64 // minutes
	}{
		{"none", "", []int64{1, 0}},
		{"a clock that is wrong", `{"view_id":"v3","ts":"2026-01-01T12:00:00Z"}` + "\n", []int64{1, 0, 0}},
		{"one in each of two files", `{"view_id":"v3","ts":"2026-01-01T12:00:00Z"}` + "\n", []int64{30, 30, 1}},
		{"two of them", `{"view_id":"v3","ts":"2026-01-01T12:00:00Z"}` + "\n" + `{"view_id":"v4","ts":"2026-01-01T12:00:00Z"}` + "\n", []int64{30, 30, 0, 0}},
		{"near enough", `{"view_id":"v3","ts":"2026-01-01T10:31:00Z"}` + "\n", []int64{30, 30, 0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir+"/v.jsonl", views+tt.more)
			engagements := ""
			if tt.name == "one in each of two files" {
				engagements = `{"view_id":"v2","ts":"2026-01-01T10:01:30Z"}` + "\n" + `{"view_id":"v3","ts":"2026-01-01T12:01:00Z"}` + "\n"
			}
			write(t, dir+"/e.jsonl", engagements)
			join(t, parse(t, dir, text), Options{})
			var got []int64
			for _, s := range samplesBelow(t, dir+"/out") {
				got = append(got, s.Maturity/60_000)
			}
			require.Equal(t, tt.want, got)
		})
	}
}
