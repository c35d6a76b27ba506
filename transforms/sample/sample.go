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
	"tributary/io/wire"
	"tributary/transforms/label"
)

// Column is one kind of engagement in a sample.
type Column struct {
	Kind string
	Func label.Func
}

// Sample is one view with its labels.
type Sample struct {
	ViewID   []byte
	ViewTime int64 // ms
	Positive bool
	Labels   []label.Totals // one for each Column
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
		d := c.Func.Definition()
		if d == nil {
			return "", fmt.Errorf("sample schema: label of %s: unknown function %q", c.Kind, c.Func)
		}
		labels.Fields = append(labels.Fields, field{c.Kind, d.Type})
		delays.Fields = append(delays.Fields, field{c.Kind, []string{"null", "long"}})
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

// Encoder encodes samples of one schema.
type Encoder struct {
	Columns []Column
	// JSONViews says that views are JSON text, to be written as a string.
	JSONViews   bool
	SpecVersion int32

	functions []*label.Definition // of the columns
}

// Append appends the Avro encoding of s.
func (e *Encoder) Append(dst []byte, s *Sample) []byte {
	dst = appendText(dst, s.ViewID)
	dst = binary.AppendVarint(dst, s.ViewTime)
	dst = wire.AppendBool(dst, s.Positive)
	if e.functions == nil {
		for _, c := range e.Columns {
			e.functions = append(e.functions, c.Func.Definition()) // Schema has refused what is unknown
		}
	}
	for i, f := range e.functions {
		dst = f.Append(dst, &s.Labels[i])
	}
	for i := range s.Labels {
		dst = label.AppendDelay(dst, &s.Labels[i])
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

func appendDouble(dst []byte, f float64) []byte {
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(f))
}

func appendText(dst, text []byte) []byte {
	return append(binary.AppendVarint(dst, int64(len(text))), text...)
}
