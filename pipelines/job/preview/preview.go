// Package preview opens the files of a spec and tells what is in them, before anything is
// joined: how many they are, their fields, a record, which times they span, and how many records a
// join would refuse, and why. It writes nothing.
package preview

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"

	"tributary/io/expression"
	"tributary/pipelines/job/batch"
	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
)

// Options are the choices of a look at files.
type Options struct {
	// Records is how many records of each file are read; 0 stands for all.
	Records int64
	// Stdin is that of a spec that reads it; nil for none. It is read to its end.
	Stdin io.Reader
}

// Input is what was found about one input of a spec.
type Input struct {
	// Input names it by its place in the spec: views.inputs.0, engagements.like.inputs.1.
	Input  string      `json:"input"`
	Path   string      `json:"path"`
	Format spec.Format `json:"format"`
	Files  int         `json:"files"`
	Bytes  int64       `json:"bytes"`
	// Records were read of each file; 0 stands for all there are.
	Records int64 `json:"records_of_each_file"`
	// Read is how many records were looked at, Whole whether that is all of them.
	Read  int64 `json:"read"`
	Whole bool  `json:"all_read"`
	// Schemas are those of Avro files; one for text, made of what was seen.
	Schemas []Schema `json:"schemas,omitempty"`
	// Record is the first record; an Avro one as `tributary show` has it.
	Record json.RawMessage `json:"record,omitempty"`
	// From and To are the first and the last event time; nil if no record has one.
	From *time.Time `json:"from,omitempty"`
	To   *time.Time `json:"to,omitempty"`
	// Unreadable of them could not even be told apart, or converted by the schema.
	Unreadable int64 `json:"unreadable"`
	// Damages are places where more records may be lost than are counted; how many is not known.
	Damages []string `json:"damages,omitempty"`
	// Matching of the others meet the conditions of where; all of them if there are none.
	Matching int64       `json:"matching"`
	Where    []Condition `json:"where,omitempty"`
	// Late and Dead of the Matching and the Unreadable would not be joined.
	Late int64 `json:"late"`
	Dead int64 `json:"dead"`
	// Reasons why records are late or dead, the most frequent first.
	Reasons []Reason `json:"reasons,omitempty"`
	// Errors are files that could not be read to where they were to be read.
	Errors []string `json:"errors,omitempty"`

	where []expression.Condition
	time  string // its field
}

// Condition is a condition of where.
type Condition struct {
	Field string `json:"field"`
	Value string `json:"value"`
	// Values are those that the field has, the most frequent first; none if they are many.
	Values []string `json:"values_seen,omitempty"`
}

// Schema is the fields of some files of an input.
type Schema struct {
	// Files is how many files have it, File the first of them.
	Files int    `json:"files"`
	File  string `json:"file"`
	// Records of them were decoded.
	Records int64   `json:"records"`
	Fields  []Field `json:"fields"`
}

// Field is one field of a schema, or one that was seen in text.
type Field struct {
	Path string `json:"path"`
	Type string `json:"type"`
	// In is in how many of the records that were decoded it has a value.
	In int64 `json:"in"`
}

// Reason is why records would be refused.
type Reason struct {
	Count int64 `json:"count"`
	// Example is what is wrong with one of them, and where it is.
	Example string `json:"example"`
}

// Check opens the files of every input. The problems are those that would keep a join from
// running, all of them; inputs are told as far as they can be read. The error is that of a
// world that does not answer.
func Check(ctx context.Context, s *spec.Spec, opt Options) (inputs []Input, problems problem.List, err error) {
	found, problems, err := batch.Inspect(ctx, s, opt.Stdin)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	inputs = make([]Input, len(found.Sources))
	for i := range found.Sources {
		l := newLook(found, i, opt)
		for _, f := range found.Files(i) {
			if err := l.file(ctx, f); err != nil {
				return nil, nil, err
			}
		}
		inputs[i] = l.result()
	}
	return inputs, problems, nil
}
