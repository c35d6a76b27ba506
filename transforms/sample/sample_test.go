package sample

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/io/record"
	"tributary/transforms/label"
)

// decode reads an encoded sample with goavro, by the schema that Schema gives.
func decode(t require.TestingT, columns []Column, view string, encoded []byte) map[string]any {
	schema, err := Schema(columns, false, view)
	require.NoError(t, err)
	codec, err := goavro.NewCodec(schema)
	require.NoError(t, err, schema)
	datum, rest, err := codec.NativeFromBinary(encoded)
	require.NoError(t, err)
	require.Empty(t, rest, "bytes after the sample")
	return datum.(map[string]any)
}

func text(s string) record.Value { return record.Value{Kind: record.String, Text: []byte(s)} }

func TestLabelsDecode(t *testing.T) {
	none := label.Totals{}
	some := label.Totals{
		Count: 3, Sum: 6.5, Min: -1, Max: 5, Numbers: 2, Delay: 1500,
		First: record.Value{Kind: record.Int, Int: -7}, Last: record.Value{Kind: record.Float, Float: 2.5},
	}
	valued := func(v record.Value) label.Totals { return label.Totals{Count: 1, First: v, Last: v} }
	in := func(branch string, v any) any { return map[string]any{branch: v} }
	for _, c := range []struct {
		name  string
		f     label.Func
		label label.Totals
		want  any
	}{
		{"binary, nothing counts", label.Binary, none, int32(0)},
		{"binary, several count", label.Binary, some, int32(1)},
		{"count, nothing counts", label.Count, none, int64(0)},
		{"count", label.Count, some, int64(3)},
		{"time to first, nothing counts", label.TimeToFirst, none, nil},
		{"time to first", label.TimeToFirst, some, in("long", int64(1500))},
		{"time to first, at once", label.TimeToFirst, label.Totals{Count: 1}, in("long", int64(0))},
		{"sum, nothing counts", label.Sum, none, 0.0},
		{"sum", label.Sum, some, 6.5},
		{"min, nothing counts", label.Min, none, nil},
		{"min", label.Min, some, in("double", -1.0)},
		{"min of engagements without a number", label.Min, label.Totals{Count: 2}, nil},
		{"max, nothing counts", label.Max, none, nil},
		{"max", label.Max, some, in("double", 5.0)},
		{"max of engagements without a number", label.Max, label.Totals{Count: 2}, nil},
		{"first, nothing counts", label.First, none, nil},
		{"first", label.First, some, in("long", int64(-7))},
		{"last, nothing counts", label.Last, none, nil},
		{"last", label.Last, some, in("double", 2.5)},
		{"first, a bool", label.First, valued(record.Value{Kind: record.Bool, Int: 1}), in("boolean", true)},
		{"last, a bool", label.Last, valued(record.Value{Kind: record.Bool}), in("boolean", false)},
		{"first, a text", label.First, valued(text("grün")), in("string", "grün")},
		{"last, an empty text", label.Last, valued(text("")), in("string", "")},
		{"first, absent in the engagement that counts", label.First, valued(record.Value{}), nil},
		{"first, the largest long", label.First, valued(record.Value{Kind: record.Int, Int: math.MaxInt64}), in("long", int64(math.MaxInt64))},
	} {
		t.Run(c.name, func(t *testing.T) {
			columns := []Column{{Kind: "like", Func: c.f}}
			e := Encoder{Columns: columns, JSONViews: true}
			got := decode(t, columns, "", e.Append(nil, &Sample{Labels: []label.Totals{c.label}}))
			require.Equal(t, map[string]any{"like": c.want}, got["labels"])
		})
	}
}

func TestSampleDecodes(t *testing.T) {
	const viewSchema = `{"type":"record","name":"View","namespace":"app.feed","fields":[
		{"name":"id","type":"string"},{"name":"score","type":"double"},
		{"name":"kind","type":{"type":"enum","name":"Kind","symbols":["A","B"]}},{"name":"again","type":"Kind"}]}`
	codec, err := goavro.NewCodec(viewSchema)
	require.NoError(t, err)
	view := map[string]any{"id": "v1", "score": 0.25, "kind": "B", "again": "A"}
	encoded, err := codec.BinaryFromNative(nil, view)
	require.NoError(t, err)

	columns := []Column{{Kind: "like", Func: label.Binary}, {Kind: "share", Func: label.Count}, {Kind: "watch", Func: label.Sum}}
	e := Encoder{Columns: columns, SpecVersion: 7}
	got := decode(t, columns, viewSchema, e.Append([]byte{}, &Sample{
		ViewID: []byte("v1"), ViewTime: 1_767_268_800_007, Positive: true,
		Labels:   []label.Totals{{Count: 1, Delay: 30}, {}, {Count: 2, Sum: 1.5, Delay: 0}},
		Maturity: 1_800_000, Rate: 0.25, Weight: 4, View: encoded,
	}))
	require.Equal(t, map[string]any{
		"view_id": "v1", "view_time": time.UnixMilli(1_767_268_800_007).UTC(), "positive": true,
		"labels":      map[string]any{"like": int32(1), "share": int64(0), "watch": 1.5},
		"delay_ms":    map[string]any{"like": map[string]any{"long": int64(30)}, "share": nil, "watch": map[string]any{"long": int64(0)}},
		"maturity_ms": int64(1_800_000), "sampling_rate": 0.25, "weight": 4.0, "spec_version": int32(7),
		"view": view,
	}, got)
}

// TestSampleRoundTrip: whatever a sample holds, goavro reads the same back.
func TestSampleRoundTrip(t *testing.T) {
	funcs := label.All(label.Nothing, label.Number, label.Value)
	finite := rapid.Float64Range(-1e12, 1e12)
	rapid.Check(t, func(t *rapid.T) {
		var columns []Column
		s := Sample{
			ViewID: []byte(rapid.String().Draw(t, "view id")), ViewTime: rapid.Int64Range(record.MinTime, record.MaxTime).Draw(t, "view time"),
			Positive: rapid.Bool().Draw(t, "positive"), Maturity: rapid.Int64Min(0).Draw(t, "maturity"),
			Rate: finite.Draw(t, "rate"), Weight: finite.Draw(t, "weight"), View: []byte(rapid.String().Draw(t, "view")),
		}
		for i := range rapid.IntRange(0, 5).Draw(t, "kinds") {
			columns = append(columns, Column{Kind: "k" + string(rune('0'+i)), Func: rapid.SampledFrom(funcs).Draw(t, "func")})
			s.Labels = append(s.Labels, label.Totals{
				Count: rapid.Int64Range(0, 3).Draw(t, "count"), Sum: finite.Draw(t, "sum"), Min: finite.Draw(t, "min"), Max: finite.Draw(t, "max"),
				Numbers: rapid.Int64Range(0, 3).Draw(t, "numbers"), Delay: rapid.Int64Min(0).Draw(t, "delay"),
				First: text(rapid.String().Draw(t, "first")), Last: record.Value{Kind: record.Int, Int: rapid.Int64().Draw(t, "last")},
			})
		}
		e := Encoder{Columns: columns, JSONViews: true, SpecVersion: rapid.Int32().Draw(t, "version")}
		before := []byte("before")
		encoded := e.Append(before, &s)
		require.Equal(t, "before", string(encoded[:len(before)]))
		got := decode(t, columns, "", encoded[len(before):])
		require.Equal(t, string(s.ViewID), got["view_id"])
		require.Equal(t, s.ViewTime, got["view_time"].(time.Time).UnixMilli())
		require.Equal(t, string(s.View), got["view"])
		require.Equal(t, s.Maturity, got["maturity_ms"])
		require.Equal(t, []any{s.Positive, s.Rate, s.Weight, e.SpecVersion}, []any{got["positive"], got["sampling_rate"], got["weight"], got["spec_version"]})
		for i, c := range columns {
			l := &s.Labels[i]
			nullable := func(branch string, v any, ok bool) any {
				if !ok {
					return nil
				}
				return map[string]any{branch: v}
			}
			want := map[label.Func]any{
				label.Binary: int32(min(l.Count, 1)), label.Count: l.Count, label.TimeToFirst: nullable("long", l.Delay, l.Count > 0), label.Sum: l.Sum,
				label.Min: nullable("double", l.Min, l.Numbers > 0), label.Max: nullable("double", l.Max, l.Numbers > 0),
				label.First: nullable("string", string(l.First.Text), true), label.Last: nullable("long", l.Last.Int, true),
			}[c.Func]
			require.Equal(t, want, got["labels"].(map[string]any)[c.Kind], "%s of %+v", c.Func, l)
			require.Equal(t, nullable("long", l.Delay, l.Count > 0), got["delay_ms"].(map[string]any)[c.Kind])
		}

		id, at, err := Key(encoded[len(before):])
		require.NoError(t, err)
		require.Equal(t, string(s.ViewID), string(id))
		require.Equal(t, s.ViewTime, at)
	})
}

func TestSchemaRefuses(t *testing.T) {
	_, err := Schema([]Column{{Kind: "like", Func: "median"}}, false, "")
	require.EqualError(t, err, `sample schema: label of like: unknown function "median"`)
	_, err = Schema([]Column{{Kind: "like", Func: label.Binary}}, false, `{"type":`)
	require.ErrorContains(t, err, "sample schema: the view's schema: ")
}

// TestSchemaKeepsTheViewsNames: a namespace of the view's own must not leak into the sample's
// types, nor a lack of one be filled in.
func TestSchemaKeepsTheViewsNames(t *testing.T) {
	for _, view := range []string{
		`{"type":"record","name":"V","fields":[{"name":"x","type":{"type":"fixed","name":"F","size":2}}]}`,
		`{"type":"record","name":"V","namespace":"a.b","fields":[{"name":"x","type":{"type":"fixed","name":"F","size":2}}]}`,
	} {
		schema, err := Schema([]Column{{Kind: "like", Func: label.Binary}}, false, view)
		require.NoError(t, err)
		var parsed struct {
			Fields []struct {
				Name string
				Type json.RawMessage
			}
		}
		require.NoError(t, json.Unmarshal([]byte(schema), &parsed))
		last := parsed.Fields[len(parsed.Fields)-1]
		require.Equal(t, "view", last.Name)
		require.JSONEq(t, view, string(last.Type))
		require.NotContains(t, schema[:len(schema)-len(last.Type)-2], "namespace")
	}
}

// TestSamplesOfSamples: the samples of a join are the views of another, and of one after that,
// and all can read what comes out.
func TestSamplesOfSamples(t *testing.T) {
	columns := []Column{{Kind: "like", Func: label.Binary}}
	view, encoded := `{"type":"record","name":"V","fields":[{"name":"x","type":"int"}]}`, []byte{14}
	var first string
	for level := range 4 {
		e := Encoder{Columns: columns}
		encoded = e.Append(nil, &Sample{ViewID: []byte{'v', byte('0' + level)}, Labels: []label.Totals{{}}, View: encoded})
		got := decode(t, columns, view, encoded)
		for below := level; below >= 0; below-- {
			require.Equal(t, "v"+string(rune('0'+below)), got["view_id"])
			got = got["view"].(map[string]any)
		}
		require.Equal(t, map[string]any{"x": int32(7)}, got)
		var err error
		view, err = Schema(columns, false, view)
		require.NoError(t, err)
		if level == 0 {
			first = view
		}
	}
	require.Contains(t, first, `{"type":"record","name":"TributarySample","fields":`)
	require.Contains(t, first, `"name":"TributaryLabels"`)
	// Another's type of that name, at any depth, and one of another namespace.
	schema, err := Schema(columns, false, `{"type":"record","name":"V","fields":[{"name":"x","type":["null",{"type":"fixed","name":"TributaryDelays","size":2}]}]}`)
	require.NoError(t, err)
	require.Contains(t, schema, `"name":"TributaryDelays2"`)
	require.Contains(t, schema, `"name":"TributarySample2"`)
	schema, err = Schema(columns, false, `{"type":"record","name":"a.TributarySample","fields":[]}`)
	require.NoError(t, err)
	require.Contains(t, schema, `"name":"TributarySample"`)
}
