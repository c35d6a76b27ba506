// Package sample is what a join gives: labelled samples, one for each view, as Avro
// records whose last field is the view itself, byte for byte as it was read.
package sample

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"

	"tributary/io/format/avro"
	"tributary/io/record"
	"tributary/io/wire"
)

// Func says what becomes of a view's engagements of one kind.
type Func string

// The functions of engagements that a label can be.
const (
	Binary      Func = "binary"        // int: 1 if any counts, else 0
	Count       Func = "count"         // long: how many count
	TimeToFirst Func = "time_to_first" // null or long: ms from the view to the first
	Sum         Func = "sum"           // double: of a field; 0 when nothing counts
	Min         Func = "min"           // null or double
	Max         Func = "max"           // null or double
	First       Func = "first"         // the field of the first, of its own type, or null
	Last        Func = "last"          // the field of the last, of its own type, or null
)

// OfNumbers tells whether the label is made of numbers, rather than of any value or of none.
func (f Func) OfNumbers() bool { return f == Sum || f == Min || f == Max }

// Column is one kind of engagement in a sample.
type Column struct {
	Kind string
	Func Func
}

// Label is what the engagements of one kind made of a view.
type Label struct {
	// Count is how many engagements count; when it is 0 the rest says nothing.
	Count int64
	// Sum, Min and Max are of the label's field, over engagements that have it.
	Sum, Min, Max float64
	// Numbers is how many engagements had a number in the field.
	Numbers int64
	// First and Last are the label's field of the first and the last engagement.
	First, Last record.Value
	// Delay is the time from the view to the first engagement in ms, at least 0.
	Delay int64
}

// Sample is one view with its labels.
type Sample struct {
	ViewID   []byte
	ViewTime int64 // ms
	Positive bool
	Labels   []Label // one for each Column
	// Maturity is for how long after the view engagements could be seen, in ms: the
	// longest window, less where the log ends before.
	Maturity int64
	// Rate is the rate at which samples like this one were kept, Weight its inverse.
	Rate, Weight float64
	// View is the encoded view.
	View []byte
}

// Schema returns the Avro schema of samples with these columns. view is the schema of
// the view records; empty for views that are JSON text, which become a string.
func Schema(columns []Column, view string) (string, error) {
	type field struct {
		Name string `json:"name"`
		Type any    `json:"type"`
	}
	type record struct {
		Type   string  `json:"type"`
		Name   string  `json:"name"`
		Fields []field `json:"fields"`
	}
	level, err := levelAbove(view)
	if err != nil {
		return "", err
	}
	labels := record{Type: "record", Name: "TributaryLabels" + level, Fields: []field{}}
	delays := record{Type: "record", Name: "TributaryDelays" + level, Fields: []field{}}
	for _, c := range columns {
		t, ok := labelTypes[c.Func]
		if !ok {
			return "", fmt.Errorf("sample schema: label of %s: unknown function %q", c.Kind, c.Func)
		}
		labels.Fields = append(labels.Fields, field{c.Kind, t})
		delays.Fields = append(delays.Fields, field{c.Kind, nullable("long")})
	}
	viewType := json.RawMessage(`"string"`)
	if view != "" {
		viewType = json.RawMessage(view)
	}
	// Without a namespace: an enclosing one would change the full names in the view's schema.
	schema, err := json.Marshal(record{Type: "record", Name: "TributarySample" + level, Fields: []field{
		{"view_id", "string"},
		{"view_time", map[string]string{"type": "long", "logicalType": "timestamp-millis"}},
		{"positive", "boolean"},
		{"labels", labels},
		{"delay_ms", delays},
		{"maturity_ms", "long"},
		{"sampling_rate", "double"},
		{"weight", "double"},
		{"spec_version", "int"},
		{"view", viewType},
	}})
	if err != nil {
		return "", fmt.Errorf("sample schema: the view's schema: %w", err)
	}
	return string(schema), nil
}

// levelAbove is what the names of a sample's own types end in, so that no type of the view
// has one of them: nothing, or 2 for the samples of a join whose views are samples, and so on.
func levelAbove(view string) (string, error) {
	if view == "" {
		return "", nil
	}
	schema, err := avro.ParseSchema(view)
	if err != nil {
		return "", fmt.Errorf("sample schema: the view's schema: %w", err)
	}
	names := schema.Names()
	taken := func(level string) bool {
		return slices.ContainsFunc([]string{"TributarySample", "TributaryLabels", "TributaryDelays"}, func(name string) bool {
			return slices.Contains(names, name+level)
		})
	}
	level := ""
	for n := 2; taken(level); n++ {
		level = strconv.Itoa(n)
	}
	return level, nil
}

func nullable(types ...string) []string { return append([]string{"null"}, types...) }

// The union of first and last holds any scalar, so that it needs no knowledge of the
// engagement's schema, which may change.
var labelTypes = map[Func]any{
	Binary: "int", Count: "long", TimeToFirst: nullable("long"),
	Sum: "double", Min: nullable("double"), Max: nullable("double"),
	First: nullable("boolean", "long", "double", "string"),
	Last:  nullable("boolean", "long", "double", "string"),
}

// Encoder encodes samples of one schema.
type Encoder struct {
	Columns []Column
	// JSONViews says that views are JSON text, to be written as a string.
	JSONViews   bool
	SpecVersion int32
}

// Append appends the Avro encoding of s.
func (e *Encoder) Append(dst []byte, s *Sample) []byte {
	dst = appendText(dst, s.ViewID)
	dst = binary.AppendVarint(dst, s.ViewTime)
	dst = wire.AppendBool(dst, s.Positive)
	for i, c := range e.Columns {
		dst = appendLabel(dst, c.Func, &s.Labels[i])
	}
	for i := range s.Labels {
		dst = appendDelay(dst, &s.Labels[i])
	}
	dst = binary.AppendVarint(dst, s.Maturity)
	dst = appendDouble(dst, s.Rate)
	dst = appendDouble(dst, s.Weight)
	dst = binary.AppendVarint(dst, int64(e.SpecVersion))
	if e.JSONViews {
		return appendText(dst, s.View)
	}
	return append(dst, s.View...)
}

func appendLabel(dst []byte, f Func, l *Label) []byte {
	switch f {
	case Binary:
		return binary.AppendVarint(dst, min(l.Count, 1))
	case Count:
		return binary.AppendVarint(dst, l.Count)
	case TimeToFirst:
		return appendDelay(dst, l)
	case Sum:
		return appendDouble(dst, l.Sum)
	case Min:
		return appendNullableDouble(dst, l.Min, l.Numbers > 0)
	case Max:
		return appendNullableDouble(dst, l.Max, l.Numbers > 0)
	case First:
		return appendScalar(dst, l.First)
	default: // Last; Schema has refused anything else
		return appendScalar(dst, l.Last)
	}
}

// Branches of the union of labelTypes[First].
const (
	branchNull = iota
	branchBool
	branchLong
	branchDouble
	branchString
)

func appendScalar(dst []byte, v record.Value) []byte {
	switch v.Kind {
	case record.Bool:
		return wire.AppendBool(binary.AppendVarint(dst, branchBool), v.Int != 0)
	case record.Int:
		return binary.AppendVarint(binary.AppendVarint(dst, branchLong), v.Int)
	case record.Float:
		return appendDouble(binary.AppendVarint(dst, branchDouble), v.Float)
	case record.String:
		return appendText(binary.AppendVarint(dst, branchString), v.Text)
	default:
		return binary.AppendVarint(dst, branchNull)
	}
}

func appendDelay(dst []byte, l *Label) []byte {
	if l.Count == 0 {
		return binary.AppendVarint(dst, 0)
	}
	return binary.AppendVarint(binary.AppendVarint(dst, 1), l.Delay)
}

func appendNullableDouble(dst []byte, f float64, ok bool) []byte {
	if !ok {
		return binary.AppendVarint(dst, 0)
	}
	return appendDouble(binary.AppendVarint(dst, 1), f)
}

func appendDouble(dst []byte, f float64) []byte {
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(f))
}

func appendText(dst, text []byte) []byte {
	return append(binary.AppendVarint(dst, int64(len(text))), text...)
}
