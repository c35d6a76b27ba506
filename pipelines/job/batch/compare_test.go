package batch

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
)

// TestCompareByType: what a test says equals what a sample has only if the types are the same,
// and a difference shows both.
func TestCompareByType(t *testing.T) {
	for _, c := range []struct {
		name string
		got  string
		want any
		diff string // "got / want", empty for equal
	}{
		{"whole numbers", `1`, int64(1), ""},
		{"whole and not", `1.0`, int64(1), ""},
		{"number and whole", `1`, 1.0, ""},
		{"almost", `0.30000000000000004`, 0.3, ""},
		{"beyond a float", `9007199254740993`, int64(9007199254740992), "9007199254740993 / 9007199254740992"},
		{"other numbers", `2`, int64(1), "2 / 1"},
		{"text for a number", `"1"`, int64(1), `"1" (text) / 1 (a number)`},
		{"number for text", `1`, "1", `1 (a number) / "1" (text)`},
		{"boolean for a number", `true`, int64(1), `true (true or false) / 1 (a number)`},
		{"number for a boolean", `1`, true, `1 (a number) / true (true or false)`},
		{"text for a boolean", `"true"`, true, `"true" (text) / true (true or false)`},
		{"null", `null`, nil, ""},
		{"null for text", `null`, "null", `null (nothing) / "null" (text)`},
		{"empty text for null", `""`, nil, `"" (text) / null (nothing)`},
		{"number for null", `0`, nil, `0 (a number) / null (nothing)`},
		{"other text", `"a"`, "b", `"a" / "b"`},
		{"lists", `[1,"2",null]`, []any{int64(1), "2", nil}, ""},
		{"types in lists", `[1,2]`, []any{int64(1), "2"}, `[1,2] / [1,"2"]`},
		{"records in lists", `[{"a":1}]`, []any{map[string]any{"a": "1"}}, `[{"a":1}] / [{"a":"1"}]`},
		{"record for text", `{"a":1}`, "x", `{"a":1} (a record) / "x" (text)`},
		{"text for a record", `"x"`, map[string]any{"a": int64(1)}, `"x" (text) / {"a":1} (a record)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			sample := sampleOf(t, `{"view_id":"v1","view":{"x":`+c.got+`}}`)
			want := map[string]any{"view_id": "v1", "view": map[string]any{"x": c.want}}
			diffs := compare(&spec.Test{Samples: []map[string]any{want}, SamplesAt: make([]problem.Position, 1)}, "", []map[string]any{sample})
			if c.diff == "" {
				assert.Empty(t, diffs)
				return
			}
			require.Len(t, diffs, 1)
			assert.Equal(t, "view.x", diffs[0].Field)
			assert.Equal(t, c.diff, diffs[0].Got+" / "+diffs[0].Want)
		})
	}
}

func TestCompareNamesFields(t *testing.T) {
	sample := sampleOf(t, `{"view_id":"7","view":{"a.b":1,"c":null}}`)
	want := map[string]any{"view_id": int64(7), "view": map[string]any{"a.b": int64(2), "c": nil, "d": nil}}
	diffs := compare(&spec.Test{Samples: []map[string]any{want}, SamplesAt: make([]problem.Position, 1)}, "", []map[string]any{sample})
	require.Len(t, diffs, 2, "ids are text, however they are written; null is not absent")
	assert.Equal(t, `view."a.b"`, diffs[0].Field)
	assert.Equal(t, "view.d", diffs[1].Field)
	assert.Equal(t, `no such field; there is "a.b", c`, diffs[1].Got)
}

// TestCompareByStage: a sample is held against the one of its stage, the last one if none is named.
func TestCompareByStage(t *testing.T) {
	got := []map[string]any{
		sampleOf(t, `{"view_id":"v1","stage":"10s","version":0,"final":false}`), sampleOf(t, `{"view_id":"v2","stage":"10s","version":0}`),
		sampleOf(t, `{"view_id":"v1","stage":"30m","version":1,"final":true}`), sampleOf(t, `{"view_id":"v2","stage":"30m","version":1}`),
	}
	diffs := func(samples ...map[string]any) []Difference {
		return compare(&spec.Test{Samples: samples, SamplesAt: make([]problem.Position, len(samples))}, "30m", got)
	}
	v1, v2 := map[string]any{"view_id": "v1", "final": true}, map[string]any{"view_id": "v2", "stage": "30m", "version": int64(1)}
	early1 := map[string]any{"view_id": "v1", "stage": "10s", "version": int64(0)}
	early2 := map[string]any{"view_id": "v2", "stage": "10s"}
	assert.Empty(t, diffs(v1, v2, early1, early2))
	assert.Equal(t, []Difference{{Sample: "v2", Stage: "10s", Got: "a sample that the test does not name", Want: "none"}}, diffs(v1, v2, early1))
	assert.Equal(t, []Difference{{Sample: "v2", Got: "a sample that the test does not name", Want: "none"}}, diffs(v1, early1, early2))
	wrong := map[string]any{"view_id": "v1", "stage": "10s", "version": int64(1)}
	assert.Equal(t, []Difference{{Sample: "v1", Stage: "10s", Field: "version", Got: "0", Want: "1"}}, diffs(v1, v2, wrong, early2))
	gone := map[string]any{"view_id": "v1", "stage": "1m"}
	assert.Equal(t, []Difference{{Sample: "v1", Stage: "1m", Got: "no such sample", Want: "a sample"}}, diffs(v1, v2, early1, early2, gone))
}

func sampleOf(t *testing.T, text string) map[string]any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.UseNumber()
	var out map[string]any
	require.NoError(t, decoder.Decode(&out))
	return out
}
