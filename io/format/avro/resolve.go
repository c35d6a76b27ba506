package avro

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// Resolution rewrites records of a writer's schema as records of a reader's, by Avro's
// rules of schema resolution. It is safe for concurrent use.
type Resolution struct {
	root      *step
	identical bool
}

// Incompatibility is one place where two schemas do not resolve.
type Incompatibility struct {
	// Path of the field, as the reader names it; empty for the root.
	Path string
	// Problem in words.
	Problem string
}

// String gives path and problem.
func (i Incompatibility) String() string {
	if i.Path == "" {
		return i.Problem
	}
	return i.Path + ": " + i.Problem
}

// IncompatibleError lists all places where a writer's schema and a reader's do not resolve.
type IncompatibleError struct{ Problems []Incompatibility }

// Error lists the problems.
func (e *IncompatibleError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return "incompatible schemas: " + strings.Join(lines, "; ")
}

// Resolve prepares the rewriting of writer's records for reader. The error is an
// *IncompatibleError.
//
// What Avro leaves to the data is left to it: a type of the writer's union that the
// reader cannot take, or a symbol it does not know, fails the records that have it,
// not Resolve. So do bytes that are read as a string and are not UTF-8. Other than Avro,
// Resolve refuses to read times of one unit as another, and reads enums that Strict has
// made strings as such.
func Resolve(writer, reader *Schema) (*Resolution, error) {
	c := resolver{steps: map[[2]*Type]*step{}}
	root := c.resolve(writer.root, reader.root, "")
	if len(c.problems) > 0 {
		return nil, &IncompatibleError{Problems: c.problems}
	}
	return &Resolution{root: root, identical: root.op == stepPass}, nil
}

// Identical reports that records pass through unchanged.
func (r *Resolution) Identical() bool { return r.identical }

// stepOp is what a step does with the writer's value at hand.
type stepOp uint8

const (
	stepPass     stepOp = iota // take the bytes as they are
	stepDrop                   // leave them out
	stepEmit                   // put in bytes of the step's own; no value is read
	stepSequence               // do the children one after another
	stepReorder                // a record with its fields in another order
	stepNumber                 // write a number as another type
	stepEnum
	stepSymbol // write an enum's symbol as text
	stepText   // take bytes that must be UTF-8
	stepUnion  // read the branch, do the child for it
	stepArray  // do the child for each item
	stepMap
)

// step is a node of a Resolution; recursive types make cycles.
type step struct {
	op       stepOp
	name     string   // what to add to the paths of errors
	program  *program // pass, drop: how to step over
	bytes    []byte   // emit
	children []*step  // sequence; union by branch, nil for one that cannot be read; array and map: one
	from, to Kind     // number
	symbols  []int    // enum
	texts    [][]byte // symbol: each, encoded
	minSize  int64    // array: of the writer's items
	nested   bool     // sequence: is a record, so counts for the depth

	// reorder: how to step over each of the writer's fields, and which of them each
	// child is for, -1 for none.
	fields  []*program
	sources []int
}

// resolver makes steps.
type resolver struct {
	steps    map[[2]*Type]*step
	problems []Incompatibility
}

func (c *resolver) problem(path, text string) *step {
	p := Incompatibility{Path: path, Problem: text}
	if !slices.Contains(c.problems, p) {
		c.problems = append(c.problems, p)
	}
	return &step{}
}

func (c *resolver) resolve(w, r *Type, path string) *step {
	if passes(w, r, map[[2]*Type]bool{}) {
		return &step{op: stepPass, program: compile(w, nil, false)}
	}
	switch {
	case w.Kind == KindUnion:
		return c.union(w, r, path)
	case r.Kind == KindUnion:
		i := branchFor(w, r.Branches)
		if i < 0 {
			return c.problem(path, fmt.Sprintf("writer has %s, reader wants %s", typeName(w), typeName(r)))
		}
		return &step{op: stepSequence, children: []*step{
			{op: stepEmit, bytes: binary.AppendVarint(nil, int64(i))},
			c.resolve(w, r.Branches[i], path),
		}}
	}
	if text := mismatch(w, r); text != "" {
		return c.problem(path, text)
	}
	switch r.Kind {
	case KindRecord:
		return c.record(w, r, path)
	case KindEnum:
		symbols := symbolsFor(w, r)
		if !slices.ContainsFunc(symbols, func(i int) bool { return i >= 0 }) {
			return c.problem(path, fmt.Sprintf("the reader's %s has none of the writer's symbols", typeName(r)))
		}
		return &step{op: stepEnum, symbols: symbols}
	case KindArray:
		return &step{op: stepArray, minSize: w.Items.minSize, children: []*step{c.resolve(w.Items, r.Items, path+"[]")}}
	case KindMap:
		// A key takes a byte at least.
		return &step{op: stepMap, minSize: w.Items.minSize + 1, children: []*step{c.resolve(w.Items, r.Items, path+"[]")}}
	case KindString:
		if w.Kind == KindBytes {
			return &step{op: stepText}
		}
		s := &step{op: stepSymbol}
		for _, symbol := range w.Symbols {
			s.texts = append(s.texts, append(binary.AppendVarint(nil, int64(len(symbol))), symbol...))
		}
		return s
	default:
		return &step{op: stepNumber, from: w.Kind, to: r.Kind}
	}
}

// union resolves each type of the writer's union by itself.
func (c *resolver) union(w, r *Type, path string) *step {
	s := &step{op: stepUnion, children: make([]*step, len(w.Branches))}
	readable := false
	for i, b := range w.Branches {
		if r.Kind == KindUnion {
			if branchFor(b, r.Branches) < 0 {
				continue
			}
		} else if match(b, r) == matchNone {
			continue
		}
		readable = true
		s.children[i] = c.resolve(b, r, path)
	}
	if !readable {
		return c.problem(path, fmt.Sprintf("writer has %s, reader wants %s", typeName(w), typeName(r)))
	}
	return s
}

func (c *resolver) record(w, r *Type, path string) *step {
	pair := [2]*Type{w, r}
	if s, ok := c.steps[pair]; ok {
		return s
	}
	s := &step{op: stepSequence, nested: true}
	c.steps[pair] = s
	sources := fieldsFor(w, r)
	children := make([]*step, len(r.Fields))
	for i, f := range r.Fields {
		at := join(path, f.Name)
		if from := sources[i]; from >= 0 {
			value := c.resolve(w.Fields[from].Type, f.Type, at)
			children[i] = &step{op: stepSequence, name: f.Name, children: []*step{value}}
			continue
		}
		children[i] = &step{op: stepEmit}
		if !f.HasDefault {
			c.problem(at, fmt.Sprintf("writer has no such field, and the reader's, a %s, has no default", typeName(f.Type)))
			continue
		}
		bytes, err := appendDefault(nil, f.Type, f.Default, 0)
		if err != nil {
			c.problem(at, "writer has no such field, and in the reader's "+err.Error())
		}
		children[i].bytes = bytes
	}
	if inOrder(sources) {
		s.children = inSequence(w, sources, children)
		return s
	}
	s.op, s.children, s.sources = stepReorder, children, sources
	for _, f := range w.Fields {
		s.fields = append(s.fields, compileFields([]RecordField{f}))
	}
	return s
}

// inOrder reports whether the reader wants the writer's fields in the writer's order.
func inOrder(sources []int) bool {
	last := -1
	for _, from := range sources {
		if from >= 0 {
			if from < last {
				return false
			}
			last = from
		}
	}
	return true
}

// inSequence puts the steps for a record's fields in the writer's order, with those
// that drop fields in between. Neighbours that pass or drop become one.
func inSequence(w *Type, sources []int, children []*step) []*step {
	var out []*step
	next := 0              // the writer's field at hand
	op, run := stepPass, 0 // the fields before it that await one program
	flush := func() {
		if run > 0 {
			out = append(out, &step{op: op, program: compileFields(w.Fields[next-run : next])})
		}
		run = 0
	}
	add := func(o stepOp) {
		if o != op {
			flush()
		}
		op = o
		next++
		run++
	}
	for i, child := range children {
		from := sources[i]
		if from < 0 {
			flush()
			out = append(out, child)
			continue
		}
		for next < from {
			add(stepDrop)
		}
		if child.children[0].op == stepPass {
			add(stepPass)
			continue
		}
		flush()
		out = append(out, child)
		next++
	}
	for next < len(w.Fields) {
		add(stepDrop)
	}
	flush()
	return out
}
