package sample

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"tributary/io/format/avro"
	"tributary/io/record"
	"tributary/transforms/label"
)

// Shape is what samples hold of their view, where that is not just the view as their last field. A nil Shape is that.
type Shape struct {
	// Fields are columns that stand before what View says, in order.
	Fields []FieldColumn `json:",omitempty"`
	View   ViewForm      `json:",omitempty"`
	// ID is the path of the field that is the id of the views; empty where the id is of several fields. A flat view has no
	// column of it if it is called view_id: samples have its text there.
	ID string `json:",omitempty"`
	// Computed are, where views have a schema, the paths of Fields that are not in it but computed of each view, with the types that
	// they have as columns, unless they are cast; empty for those that are.
	Computed map[string]Cast `json:",omitempty"`
}

// FieldColumn is a field of the view as a column.
type FieldColumn struct {
	Name, Path string
	Type       Cast `json:",omitempty"`
}

// ViewForm is in which form the view itself is in samples.
type ViewForm string

// Forms of views. The empty one is ViewRecord.
const (
	ViewRecord ViewForm = "record" // as the last field, view
	ViewNone   ViewForm = "none"   // not at all
	ViewFlat   ViewForm = "flat"   // its fields are the last columns
)

// ownColumns are those that samples have whatever the view; those of stages are taken in samples without stages as well, so
// that a spec may get stages.
var ownColumns = []string{
	"view_id", "view_time", "positive", "labels", "delay_ms", "maturity_ms", "sampling_rate", "weight", "spec_version", "stage", "version", "final", "view",
}

// OwnColumns lists the columns that no field of the view may be called.
func OwnColumns() []string { return slices.Clone(ownColumns) }

// ColumnPattern matches the names that ColumnName takes.
const ColumnPattern = "^[A-Za-z_][A-Za-z0-9_]*$"

// ColumnName tells whether a column may have that name: letters, digits and _, and no digit first.
func ColumnName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(c rune) bool {
		return c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
	}) && (name[0] < '0' || name[0] > '9')
}

// ClashError says that two columns of samples would have one name.
type ClashError struct{ Name string }

// Error names the column.
func (e *ClashError) Error() string {
	return fmt.Sprintf("sample schema: two columns would be called %s", e.Name)
}

// NoSchemaError says that views are JSON text, whose fields cannot be columns all together.
type NoSchemaError struct{}

// Error says what is missing.
func (*NoSchemaError) Error() string {
	return "sample schema: views without a schema cannot be flat: which fields they have is not known"
}

// Whole tells whether samples hold the view as one field.
func (shape *Shape) Whole() bool {
	return shape == nil || shape.View == "" || shape.View == ViewRecord
}

// Paths are the fields of the view that are columns of their own.
func (shape *Shape) Paths() (paths []string) {
	if shape != nil {
		for _, f := range shape.Fields {
			paths = append(paths, f.Path)
		}
	}
	return paths
}

// ComputedPaths are those that Append is given the values of, of views with a schema.
func (shape *Shape) ComputedPaths() (paths []string) {
	return slices.DeleteFunc(shape.Paths(), func(path string) bool { return !shape.computed(path) })
}

func (shape *Shape) computed(path string) bool {
	_, ok := shape.Computed[path]
	return ok
}

// columns are those of the view's fields, view being its schema.
func (shape *Shape) columns(view *avro.Schema) []FieldColumn {
	columns := slices.Clone(shape.Fields)
	if shape.View == ViewFlat {
		for _, f := range view.Type().Fields {
			if path := record.JoinPath(f.Name); f.Name != "view_id" || path != shape.ID {
				columns = append(columns, FieldColumn{Name: f.Name, Path: path})
			}
		}
	}
	return columns
}

// ofView are the last fields of the schema of samples: those that are made of the view.
func (shape *Shape) ofView(view string) (fields []field, err error) {
	if view == "" {
		return shape.ofText()
	}
	whole := field{Name: "view", Type: json.RawMessage(view)}
	if shape == nil {
		return []field{whole}, nil
	}
	schema, err := avro.ParseSchema(view)
	if err != nil {
		return nil, fmt.Errorf("sample schema: the view's schema: %w", err)
	}
	columns := shape.columns(schema)
	steps, _, err := shape.stepsOf(schema)
	if err != nil {
		return nil, fmt.Errorf("sample schema: %w", err)
	}
	var texts avro.TypeTexts
	taken := OwnColumns()
	for _, step := range steps {
		types, nullFirst := []json.RawMessage{step.Type.typ()}, []bool{true}
		if step.cut != nil {
			types, nullFirst = texts.Types(step.cut)
		}
		for i, typ := range types {
			name := columns[len(fields)].Name
			if slices.Contains(taken, name) {
				return nil, &ClashError{name}
			}
			taken = append(taken, name)
			f := field{Name: name, Type: typ}
			if nullFirst[i] {
				f.Default = json.RawMessage("null")
			}
			fields = append(fields, f)
		}
	}
	if !shape.Whole() {
		return fields, nil
	}
	if texts.Defined() { // a type has one definition in a schema
		whole.Type = texts.Type(schema)
	}
	return append(fields, whole), nil
}

// ofText is ofView for views that are JSON text.
func (shape *Shape) ofText() (fields []field, err error) {
	if shape != nil {
		if shape.View == ViewFlat {
			return nil, &NoSchemaError{}
		}
		for _, f := range shape.Fields {
			column := field{Name: f.Name, Type: label.Scalar(), Default: json.RawMessage("null")}
			if f.Type != "" {
				column.Type = f.Type.typ()
			}
			fields = append(fields, column)
		}
	}
	if shape.Whole() {
		fields = append(fields, field{Name: "view", Type: "string"})
	}
	return fields, nil
}

// step makes columns of a view: a run of them that are as they are there, or one that is not.
type step struct {
	cut *avro.Cut // nil for one column of its own
	FieldColumn
	computed bool
}

// stepsOf are the steps to the columns of views with a schema, and what reads those that are cast, in order; nil for none. The error is that of
// avro.NewCut or avro.Project.
func (shape *Shape) stepsOf(schema *avro.Schema) (steps []step, casts *avro.Projection, err error) {
	var paths, read []string // of a run, and of casts
	endRun := func() error {
		if len(paths) == 0 {
			return nil
		}
		cut, err := avro.NewCut(schema, paths)
		steps, paths = append(steps, step{cut: cut}), nil
		return err
	}
	for i, c := range shape.columns(schema) {
		computed := i < len(shape.Fields) && shape.computed(c.Path)
		if computed {
			c.Type = cmp.Or(c.Type, shape.Computed[c.Path])
		}
		if c.Type == "" {
			paths = append(paths, c.Path)
			continue
		}
		if err := endRun(); err != nil {
			return nil, nil, err
		}
		steps = append(steps, step{FieldColumn: c, computed: computed})
		if !computed {
			read = append(read, c.Path)
		}
	}
	if err := endRun(); err != nil {
		return nil, nil, err
	}
	if read != nil {
		casts, err = avro.Project(schema, read)
	}
	return steps, casts, err
}

// Shaper makes of views what samples hold of them. Not for concurrent use.
type Shaper struct {
	whole bool
	text  bool // views are JSON text
	steps []step
	casts *avro.Projection
	room  []record.Value // for what casts reads
}

// NewShaper returns a Shaper of views of that schema; nil for JSON text.
func NewShaper(shape *Shape, view *avro.Schema) (s *Shaper, err error) {
	s = &Shaper{whole: shape.Whole(), text: view == nil}
	if !s.text {
		s.steps, s.casts, err = shape.stepsOf(view)
		s.room = make([]record.Value, len(shape.Fields))
		return s, err
	}
	if shape.View == ViewFlat {
		return nil, &NoSchemaError{}
	}
	for _, f := range shape.Fields {
		s.steps = append(s.steps, step{FieldColumn: f})
	}
	return s, nil
}

// Append appends what samples hold of an encoded view: its fields as columns, and the view if they hold it. values are the
// fields of a view that is JSON text, in the order of Shape.Paths, and of others those of Shape.ComputedPaths. An error is about the view alone.
func (s *Shaper) Append(dst, view []byte, values []record.Value) (shaped []byte, err error) {
	if s.casts != nil {
		if _, err := s.casts.Extract(view, s.room); err != nil {
			return dst, err
		}
	}
	read := s.room
	for i := range s.steps {
		step := &s.steps[i]
		if step.cut != nil {
			if dst, err = step.cut.Append(dst, view); err != nil {
				return dst, err
			}
			continue
		}
		from := &read
		if s.text || step.computed {
			from = &values
		}
		if dst, err = step.append(dst, (*from)[0]); err != nil {
			return dst, fmt.Errorf("field %s: %w", step.Path, err)
		}
		*from = (*from)[1:]
	}
	switch {
	case !s.whole:
		return dst, nil
	case s.text:
		dst = binary.AppendVarint(dst, int64(len(view)))
	}
	return append(dst, view...), nil
}

// append appends a value as the column that c is.
func (c *FieldColumn) append(dst []byte, v record.Value) ([]byte, error) {
	if c.Type != "" {
		return c.Type.append(dst, v)
	}
	plain, ok := v.Plain()
	if !ok {
		return dst, fmt.Errorf("%s is no value that a column holds: a finite number or UTF-8", v)
	}
	return label.AppendScalar(dst, plain), nil
}
