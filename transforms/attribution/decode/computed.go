package decode

import (
	"fmt"

	"tributary/io/expression"
	"tributary/io/record"
	"tributary/transforms/attribution/rules"
)

// computed are the fields that are computed: the time, of every record; those that conditions ask for, likewise; and those that are used of a
// record that meets the conditions.
type computed struct {
	timed, asked, used []computedSlot
}

// computedSlot is a computed field that has a slot, and the slots of what it is computed of: from first on, as many as n.
type computedSlot struct {
	slot, first, n int
	place          string
	program        *expression.Program
}

// computedSlots finds the slots of computed fields among the paths, and appends what they are computed of.
func computedSlots(p *rules.Params, in *rules.Input, paths []string) (slots []computedSlot, all []string, err error) {
	if len(in.Computed) == 0 {
		return nil, paths, nil
	}
	for slot := range paths[:len(paths):len(paths)] {
		field := in.ComputedField(paths[slot])
		if field == nil {
			continue
		}
		place := placeOf(p, in) + ".fields." + field.Name
		asks, err := expression.ParseValue(field.Expression)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", place, err)
		}
		one := computedSlot{slot: slot, first: len(paths), n: len(asks.Fields), place: place}
		if one.program, err = asks.Program(); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", place, err)
		}
		for i, f := range asks.Fields {
			if field.Of != nil {
				f.Path = field.Of[i]
			}
			paths = append(paths, f.Path)
		}
		slots = append(slots, one)
	}
	return slots, paths, nil
}

// placeOf is what a spec calls the role of an input.
func placeOf(p *rules.Params, in *rules.Input) string {
	if in.Kind == rules.Views {
		return "views"
	}
	return "engagements." + p.KindName(in.Kind)
}

// addComputed finds the slots of computed fields among the paths, and appends what they are computed of.
func (r *Reader) addComputed(p *rules.Params, in *rules.Input, paths []string) ([]string, error) {
	slots, paths, err := computedSlots(p, in, paths)
	for _, one := range slots {
		switch {
		case one.slot == slotTime:
			r.computed.timed = append(r.computed.timed, one)
		case one.slot >= r.where && one.slot < r.columns:
			r.computed.asked = append(r.computed.asked, one)
		default:
			r.computed.used = append(r.computed.used, one)
		}
	}
	return paths, err
}

// compute fills slots of computed fields. An error means that one cannot be computed of the record.
func compute(slots []computedSlot, values []record.Value) (err error) {
	for i := range slots {
		one := &slots[i]
		if values[one.slot], err = one.program.Value(values[one.first : one.first+one.n]); err != nil {
			return fmt.Errorf("%s, %w", one.place, err)
		}
	}
	return nil
}
