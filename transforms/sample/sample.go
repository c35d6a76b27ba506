// Package sample is what a join gives: labelled samples, one for each view, as Avro
// records whose last field is the view itself, byte for byte as it was read, or what
// a Shape makes of it.
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

// Sample is one view with its labels.
type Sample struct {
	ViewID   []byte
	ViewTime int64 // ms
	Positive bool
	Labels   []label.Totals // one for each Column
	// Maturity is for how long after the view engagements could be seen, in ms: the
	// longest window, less where the log ends before.
	Maturity int64
	// Rate is the rate at which samples like this one were kept, Weight its inverse; or 0, for one that takes back what
	// an earlier stage gave.
	Rate, Weight float64
	// View is the encoded view, or what a Shaper has made of it.
	View []byte
}

// Schema returns the Avro schema of samples with these columns, with the whole view; staged says that they are of stages.
// view is the schema of the view records; empty for views that are JSON text, which become a string.
func Schema(columns []Column, staged bool, view string) (string, error) {
	return (*Shape)(nil).Schema(columns, staged, view)
}

// field is one of a schema.
type field struct {
	Name string `json:"name"`
	Type any    `json:"type"`
	// Default is JSON; nil for none.
	Default json.RawMessage `json:"default,omitempty"`
}

// Schema returns the Avro schema of samples of that shape; see the function Schema.
func (shape *Shape) Schema(columns []Column, staged bool, view string) (string, error) {
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
		d := c.definition()
		if d == nil {
			return "", fmt.Errorf("sample schema: label of %s: unknown function %q", c.Kind, c.Func)
		}
		labels.Fields = append(labels.Fields, c.field(d))
	}
	for _, i := range firstColumns(columns) {
		delays.Fields = append(delays.Fields, field{Name: columns[i].Kind, Type: []string{"null", "long"}})
	}
	ofView, err := shape.ofView(view)
	if err != nil {
		return "", err
	}
	fields := []field{
		{Name: "view_id", Type: "string"},
		{Name: "view_time", Type: map[string]string{"type": "long", "logicalType": "timestamp-millis"}},
		{Name: "positive", Type: "boolean"},
		{Name: "labels", Type: labels},
		{Name: "delay_ms", Type: delays},
		{Name: "maturity_ms", Type: "long"},
		{Name: "sampling_rate", Type: "double"},
		{Name: "weight", Type: "double"},
		{Name: "spec_version", Type: "int"},
	}
	if staged {
		fields = append(fields, field{Name: "stage", Type: "string"}, field{Name: "version", Type: "int"}, field{Name: "final", Type: "boolean"})
	}
	fields = append(fields, ofView...)
	// Without a namespace: an enclosing one would change the full names in the view's schema.
	schema, err := json.Marshal(record{Type: "record", Name: "TributarySample" + level, Fields: fields})
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
	// JSONViews says that views are JSON text, to be written as a string. What a Shaper has made of them is encoded already.
	JSONViews   bool
	SpecVersion int32
	// Stage is that of the samples; nil if they are of none.
	Stage *Stage

	functions []*label.Definition // of the columns
	delays    []int               // the columns that are the first of their kind
}

// Stage is what samples say of the stage that they are of.
type Stage struct {
	Name string
	// Version is the number of the stage, from 0.
	Version int32
	// Final: there is none after it.
	Final bool
}

// Append appends the Avro encoding of s.
func (e *Encoder) Append(dst []byte, s *Sample) []byte {
	dst = appendText(dst, s.ViewID)
	dst = binary.AppendVarint(dst, s.ViewTime)
	dst = wire.AppendBool(dst, s.Positive)
	if e.functions == nil {
		for _, c := range e.Columns {
			e.functions = append(e.functions, c.definition()) // Schema has refused what is unknown
		}
		e.delays = firstColumns(e.Columns)
	}
	for i, f := range e.functions {
		dst = f.Append(dst, &s.Labels[i])
	}
	for _, i := range e.delays {
		dst = label.AppendDelay(dst, &s.Labels[i])
	}
	dst = binary.AppendVarint(dst, s.Maturity)
	dst = appendDouble(dst, s.Rate)
	dst = appendDouble(dst, s.Weight)
	dst = binary.AppendVarint(dst, int64(e.SpecVersion))
	if s := e.Stage; s != nil {
		dst = binary.AppendVarint(append(binary.AppendVarint(dst, int64(len(s.Name))), s.Name...), int64(s.Version))
		dst = wire.AppendBool(dst, s.Final)
	}
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
