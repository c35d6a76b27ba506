package batch

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"tributary/io/record"
	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
)

// compare holds the samples of a test against those it names: all of them, and of each the
// fields that the test names. Those that name no stage are of the last.
func compare(t *spec.Test, last string, got []map[string]any) (out []Difference) {
	taken := make([]bool, len(got))
	early := func(s map[string]any) string {
		if stage := stageOf(s, last); stage != last {
			return stage
		}
		return ""
	}
	for i, want := range t.Samples {
		at, id, stage := t.SamplesAt[i], idText(want["view_id"]), early(want)
		match := -1
		for k, s := range got {
			if !taken[k] && early(s) == stage && idText(s["view_id"]) == id && (want["view_time"] == nil || equal("view_time", s["view_time"], want["view_time"])) {
				match = k
				break
			}
		}
		if match < 0 {
			out = append(out, Difference{At: at, Sample: id, Stage: stage, Got: "no such sample", Want: "a sample"})
			continue
		}
		taken[match] = true
		for _, d := range differences(at, id, nil, got[match], want) {
			d.Stage = stage
			out = append(out, d)
		}
	}
	for k, s := range got {
		if !taken[k] {
			out = append(out, Difference{At: t.At, Sample: idText(s["view_id"]), Stage: early(s), Got: "a sample that the test does not name", Want: "none"})
		}
	}
	return out
}

// differences compares the fields of a sample, or of a record in it, that a test names. What
// a test names as null must be there and null.
func differences(at problem.Position, id string, path []string, got, want map[string]any) (out []Difference) {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		names := append(slices.Clone(path), name)
		field := record.JoinPath(names...)
		g, exists := got[name]
		inner, isMap := want[name].(map[string]any)
		gotInner, gotMap := g.(map[string]any)
		switch {
		case isMap && gotMap:
			out = append(out, differences(at, id, names, gotInner, inner)...)
		case !exists:
			there := make([]string, 0, len(got))
			for _, other := range slices.Sorted(maps.Keys(got)) {
				there = append(there, record.JoinPath(other))
			}
			gone := "no such field"
			if len(there) > 0 {
				gone += "; there is " + strings.Join(there, ", ")
			}
			out = append(out, Difference{At: at, Sample: id, Field: field, Got: gone, Want: plain(want[name])})
		case !equal(field, g, want[name]):
			d := Difference{At: at, Sample: id, Field: field, Got: shown(field, g), Want: plain(want[name])}
			if a, b := typeOf(g), typeOf(want[name]); a != b && field != "view_time" {
				d.Got, d.Want = d.Got+" ("+a+")", d.Want+" ("+b+")"
			}
			out = append(out, d)
		}
	}
	return out
}

// equal compares what JSON gave with what YAML said, by value and type: numbers as numbers,
// the view's time as a time, its id as text, all else as it is.
func equal(field string, got, want any) bool {
	switch field {
	case "view_time":
		ms, err := spec.TimeField{Unit: record.UnitEpochMs}.Millis(want)
		text, ok := got.(json.Number)
		return err == nil && ok && string(text) == strconv.FormatInt(ms, 10)
	case "view_id":
		return idText(got) == idText(want)
	}
	switch want := want.(type) {
	case int64, float64:
		return equalNumbers(got, want)
	case []any:
		others, ok := got.([]any)
		return ok && slices.EqualFunc(others, want, func(a, b any) bool { return equal("", a, b) })
	case map[string]any: // in a list: every field counts
		others, ok := got.(map[string]any)
		return ok && maps.EqualFunc(others, want, func(a, b any) bool { return equal("", a, b) })
	}
	switch got.(type) {
	case json.Number, []any, map[string]any:
		return false
	}
	return got == want
}

// equalNumbers compares whole numbers exactly, and others as far as their last digits go.
func equalNumbers(got, want any) bool {
	text, ok := got.(json.Number)
	if !ok {
		return false
	}
	if whole, isWhole := want.(int64); isWhole {
		if n, ok := new(big.Int).SetString(string(text), 10); ok {
			return n.IsInt64() && n.Int64() == whole
		}
		want = float64(whole)
	}
	g, err := text.Float64()
	w, _ := want.(float64)
	return err == nil && (g == w || math.Abs(g-w) <= 1e-9*math.Max(math.Abs(g), math.Abs(w)))
}

// typeOf names the type of a value in words.
func typeOf(v any) string {
	switch v.(type) {
	case nil:
		return "nothing"
	case bool:
		return "true or false"
	case string:
		return "text"
	case int64, float64, json.Number:
		return "a number"
	case []any:
		return "a list"
	default:
		return "a record"
	}
}

// idText is an id as text, which it is in every sample.
func idText(v any) string {
	if text, ok := v.(string); ok {
		return text
	}
	return plain(v)
}

// plain writes a value so that its type can be seen: text in quotes.
func plain(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case json.Number:
		if f, err := v.Float64(); err == nil && strings.ContainsAny(v.String(), "eE") {
			return plain(f)
		}
		return v.String()
	}
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func shown(field string, v any) string {
	if text, ok := v.(json.Number); ok && field == "view_time" {
		if ms, err := text.Int64(); err == nil {
			return timeOf(ms).Format("2006-01-02T15:04:05.999Z07:00")
		}
	}
	return plain(v)
}
