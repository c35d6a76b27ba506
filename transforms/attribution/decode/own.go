package decode

import (
	"errors"
	"slices"

	"tributary/io/record"
	"tributary/transforms/attribution/rules"
)

// owns are the slots of fields that are not of a record's value, but of what its source knows beside it (record.IsOwn).
type owns []ownSlot

type ownSlot struct {
	slot int
	path string
}

func ownsOf(paths []string) (out owns) {
	for slot, path := range paths {
		if record.IsOwn(path) {
			out = append(out, ownSlot{slot, path})
		}
	}
	return out
}

// fill sets the slots by what a batch has beside a record.
func (o owns) fill(values []record.Value, own []byte) {
	for i := range o {
		values[o[i].slot] = record.OwnValue(own, o[i].path)
	}
}

// sparse extracts fields of a record's value into their slots; others are of its source, or computed.
type sparse struct {
	record.Extractor
	slots  []int
	values []record.Value
}

// beside tells whether a path is not of a record's value.
func beside(in *rules.Input, path string) bool {
	return record.IsOwn(path) || in.ComputedField(path) != nil
}

// apart returns the slots of the paths that are of a record's value, and these. Those from operands on are what fields are computed of,
// which is the record as it is: a field may have the name of one that it is computed of.
func apart(in *rules.Input, paths []string, operands int) (slots []int, rest []string) {
	for slot, path := range paths {
		if slot >= operands && !record.IsOwn(path) || !beside(in, path) {
			slots, rest = append(slots, slot), append(rest, path)
		}
	}
	return slots, rest
}

func (s *sparse) Extract(buf []byte, values []record.Value) (n int, err error) {
	if n, err = s.Extractor.Extract(buf, s.values); err != nil {
		return n, err
	}
	for i, slot := range s.slots {
		values[slot] = s.values[i]
	}
	return n, nil
}

// Skip returns the length of a record that Extract refuses.
func (s *sparse) Skip(buf []byte) (int, error) {
	if n := skip(s.Extractor, buf); n >= 0 {
		return n, nil
	}
	return 0, errNoEnd
}

var errNoEnd = errors.New("it is not known where the record ends")

// needed is how many of the first paths are of a record's value.
func needed(in *rules.Input, paths []string, first int) int {
	return len(slices.DeleteFunc(slices.Clone(paths[:first]), func(path string) bool { return beside(in, path) }))
}
