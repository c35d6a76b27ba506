package job

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/zeebo/xxh3"

	"tributary/io/expression"
	"tributary/io/format/avro"
	"tributary/io/record"
	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/sample"
)

// Codes of problems with fields.
const (
	codeUnknownField = "T2003"
	codeNotScalar    = "T2004"
	codeNoUnit       = "T2006"
	codeExpression   = "T1117"
)

// FieldCheck holds the fields that a spec names against those that its inputs have.
//
// All records must have the required ones, by the name in the spec or by an alias that a
// schema of their role declares. An optional one may be missing in some: it is null there,
// as it is where JSON lacks it. One that no schema has is misspelt.
type FieldCheck struct {
	spec    *spec.Spec
	params  *rules.Params
	sources []Source
	layouts []layout
	seen    map[layoutKey]bool
	// text are the roles with JSON, which may have any field.
	text    map[string]bool
	schemas map[string][]*avro.Schema // by role
}

// layout is what the records of a source look like in some place, such as a file.
type layout struct {
	source int
	place  string
	lookup func(path string) (avro.Field, error)
	// schema is that of its events; nil for columns.
	schema *avro.Schema
	// columns says that it is CSV: all fields are text.
	columns bool
}

// layoutKey is a source with the ID of a schema or the hash of a CSV file's header.
type layoutKey struct {
	source int
	hash   uint64
}

// NewFieldCheck returns a check of the sources of a spec, of which nothing is known yet.
func NewFieldCheck(s *spec.Spec, p *rules.Params, sources []Source) *FieldCheck {
	return &FieldCheck{
		spec: s, params: p, sources: sources,
		seen: map[layoutKey]bool{}, text: map[string]bool{}, schemas: map[string][]*avro.Schema{},
	}
}

// Given adds a schema that the spec gives for a source, whose records may have others.
func (c *FieldCheck) Given(source int, schema *avro.Schema) {
	role := c.sources[source].Role
	c.schemas[role] = append(c.schemas[role], schema)
}

// Add says that records of a source have that schema; place is where.
func (c *FieldCheck) Add(source int, place string, schema *avro.Schema) {
	if !c.first(source, schema.ID()) {
		return
	}
	c.Given(source, schema)
	c.layouts = append(c.layouts, layout{source: source, place: place, schema: schema})
}

// AddColumns says that a CSV file of a source has those columns.
func (c *FieldCheck) AddColumns(source int, place string, columns []string) {
	if c.first(source, xxh3.HashString(strings.Join(columns, ","))) {
		c.layouts = append(c.layouts, layout{source: source, place: place, lookup: lookupColumn(columns), columns: true})
	}
}

// AddText says that a source has records of JSON.
func (c *FieldCheck) AddText(source int) { c.text[c.sources[source].Role] = true }

// first tells whether the source has no layout of that hash yet.
func (c *FieldCheck) first(source int, hash uint64) bool {
	key := layoutKey{source, hash}
	first := !c.seen[key]
	c.seen[key] = true
	return first
}

// Problems notes the aliases of fields in the parameters of the join (rules.Input.Others),
// and returns what is wrong with all that was added.
func (c *FieldCheck) Problems() (problems problem.List) {
	problems = c.setElements()
	c.setOthers()
	for i := range c.layouts {
		if l := &c.layouts[i]; l.schema != nil {
			in := &c.params.Inputs[l.source]
			l.lookup = func(path string) (avro.Field, error) {
				_, field, err := l.schema.Find(path, in.Others[path]...)
				return field, err
			}
		}
	}
	type optional struct{ role, path string }
	found := map[optional]bool{}
	for _, pass := range []string{"required", "optional"} {
		for i := range c.layouts {
			l := &c.layouts[i]
			for _, w := range c.wanted(l.source) {
				key := optional{c.sources[l.source].Role, w.path}
				field, err := l.lookup(w.path)
				var unknown *avro.UnknownFieldError
				missing := w.optional && errors.As(err, &unknown)
				var notScalar *avro.NotScalarError
				if w.use == useColumn && errors.As(err, &notScalar) {
					err = nil // it is taken as it is
				}
				switch {
				case pass == "optional":
					if missing && !found[key] && !c.text[key.role] {
						problems = append(problems, c.fieldProblem(err, l, &w))
					}
				case err == nil:
					found[key] = true
					if !w.use.serves(&field) {
						problems = append(problems, c.typeProblem(l, &w, &field))
					} else if w.needsUnit && field.Unit == record.UnitAuto {
						problems = append(problems, c.unitProblem(l, &w, &field))
					} else if otherUnit(w.unit, &field) {
						problems = append(problems, c.otherUnitProblem(l, &w, w.path, &field))
					}
				case !missing:
					problems = append(problems, c.fieldProblem(err, l, &w))
				}
			}
		}
	}
	for i := range c.layouts {
		problems = append(problems, c.expressionProblems(&c.layouts[i])...)
	}
	return append(problems, c.computedProblems()...)
}

// TopFields are the names of the fields at the top of records of a source that the join reads, other names of them among them; nil for
// all, where samples hold the view with all its fields. It is called after Problems.
func (c *FieldCheck) TopFields(source int) (names []string) {
	in := &c.params.Inputs[source]
	if in.Kind == rules.Views && (c.params.Shape == nil || c.params.Shape.View != sample.ViewNone) {
		return nil
	}
	names = []string{}
	paths := []string{}
	if in.Each != "" {
		paths = append(paths, in.Each)
	}
	for _, w := range c.wanted(source) {
		paths = append(paths, w.path)
	}
	for _, path := range paths {
		for _, path := range append([]string{path}, in.Others[path]...) {
			if parts, err := record.ParsePath(path); err == nil && !slices.Contains(names, parts[0]) {
				names = append(names, parts[0])
			}
		}
	}
	slices.Sort(names)
	return names
}

// expressionProblems holds the expressions of a source against the types of its fields in one layout.
func (c *FieldCheck) expressionProblems(l *layout) (problems problem.List) {
	if text := c.where(l.source).Expression; text != "" {
		problems = c.expressionProblem(l, text, expression.Parse, "where")
	}
	for _, d := range c.params.Inputs[l.source].Computed {
		problems = append(problems, c.expressionProblem(l, d.Expression, expression.ParseValue, "fields", d.Name)...)
	}
	return problems
}

func (c *FieldCheck) expressionProblem(l *layout, text string, parse func(string) (*expression.Expression, error), key ...string) (problems problem.List) {
	asks, err := parse(text)
	if err == nil {
		err = asks.Check(func(path string) expression.Type { return c.typeOf(l, path) })
	}
	found, _ := expression.AsMistakes(err)
	at := slices.Concat(c.sources[l.source].At, key)
	for _, one := range found {
		p := c.spec.Problem(codeExpression, fmt.Sprintf("%s: %s (%s of the expression)", l.place, one.Message, one.Place), at...)
		p.Position, p.Source = c.spec.ExpressionPlace(text, one.Place, at...)
		p.Width = 1
		problems = append(problems, p)
	}
	return problems
}

// typeOf is what the layout says of a field in expressions.
func (c *FieldCheck) typeOf(l *layout, path string) expression.Type {
	if typ, ok := typeBeside(&c.params.Inputs[l.source], path); ok {
		return typ
	}
	field, err := l.lookup(path)
	switch {
	case err != nil:
		return expression.Any // it is missing in this layout, or has been reported
	case l.columns:
		return expression.Column
	}
	return expression.TypeOf(field.Kind, field.Nullable)
}

// typeBeside is the type of what the events of an input have beside their values; not ok for a field of these.
func typeBeside(in *rules.Input, path string) (typ expression.Type, ok bool) {
	switch {
	case record.IsOwn(path):
		return expression.OwnType(path), true
	case isIndex(in, path):
		return expression.TypeOf(record.Int, false), true
	}
	return expression.Any, false
}

// setOthers notes for every source by which paths older and newer records have its fields.
func (c *FieldCheck) setOthers() {
	for i := range c.sources {
		others := map[string][]string{}
		if in := &c.params.Inputs[i]; in.Each != "" && in.Others[in.Each] != nil {
			others[in.Each] = in.Others[in.Each]
		}
		for _, w := range c.wanted(i) {
			if found := avro.Others(w.path, c.schemas[c.sources[i].Role]); len(found) > 0 {
				others[w.path] = found
			}
		}
		if len(others) > 0 {
			c.params.Inputs[i].Others = others
		}
	}
}

// lookupColumn finds fields among the columns of a CSV file. They hold text, so a time
// there is RFC 3339 unless the spec says otherwise.
func lookupColumn(columns []string) func(string) (avro.Field, error) {
	return func(path string) (avro.Field, error) {
		if name, ok := record.FlatName(path); !ok || !slices.Contains(columns, name) {
			return avro.Field{}, &avro.UnknownFieldError{Path: path, Fields: columns, Flat: true}
		}
		return avro.Field{Path: path, Type: "string", Unit: record.UnitRFC3339}, nil
	}
}

func (c *FieldCheck) typeProblem(l *layout, w *wanted, field *avro.Field) problem.Problem {
	name := field.Type
	if field.Logical != "" {
		name = field.Logical
	}
	found := c.spec.Problem(codeNotScalar, fmt.Sprintf("%s: %s is of type %s, and cannot be %s", l.place, w.path, name, w.use), c.at(l, w)...)
	found.Got = w.path
	return found
}

func (c *FieldCheck) unitProblem(l *layout, w *wanted, field *avro.Field) problem.Problem {
	found := c.spec.Problem(codeNoUnit, fmt.Sprintf("%s: %s is a plain %s: nothing says which unit it is in", l.place, w.path, field.Type), c.at(l, w)...)
	found.Hint = fmt.Sprintf("name it, like `%s: {field: %s, unit: epoch-millis}` for milliseconds", w.key[len(w.key)-1], spec.FieldText(w.path))
	for _, u := range record.Units {
		found.Allowed = append(found.Allowed, string(u))
	}
	return found
}

func (c *FieldCheck) at(l *layout, w *wanted) []string {
	if w.ofSample {
		return w.key
	}
	return append(slices.Clone(c.sources[l.source].At), w.key...)
}

func (c *FieldCheck) fieldProblem(err error, l *layout, w *wanted) problem.Problem {
	found := c.spec.Problem(codeUnknownField, fmt.Sprintf("%s: %v", l.place, err), c.at(l, w)...)
	found.Got = w.path
	switch {
	case w.in != nil:
		found.Position, found.Source = c.spec.ExpressionPlace(w.expression, *w.in, c.at(l, w)...)
		found.Width = 1
	case w.key[0] == "where": // here the key is the field
		found.Position = c.spec.At(c.at(l, w)...)
		found.Width = utf8.RuneCountInString(w.path)
	}
	var notScalar *avro.NotScalarError
	var notList *avro.NotListError
	var ambiguous *avro.AmbiguousFieldError
	if errors.As(err, &notScalar) || errors.As(err, &notList) || errors.As(err, &ambiguous) {
		found.Code = codeNotScalar
	}
	var unknown *avro.UnknownFieldError
	if errors.As(err, &unknown) {
		fields := unknown.Paths()
		found.Message = fmt.Sprintf("%s has no field %q", l.place, w.path)
		if nearest := spec.Nearest(w.path, fields); nearest != "" {
			found.Nearest = spec.FieldText(nearest)
		}
		for _, field := range fields {
			found.Allowed = append(found.Allowed, spec.FieldText(field))
		}
	}
	return found
}
