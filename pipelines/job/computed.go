package job

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"tributary/io/expression"
	"tributary/io/format/avro"
	"tributary/io/record"
	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/sample"
)

// Codes of problems with computed fields.
const (
	codeComputedUse    = "T1456"
	codeComputedColumn = "T1457"
	codeOtherUnit      = "T1461"
)

// computedProblems holds the uses of computed fields against their types, as far as these are known, each once.
func (c *FieldCheck) computedProblems() (problems problem.List) {
	told := map[string]bool{}
	look := func(source int, place string, types func(path string) expression.Type) {
		in := &c.params.Inputs[source]
		_, computed := c.named(source)
		for i := range computed {
			w := &computed[i]
			at := c.at(&layout{source: source}, w)
			key := fmt.Sprint(at)
			asks, err := expression.ParseValue(in.ComputedField(w.path).Expression)
			if err != nil || told[key] {
				continue
			}
			typ, err := asks.Type(types)
			if err != nil {
				continue // it has been reported
			}
			if message := w.misused(typ.Kind()); message != "" {
				told[key] = true
				found := c.spec.Problem(codeComputedUse, place+w.path+" is computed as "+message, at...)
				found.Got = w.path
				if w.needsUnit && typ.Kind() != record.Bool {
					found.Hint = fmt.Sprintf("name it, like `%s: {field: %s, unit: epoch-millis}` for milliseconds", w.key[len(w.key)-1], w.path)
				} else {
					found.Hint = "compute it otherwise, with string(), int() or double()"
				}
				problems = append(problems, found)
			}
		}
	}
	for i := range c.sources {
		if c.text[c.sources[i].Role] {
			look(i, "", nil)
		}
	}
	for i := range c.layouts {
		l := &c.layouts[i]
		look(l.source, l.place+": ", func(path string) expression.Type { return c.typeOf(l, path) })
		problems = append(problems, c.computedUnits(l, told)...)
	}
	return problems
}

// schemaUnits are those of logical types, by all that name them in a spec.
var schemaUnits = map[record.Unit]record.Unit{
	record.UnitMillis: record.UnitMillis, record.UnitEpochMs: record.UnitMillis,
	record.UnitMicros: record.UnitMicros, record.UnitEpochMicros: record.UnitMicros,
	record.UnitNanos: record.UnitNanos, record.UnitEpochNanos: record.UnitNanos,
}

// otherUnit tells whether a schema says that a time is in another unit than a spec does.
func otherUnit(said record.Unit, field *avro.Field) bool {
	of := schemaUnits[field.Unit]
	return said != record.UnitAuto && of != "" && schemaUnits[said] != of
}

// otherUnitProblem is that of a time which is the field at a path.
func (c *FieldCheck) otherUnitProblem(l *layout, w *wanted, path string, field *avro.Field) problem.Problem {
	what := "is"
	if w.path != path {
		what = w.path + ", which may be its value, is"
	}
	found := c.spec.Problem(codeOtherUnit, fmt.Sprintf("%s: %s is of type %s, and %s read in another unit", l.place, path, field.Logical, what), c.at(l, w)...)
	found.Got = string(w.unit)
	found.Hint = fmt.Sprintf("write `unit: %s`; if the schema says what is not so, compute the time, like `fields: {at: %s + 0}`", field.Unit, spec.FieldText(path))
	return found
}

// computedUnits holds the units of times that are computed as one of several fields against those that a schema says of these; told are the
// places of problems so far.
func (c *FieldCheck) computedUnits(l *layout, told map[string]bool) (problems problem.List) {
	in := &c.params.Inputs[l.source]
	_, computed := c.named(l.source)
	for i := range computed {
		w := &computed[i]
		at := c.at(l, w)
		asks, err := expression.ParseValue(in.ComputedField(w.path).Expression)
		if err != nil || w.unit == record.UnitAuto || told[fmt.Sprint(at)] {
			continue
		}
		for _, f := range asks.Taken() {
			field, err := l.lookup(f.Path)
			if err == nil && otherUnit(w.unit, &field) {
				told[fmt.Sprint(at)] = true
				problems = append(problems, c.otherUnitProblem(l, w, f.Path, &field))
				break
			}
		}
	}
	return problems
}

// computedAs are names of what is computed.
var computedAs = map[record.Kind]string{record.Bool: "true or false", record.Int: "a whole number", record.Float: "a double", record.String: "text"}

// misused says what values of a kind are not for; empty where they serve, or the kind is not known.
func (w *wanted) misused(kind record.Kind) string {
	as := computedAs[kind]
	switch {
	case as == "":
		return ""
	case !w.use.serves(&avro.Field{Kind: kind, Type: "computed"}):
		return as + ", and cannot be " + string(w.use)
	case w.needsUnit && kind != record.String:
		return as + ", and nothing says which unit it is in"
	}
	return ""
}

// computedTypes are those of the computed columns of samples, of which views have that schema. One that is not known is a problem.
func computedTypes(s *spec.Spec, in *rules.Input, shape *sample.Shape, views *avro.Schema) (types map[string]sample.Cast, problems problem.List) {
	casts := map[record.Kind]sample.Cast{record.Bool: sample.CastBoolean, record.Int: sample.CastLong, record.Float: sample.CastDouble, record.String: sample.CastString}
	for i, f := range shape.Fields {
		if isIndex(in, f.Path) {
			types = withType(types, f, sample.CastLong)
			continue
		}
		computed := in.ComputedField(f.Path)
		if computed == nil {
			continue
		}
		types = withType(types, f, "")
		asks, err := expression.ParseValue(computed.Expression)
		if err != nil || f.Type != "" {
			continue
		}
		typ, err := asks.Type(func(path string) expression.Type {
			if typ, ok := typeBeside(in, path); ok {
				return typ
			}
			_, field, err := views.Find(path, in.Others[path]...)
			if err != nil {
				return expression.Any
			}
			return expression.TypeOf(field.Kind, field.Nullable)
		})
		if types[f.Path] = casts[typ.Kind()]; err == nil && types[f.Path] != "" {
			continue
		}
		message := f.Path + " is computed, and of which type does not follow from the schema of the views"
		if err != nil {
			message += ": " + err.Error()
		}
		found := s.Problem(codeComputedColumn, message, "sample", "fields", strconv.Itoa(i))
		found.Got, found.Hint = f.Path, fmt.Sprintf("say which the column has, like `{%s: {field: %s, type: double}}`", f.Name, f.Path)
		for _, cast := range sample.Casts {
			found.Allowed = append(found.Allowed, string(cast))
		}
		problems = append(problems, found)
	}
	return types, problems
}

// withType says that values of a column are computed, and of which type unless it is cast.
func withType(types map[string]sample.Cast, f sample.FieldColumn, typ sample.Cast) map[string]sample.Cast {
	if types == nil {
		types = map[string]sample.Cast{}
	}
	if f.Type != "" {
		typ = ""
	}
	types[f.Path] = cmp.Or(types[f.Path], typ)
	return types
}

// setComputed tells the join the types of computed columns, of which views have that schema.
func setComputed(s *spec.Spec, p *rules.Params, views *avro.Schema) problem.List {
	i := slices.IndexFunc(p.Inputs, func(in rules.Input) bool { return in.Kind == rules.Views })
	if p.Shape == nil || i < 0 {
		return nil
	}
	types, problems := computedTypes(s, &p.Inputs[i], p.Shape, views)
	if types != nil {
		shape := *p.Shape
		shape.Computed, p.Shape = types, &shape
	}
	return problems
}
