package job

import (
	"strconv"

	"tributary/io/format/avro"
	"tributary/io/record"
	"tributary/transforms/attribution/rules"
)

// wanted is a field that the spec names for a source.
type wanted struct {
	path string
	// key is its place in the spec, below that of the role.
	key []string
	// optional fields are null in records that lack them.
	optional bool
	// needsUnit says that it is a time whose unit the schema must tell.
	needsUnit bool
	use       use
}

// use is what a field's values are taken for.
type use string

// Uses of fields; the empty one takes any value.
const (
	useID     use = "an id, which is text, bytes or a whole number"
	useTime   use = "a time, which is a number or text"
	useNumber use = "a number"
)

// serves tells whether values of a field can be of use, as far as its schema tells. What is a
// union, or text, only the record shows.
func (u use) serves(f *avro.Field) bool {
	if f.Type == "null" {
		return u == ""
	}
	switch u {
	case useID:
		return f.Kind != record.Bool
	case useTime:
		return f.Kind != record.Bool && f.Kind != record.Bytes && f.Kind != record.UUID && f.Type != "enum"
	case useNumber:
		return f.Kind != record.Bytes && f.Kind != record.UUID && f.Type != "enum"
	default:
		return true
	}
}

// wanted lists the fields that a source is to have.
func (c *FieldCheck) wanted(source int) []wanted {
	src, in := &c.sources[source], &c.params.Inputs[source]
	var all []wanted
	add := func(w wanted, key ...string) {
		if w.key = key; w.path != "" {
			all = append(all, w)
		}
	}
	idKey := "id"
	if in.Kind != rules.Views {
		idKey = "view"
	}
	add(wanted{path: in.ID, use: useID}, idKey)
	add(wanted{path: in.Time.Path, use: useTime, needsUnit: in.Time.Unit == record.UnitAuto}, "time")
	add(wanted{path: in.ViewTime.Path, use: useTime, needsUnit: in.ViewTime.Unit == record.UnitAuto, optional: true}, "view_time")
	add(wanted{path: in.EventID, use: useID, optional: true}, "id")
	if in.Kind != rules.Views {
		label := c.params.Kinds[in.Kind].Label
		value := wanted{path: in.Value, optional: true}
		if label.OfNumbers() { // any value is the first or the last
			value.use = useNumber
		}
		add(value, "label", string(label))
	}
	for _, condition := range in.Where {
		add(wanted{path: condition.Field, optional: true}, "where", condition.Field)
	}
	add(wanted{path: src.PartitionField}, "inputs", strconv.Itoa(src.Number), "order", "partition")
	add(wanted{path: src.OffsetField}, "inputs", strconv.Itoa(src.Number), "order", "offset")
	return all
}
