package avro

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestBounded(t *testing.T) {
	record := func(of string) string {
		return `{"type":"record","name":"R","fields":[{"name":"x","type":` + of + `}]}`
	}
	for _, tt := range []struct {
		of   string
		want bool
	}{
		{`"null"`, true},
		{`"boolean"`, true},
		{`{"type":"array","items":"string"}`, true},
		{`{"type":"array","items":["null","string"]}`, true},
		{`{"type":"array","items":"null"}`, false},
		{`{"type":"map","values":"null"}`, false},
		{`{"type":"array","items":{"type":"record","name":"E","fields":[]}}`, false},
		{`{"type":"array","items":{"type":"record","name":"E","fields":[{"name":"s","type":"string"},{"name":"n","type":"null"}]}}`, false},
		{`[{"type":"record","name":"E","fields":[{"name":"n","type":"null"}]},{"type":"array","items":"E"}]`, false},
		{`["null","R"]`, false},
		{`{"type":"array","items":"R"}`, false},
	} {
		require.Equal(t, tt.want, mustParse(t, record(tt.of)).Bounded(), "%.100s", tt.of)
	}
}

// TestBoundedRecordsAreReadByAll: what a Projection takes of a bounded schema, sound or spoiled,
// can be written as JSON, and both say that it takes the same bytes.
func TestBoundedRecordsAreReadByAll(t *testing.T) {
	types := []string{
		`"boolean"`, `"int"`, `"long"`, `"float"`, `"double"`, `"string"`, `"bytes"`, `["null","boolean"]`, `["int","string","boolean"]`,
		`{"type":"enum","name":"E%d","symbols":["A","B","C"]}`, `{"type":"fixed","name":"F%d","size":3}`, `{"type":"array","items":"boolean"}`, `{"type":"array","items":"long"}`,
		`{"type":"array","items":"double"}`, `{"type":"array","items":["null","int"]}`, `{"type":"map","values":"boolean"}`, `{"type":"map","values":{"type":"array","items":"string"}}`,
		`{"type":"record","name":"R%d","fields":[{"name":"a","type":"boolean"},{"name":"b","type":"double"}]}`,
	}
	rapid.Check(t, func(t *rapid.T) {
		var fields []string
		for i, of := range rapid.SliceOfN(rapid.SampledFrom(types), 1, 5).Draw(t, "types") {
			if strings.Contains(of, "%d") {
				of = fmt.Sprintf(of, i)
			}
			fields = append(fields, fmt.Sprintf(`{"name":"f%d","type":%s}`, i, of))
		}
		s, err := ParseSchema(`{"type":"record","name":"R","fields":[` + strings.Join(fields, ",") + `]}`)
		require.NoError(t, err)
		require.True(t, s.Bounded())
		p, err := Project(s, nil)
		require.NoError(t, err)
		w, err := NewJSON(s)
		require.NoError(t, err)
		// Mostly small numbers, which mean something everywhere.
		datum := rapid.SliceOfN(rapid.OneOf(rapid.ByteRange(0, 6), rapid.Byte()), 0, 40).Draw(t, "datum")
		n, err := p.Extract(datum, nil)
		_, m, jsonErr := w.Append(nil, datum)
		require.Equal(t, err == nil, jsonErr == nil, "%v and %v", err, jsonErr)
		if err == nil {
			require.Equal(t, n, m)
		}
	})
}
