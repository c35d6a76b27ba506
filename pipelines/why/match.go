package why

import (
	"bytes"
	"encoding/binary"

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
}

func newMatcher(id string) *matcher {
	m := &matcher{id: []byte(id), names: map[string]bool{}, hashes: map[uint64]bool{}}
	m.add(m.id)
	return m
}

func (m *matcher) add(name []byte) {
	m.names[string(name)] = true
	m.hashes[rules.HashID(name)] = true
}

// is tells whether a record is one of the id itself: of the view, of the engagement, or one that names it.
func (m *matcher) is(s *shuffle.Seen) bool {
	return bytes.Equal(s.ViewID, m.id) || bytes.Equal(s.Key, m.id) || bytes.Equal(s.EventID, m.id) || s.ViewID == nil && s.Key == nil && m.in(s.Record)
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
