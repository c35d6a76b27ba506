package spec

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestOldNamesMeanTheSame: a spec with the old names of keys is the spec with the new ones, with the
// same keys set and a warning for each.
func TestOldNamesMeanTheSame(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		names map[string]string
	}{
		"topics": {
			`clusters: {main: {brokers: "k:1"}}
views: {inputs: [{topic: views, format: json}], id: view_id, time: ts, dedup_window: 7s}
engagements: {like: {inputs: [{topic: likes, format: json}], view: view_id, time: ts, window: 30m}}
stream: {idle_timeout: never, max_future_skew: 7m, source_parallelism: 7, on_offset_out_of_range: skip}
outputs: {samples: {topic: s, format: json}, accounts: {topic: a}, commit_log: {topic: c}, time_index: {topic: t}}
`,
			map[string]string{
				"dedup_window": "duplicates_within", "idle_timeout": "idle_after", "max_future_skew": "max_ahead", "source_parallelism": "readers",
				"on_offset_out_of_range": "on_truncation", "commit_log": "ledger", "time_index": "marks",
			},
		},
		"files": {
			`views: {inputs: views/*.avro, id: view_id, time: ts}
engagements: {like: {inputs: likes/*.avro, view: view_id, time: ts, window: 30m}}
outputs: {samples: out/samples, accounts: out/counts}
`,
			map[string]string{"accounts": "ledger"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			want, err := Parse("spec.yaml", []byte(c.text))
			require.NoError(t, err)
			require.Empty(t, want.Warnings)
			old := c.text
			for name, was := range c.names {
				require.Contains(t, old, name+": ")
				old = strings.ReplaceAll(old, name+": ", was+": ")
			}
			got, err := Parse("spec.yaml", []byte(old))
			require.NoError(t, err)
			assert.Equal(t, bare(*want), bare(*got))
			assert.Equal(t, want.Settings(), got.Settings())
			assert.Equal(t, []string{"T1016"}, codesOf(got.Warnings))
			assert.Len(t, got.Warnings, len(c.names))
		})
	}
}
