package decode

import (
	"fmt"

	"tributary/io/record"
	"tributary/transforms/attribution/bucket"
	"tributary/transforms/attribution/rules"
)

// several reads the values of a kind that has several labels.
type several struct {
	labels []rules.Label
	fields []string
	slots  []int // -1 for a label that takes no field
	values []record.Value
	text   []byte // room for what is made of values
	packed []byte // room
	absent bool
}

// readSeveral appends the paths of the fields of a kind's labels, if it has several.
func (r *Reader) readSeveral(paths []string, labels []rules.Label) []string {
	if len(labels) == 0 {
		return paths
	}
	s := &several{labels: labels, fields: r.Input.Values, values: make([]record.Value, len(labels))}
	for _, field := range s.fields {
		slot := -1
		if field != "" {
			slot, paths = len(paths), append(paths, field)
		}
		s.slots = append(s.slots, slot)
	}
	r.several = s
	return paths
}

// read sets the values of g; bad says which is none that its label can take. They are valid until the next record is read.
func (s *several) read(values []record.Value, g *bucket.Engagement) (bad error) {
	s.absent, s.text = false, s.text[:0]
	for i := range s.labels {
		s.values[i] = record.Value{}
		if s.slots[i] < 0 {
			continue
		}
		v := values[s.slots[i]]
		if v.Absent() {
			s.absent = true
			continue
		}
		var ok bool
		if s.values[i], ok = s.take(&s.labels[i], v); !ok {
			s.values[i] = record.Value{}
			if bad == nil {
				bad = fmt.Errorf("field %s: %s is no %s", s.fields[i], v, wantedBy(&s.labels[i]))
			}
		}
	}
	g.Value = bucket.Pack(s.values, s.packed[:0])
	s.packed = g.Value.Text
	return bad
}

// take is v as the label keeps it; not ok if it cannot.
func (s *several) take(l *rules.Label, v record.Value) (record.Value, bool) {
	if l.Type == "" {
		return labelValue(l.Func, v)
	}
	typed, ok := l.Type.Value(v, s.text[len(s.text):])
	if typed.Text != nil { // what comes next is put behind it
		s.text = append(s.text, typed.Text...)
	}
	return typed, ok
}

func wantedBy(l *rules.Label) string {
	if l.Type == "" {
		return wanted(l.Func)
	}
	return string(l.Type)
}

// WithoutValue tells whether the engagement last read has no value for a label that takes one.
func (r *Reader) WithoutValue() bool {
	if r.several != nil {
		return r.several.absent
	}
	return r.value >= 0 && r.values[r.value].Absent()
}
