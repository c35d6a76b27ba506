package job

import (
	"strconv"

	"tributary/io/expression"
	"tributary/io/format/avro"
	"tributary/io/record"
	"tributary/pipelines/spec"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/sample"
)

// wanted is a field that the spec names for a source.
type wanted struct {
	path string
	// key is its place in the spec, below that of the role.
	key []string
	// optional fields are null in records that lack them.
	optional bool
	// ofSample says that the key is of the spec, below no role.
	ofSample bool
	// needsUnit says that it is a time whose unit the schema must tell.
	needsUnit bool
	// unit is the one that the spec says of a time.
	unit record.Unit
	use  use
	// in is the field's place in an expression, whose text is below; nil where the key is the field.
	in         *expression.Place
	expression string
}

// use is what a field's values are taken for.
type use string

// Uses of fields; the empty one takes any value.
const (
	useID     use = "an id, which is text, bytes or a whole number"
	useTime   use = "a time, which is a number or text"
	useText   use = "a time by a pattern, which is text"
	useNumber use = "a number"
	// useColumn is a column of samples, of whatever type.
	useColumn use = "a column"
	// Columns that are cast.
	useBoolean use = "a boolean"
	useLong    use = "a long"
	useDouble  use = "a double"
	useString  use = "a string"
)

// serves tells whether values of a field can be of use, as far as its schema tells. What is a
// union, or text, only the record shows.
func (u use) serves(f *avro.Field) bool {
	if f.Type == "null" {
		return u == "" || u == useColumn || u == useBoolean || u == useLong || u == useDouble || u == useString
	}
	switch u {
	case useID:
		return f.Kind != record.Bool
	case useTime:
		return f.Kind != record.Bool && f.Kind != record.Bytes && f.Kind != record.UUID && f.Type != "enum"
	case useText:
		return (f.Kind == record.String || f.Kind == record.Null) && f.Type != "enum"
	case useNumber, useBoolean, useLong, useDouble:
		return f.Kind != record.Bytes && f.Kind != record.UUID && f.Type != "enum"
	default:
		return true
	}
}

// where is what the spec says of the records of a source.
func (c *FieldCheck) where(source int) *spec.Where {
	if kind := c.params.Inputs[source].Kind; kind != rules.Views {
		return &c.spec.Engagements[kind].Where
	}
	return &c.spec.Views.Where
}

// castUse is what a column is taken for.
var castUse = map[sample.Cast]use{
	"": useColumn, sample.CastBoolean: useBoolean, sample.CastLong: useLong, sample.CastDouble: useDouble, sample.CastString: useString,
}

// wanted lists the fields that a source is to have.
func (c *FieldCheck) wanted(source int) []wanted {
	all, _ := c.named(source)
	return all
}

// named lists the fields that the spec names for a source: those that it is to have, and those that are computed.
func (c *FieldCheck) named(source int) (all, computed []wanted) {
	src, in := &c.sources[source], &c.params.Inputs[source]
	add := func(w wanted, key ...string) {
		w.key = key
		switch {
		case w.path == "" || record.IsOwn(w.path) || isIndex(in, w.path):
		case in.ComputedField(w.path) != nil:
			computed = append(computed, w)
		default:
			all = append(all, w)
		}
	}
	idKey := "id"
	if in.Kind != rules.Views {
		idKey, _ = c.spec.Engagements[in.Kind].Named()
	}
	addID := func(paths []string, key string, optional bool) {
		for i, path := range paths {
			place := []string{key}
			if len(paths) > 1 {
				place = append(place, strconv.Itoa(i))
			}
			add(wanted{path: path, use: useID, optional: optional}, place...)
		}
	}
	addID(in.IDs(), idKey, false)
	addID(in.Key, "key", false)
	addTime := func(f rules.Field, optional bool, key string) {
		w := wanted{path: f.Path, use: useTime, needsUnit: f.UnitUnknown(), unit: f.Unit, optional: optional}
		if f.Pattern != "" {
			w.use = useText
		}
		add(w, key)
	}
	addTime(in.Time, false, "time")
	addTime(in.ViewTime, true, "view_time")
	addID(in.EventIDs(), "id", true)
	if in.Kind != rules.Views {
		for _, w := range c.wantedOfLabels(in) {
			add(w, w.key...)
		}
	}
	if text := c.where(source).Expression; text != "" {
		if asks, err := expression.Parse(text); err == nil {
			for i := range asks.Fields {
				add(wanted{path: asks.Fields[i].Path, optional: true, in: &asks.Fields[i].Place, expression: text}, "where")
			}
		}
	} else {
		for _, condition := range in.Where {
			add(wanted{path: condition.Field, optional: true}, "where", condition.Field)
		}
	}
	if in.Kind == rules.Views && c.params.Shape != nil {
		for i, f := range c.params.Shape.Fields {
			add(wanted{path: f.Path, optional: true, use: castUse[f.Type], ofSample: true}, "sample", "fields", strconv.Itoa(i))
		}
	}
	for _, d := range in.Computed {
		asks, err := expression.ParseValue(d.Expression)
		if err != nil {
			continue // the spec was refused
		}
		for i := range asks.Fields {
			if path := asks.Fields[i].Path; !record.IsOwn(path) && !isIndex(in, path) { // the record's own, though a computed field may have the name
				all = append(all, wanted{path: path, key: []string{"fields", d.Name}, optional: true, in: &asks.Fields[i].Place, expression: d.Expression})
			}
		}
	}
	add(wanted{path: src.PartitionField}, "inputs", strconv.Itoa(src.Number), "order", "partition")
	add(wanted{path: src.OffsetField}, "inputs", strconv.Itoa(src.Number), "order", "offset")
	return all, computed
}
