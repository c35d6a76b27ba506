// Package label has the functions that make labels: what becomes of the engagements of one kind that
// count for a view. Each is a file that registers it; the schema of samples, their encoding, specs and
// their JSON Schema take the functions from here.
package label

import (
	"cmp"
	"fmt"
	"slices"

	"tributary/io/record"
)

// Func is a label function, by its name in specs.
type Func string

// Totals is what the engagements of one kind that count made of a view: a function makes the label of
// it.
type Totals struct {
	// Count is how many engagements count; when it is 0 the rest says nothing.
	Count int64
	// Sum, Min and Max are of the label's field, over engagements that have it.
	Sum, Min, Max float64
	// Numbers is how many engagements had a number in the field.
	Numbers int64
	// First and Last are the label's field of the first and the last engagement.
	First, Last record.Value
	// Parts is how much of engagements counts, where views share them in parts of 1/n.
	Parts float64
	// Delay is the time from the view to the first engagement in ms, at least 0.
	Delay int64
}

// parts is how much of engagements counts.
func (t *Totals) parts() float64 {
	if t.Count == 0 {
		return 0
	}
	return t.Parts
}

// Takes says what a function takes of each engagement.
type Takes uint8

// What a function takes.
const (
	Nothing Takes = iota
	Number        // of a field
	Value         // of a field: a finite number, a truth value or text
)

// Definition is all that there is to a function.
type Definition struct {
	Name Func
	// Doc says in a sentence what the label is, for the spec's schema.
	Doc string
	// Place orders lists of functions.
	Place int
	Takes Takes
	// Exact: numbers are summed, and decimals are therefore kept as decimals until they are.
	Exact bool
	// Type is the Avro type of the label in a sample, Append appends the label's encoding by it.
	Type   any
	Append func(dst []byte, t *Totals) []byte
	// Carried is the value that the label is, of a label that is a value of one engagement; nil for others.
	Carried func(t *Totals) record.Value
	// Holds says in words which values a label has, Fits whether a value in a spec is one.
	Holds string
	Fits  func(form Form, text string) bool
	// Parts is the function in its place where views share engagements in parts; empty if the label cannot be shared out. What such a
	// function makes is a part of what the other one would.
	Parts Func
	// Derived functions are not in specs: they stand for another one.
	Derived bool
}

// Form is the form of a value in a spec.
type Form uint8

// Forms of values.
const (
	Null Form = iota
	Bool
	Int
	Float
	Text
)

var definitions = map[Func]*Definition{}

// Register makes a function known and returns its name. It is for variables of packages, and panics if
// the name is taken.
func Register(d Definition) Func {
	if definitions[d.Name] != nil {
		panic(fmt.Sprintf("label.Register: %s is there twice", d.Name))
	}
	definitions[d.Name] = &d
	return d.Name
}

// Definition returns what there is to f; nil if it is not known.
func (f Func) Definition() *Definition { return definitions[f] }

// OfNumbers tells whether the label is made of numbers, rather than of any value or of none.
func (f Func) OfNumbers() bool { d := f.Definition(); return d != nil && d.Takes == Number }

// Exact tells whether the label is a sum.
func (f Func) Exact() bool { d := f.Definition(); return d != nil && d.Exact }

// Carries tells whether the label is a value of one engagement, of whatever type that has.
func (f Func) Carries() bool { d := f.Definition(); return d != nil && d.Carried != nil }

// All returns the functions that take something, in the order of their places.
func All(takes ...Takes) (funcs []Func) {
	for name, d := range definitions {
		if slices.Contains(takes, d.Takes) && !d.Derived {
			funcs = append(funcs, name)
		}
	}
	slices.SortFunc(funcs, func(a, b Func) int {
		return cmp.Or(cmp.Compare(definitions[a].Place, definitions[b].Place), cmp.Compare(a, b))
	})
	return funcs
}
