package avro

import "strings"

// Branches are the types of a union at the top of a schema. The zero value is that of a schema that is none.
type Branches []Branch

// Branch is one of them.
type Branch struct {
	// Name is that of the type, in full.
	Name string
	// Record is the schema of its records alone; nil of a branch that is no record.
	Record *Schema
}

// Branches returns those of s.
func (s *Schema) Branches() (all Branches, err error) {
	if s.root.Kind != KindUnion {
		return nil, nil
	}
	for _, t := range s.root.Branches {
		b := Branch{Name: branchName(t)}
		if t.Kind == KindRecord {
			var text strings.Builder
			new(TypeTexts).write(&text, t, "")
			if b.Record, err = ParseSchema(text.String()); err != nil {
				return nil, err
			}
		}
		all = append(all, b)
	}
	return all, nil
}

// Cut tells which of the branches an encoded value is of, and returns what follows that: the value by the branch's own schema. ok is false if
// it is of none.
func (all Branches) Cut(value []byte) (branch int, rest []byte, ok bool) {
	branch, next := index(value, 0, int64(len(all)), failUnion)
	if next < 0 {
		return 0, nil, false
	}
	return branch, value[next:], true
}

// Names are those of the records among them.
func (all Branches) Names() (names []string) {
	for _, b := range all {
		if b.Record != nil {
			names = append(names, b.Name)
		}
	}
	return names
}
