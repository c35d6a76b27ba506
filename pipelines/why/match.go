package why

import (
	"bytes"
	"encoding/binary"
	"slices"

	"tributary/transforms/account"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/attribution/shuffle"
)

// matcher tells which records concern an id.
type matcher struct {
	id []byte
	// names are the ids or keys that its records have or name, hashes those of them: views whose ids have one hash may be taken for one
	// another at a stage.
	names  map[string]bool
	hashes map[uint64]bool
	// places are those of records that a role leaves out and that are the id's by its fields: another role may take them under another name.
	places map[seenPlace]bool
}

// seenPlace is where a record stands, or from 1 one of its list.
type seenPlace struct {
	partition int32
	offset    int64
	element   int32
}

func seenAt(s *shuffle.Seen) seenPlace { return seenPlace{s.Partition, s.Offset, s.Element} }

func recordAt(s *shuffle.Seen) seenPlace { return seenPlace{s.Partition, s.Offset, 0} }

func newMatcher(id string) *matcher {
	m := &matcher{id: []byte(id), names: map[string]bool{}, hashes: map[uint64]bool{}, places: map[seenPlace]bool{}}
	m.add(m.id)
	return m
}

func (m *matcher) add(name []byte) {
	m.names[string(name)] = true
	m.hashes[rules.HashID(name)] = true
}

// is tells whether a record is one of the id itself: of the view, of the engagement, or one that names it. What cannot be read is by its text.
func (m *matcher) is(s *shuffle.Seen) bool {
	return bytes.Equal(s.ViewID, m.id) || bytes.Equal(s.Key, m.id) || bytes.Equal(s.EventID, m.id) || m.places[seenAt(s)] ||
		s.Fate == account.Dead && s.ViewID == nil && s.Key == nil && m.in(s.Record)
}

// joins tells whether the join of the id's records needs one.
func (m *matcher) joins(s *shuffle.Seen) bool {
	name := s.Name()
	return name != nil && m.hashes[rules.HashID(name)]
}

// in tells whether a record that cannot be read may be one of the id: it holds it as a word of text, or as Avro writes text.
func (m *matcher) in(record []byte) bool {
	prefix := binary.AppendVarint(nil, int64(len(m.id)))
	for from := 0; ; {
		at := bytes.Index(record[from:], m.id)
		if at < 0 {
			return false
		}
		at += from
		end := at + len(m.id)
		if bytes.HasSuffix(record[:at], prefix) || (at == 0 || !inWord(record[at-1])) && (end == len(record) || !inWord(record[end])) {
			return true
		}
		from = at + 1
	}
}

// inWord tells whether a byte goes on with an id.
func inWord(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || b == '_' || b == '-' || b >= 0x80
}

// untaken leaves out of records those that a role filters and another takes, or cannot read; of what all roles filter one is left, of the id
// itself if there is one. An event of a list is met by those of its record as a whole.
func (m *matcher) untaken(records []shuffle.Seen) []shuffle.Seen {
	met := map[seenPlace][]int32{} // by record
	meets := func(s *shuffle.Seen) bool {
		return slices.ContainsFunc(met[recordAt(s)], func(element int32) bool { return element == 0 || s.Element == 0 || element == s.Element })
	}
	left := make([]bool, len(records))
	for _, now := range []func(*shuffle.Seen) bool{
		func(s *shuffle.Seen) bool { return s.Fate != account.Filtered },
		func(s *shuffle.Seen) bool { return s.Fate == account.Filtered && m.is(s) && !meets(s) },
		func(s *shuffle.Seen) bool { return s.Fate == account.Filtered && !meets(s) },
	} {
		for i := range records {
			if s := &records[i]; now(s) {
				left[i] = true
				met[recordAt(s)] = append(met[recordAt(s)], s.Element)
			}
		}
	}
	var out []shuffle.Seen
	for i := range records {
		if left[i] {
			out = append(out, records[i])
		}
	}
	return out
}
