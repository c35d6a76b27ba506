// Package profile tells what the fields of records hold, as far as records were looked at:
// which there are, of which types, and with which values.
package profile

import (
	"math"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"tributary/io/record"
)

// maxFields bounds the fields of a profile, maxDepth how deep they lie: keys may be data.
const (
	maxFields = 1000
	maxDepth  = 8
)

// Profile is what was found in the records added to it.
type Profile struct {
	// Records is how many were added.
	Records int64
	// Fields are in the order in which they were met first.
	Fields []*Field

	keep   int
	byPath map[string]*Field
}

// Field is one field of the records. Records inside records are no fields, but what is in them.
type Field struct {
	// Path leads to the field, as specs write it.
	Path string
	// Filled is how many records have it with a value: not null, and not empty text.
	Filled int64
	// Texts, Ints, Floats, Bools and Lists count the values by their JSON type; Ints are the whole
	// numbers.
	Texts, Ints, Floats, Bools, Lists int64
	// TextInts, TextFloats and TextTimes of the Texts are numbers, or times by RFC 3339.
	TextInts, TextFloats, TextTimes int64
	// Min and Max bound the numbers, those in text too.
	Min, Max float64
	// Values counts values by their text, as ids are compared. It is nil once there are more than the
	// profile keeps.
	Values map[string]int64
	// First is the first value, as text.
	First string
}

// New returns an empty profile that keeps up to so many different values of each field.
func New(keep int) *Profile {
	return &Profile{keep: keep, byPath: map[string]*Field{}}
}

// Field returns the field with that path, nil if no record has it.
func (p *Profile) Field(path string) *Field { return p.byPath[path] }

// Add adds a record: a JSON object. Anything else has no fields.
func (p *Profile) Add(record []byte) {
	p.Records++
	if object := gjson.ParseBytes(record); object.IsObject() {
		p.object(object, nil)
	}
}

func (p *Profile) object(object gjson.Result, names []string) {
	object.ForEach(func(key, value gjson.Result) bool {
		at := append(names[:len(names):len(names)], key.String())
		if value.IsObject() {
			if len(at) < maxDepth {
				p.object(value, at)
			}
			return true
		}
		path := record.JoinPath(at...)
		f := p.byPath[path]
		if f == nil {
			if len(p.Fields) == maxFields {
				return true
			}
			f = &Field{Path: path, Min: math.Inf(1), Max: math.Inf(-1), Values: map[string]int64{}}
			p.byPath[path] = f
			p.Fields = append(p.Fields, f)
		}
		f.add(value, p.keep)
		return true
	})
}

func (f *Field) add(value gjson.Result, keep int) {
	text := value.Raw
	switch value.Type {
	case gjson.Null:
		return
	case gjson.True, gjson.False:
		f.Bools++
	case gjson.Number:
		if _, err := strconv.ParseInt(text, 10, 64); err == nil {
			f.Ints++
		} else {
			f.Floats++
		}
		f.bound(value.Num)
	case gjson.String:
		if text = value.String(); text == "" {
			return
		}
		f.addText(text)
	default: // an array
		f.Lists++
		f.Filled++
		return
	}
	if f.Filled == 0 {
		f.First = text
	}
	f.Filled++
	if f.Values == nil {
		return
	}
	f.Values[text]++
	if len(f.Values) > keep {
		f.Values = nil
	}
}

func (f *Field) addText(text string) {
	f.Texts++
	if number, err := strconv.ParseFloat(text, 64); err == nil {
		if _, err := strconv.ParseInt(text, 10, 64); err == nil {
			f.TextInts++
		} else {
			f.TextFloats++
		}
		f.bound(number)
		return
	}
	if _, err := (record.Value{Kind: record.String, Text: []byte(text)}).Millis(record.UnitRFC3339); err == nil {
		f.TextTimes++
	}
}

func (f *Field) bound(number float64) {
	f.Min, f.Max = min(f.Min, number), max(f.Max, number)
}

// Type names the types that were seen, like `string`, or `integer or string`; of text that is all
// numbers or all times it says so.
func (f *Field) Type() string {
	var types []string
	add := func(n int64, name string) {
		if n > 0 {
			types = append(types, name)
		}
	}
	add(f.Bools, "boolean")
	switch {
	case f.Floats > 0:
		types = append(types, "number")
	default:
		add(f.Ints, "integer")
	}
	switch {
	case f.Texts == 0:
	case f.TextTimes == f.Texts:
		types = append(types, "text, a time")
	case f.TextInts == f.Texts:
		types = append(types, "text, an integer")
	case f.TextInts+f.TextFloats == f.Texts:
		types = append(types, "text, a number")
	default:
		types = append(types, "text")
	}
	add(f.Lists, "array")
	if len(types) == 0 {
		return "null"
	}
	return strings.Join(types, " or ")
}
