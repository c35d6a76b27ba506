package params

import (
	"strconv"

	"tributary/io/event"
	"tributary/transforms/attribution"
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
	if in.Kind != attribution.Views {
		idKey = "view"
	}
	add(wanted{path: in.ID}, idKey)
	add(wanted{path: in.Time.Path, needsUnit: in.Time.Unit == event.UnitAuto}, "time")
	add(wanted{path: in.ViewTime.Path, needsUnit: in.ViewTime.Unit == event.UnitAuto, optional: true}, "view_time")
	add(wanted{path: in.EventID, optional: true}, "id")
	if in.Kind != attribution.Views {
		add(wanted{path: in.Value, optional: true}, "label", string(c.params.Kinds[in.Kind].Label))
	}
	for _, condition := range in.Where {
		add(wanted{path: condition.Field, optional: true}, "where", condition.Field)
	}
	add(wanted{path: src.PartitionField}, "inputs", strconv.Itoa(src.Number), "order", "partition")
	add(wanted{path: src.OffsetField}, "inputs", strconv.Itoa(src.Number), "order", "offset")
	return all
}
