package avro

import (
	"cmp"
	"errors"
	"slices"

	"tributary/io/record"
)

// field returns the index of a record's field with that name, or else with that alias; -1 if
// there is none.
func (t *Type) field(name string) int {
	if i := slices.IndexFunc(t.Fields, func(f RecordField) bool { return f.Name == name }); i >= 0 {
		return i
	}
	return slices.IndexFunc(t.Fields, func(f RecordField) bool { return slices.Contains(f.Aliases, name) })
}

// Find returns the path by which Project reads a field of s: the first that leads to one, of
// path and the others that Others has found. The error is that of path.
func (s *Schema) Find(path string, others ...string) (string, Field, error) {
	field, err := s.Lookup(path)
	var unknown *UnknownFieldError
	if err == nil || !errors.As(err, &unknown) {
		return path, field, err
	}
	for _, other := range others {
		if found, err := s.Lookup(other); err == nil {
			return other, found, nil
		}
	}
	return path, field, err
}

// maxOthers bounds Others, for schemas made to have many aliases.
const maxOthers = 64

// Others lists the other paths under which files of other ages have the field at path, by
// the aliases that any of the schemas declares: a field that the newest schema calls id,
// with the alias view_id, is view_id in a file that has not heard of id. A name that is
// also that of another field of the same record is none for it. The list does not depend
// on the order of the schemas.
func Others(path string, schemas []*Schema) []string {
	schemas = slices.Clone(schemas)
	slices.SortFunc(schemas, func(a, b *Schema) int {
		return cmp.Or(-cmp.Compare(len(a.Paths()), len(b.Paths())), cmp.Compare(a.text, b.text))
	})
	found := []string{path}
	for i := 0; i < len(found); i++ {
		names, err := record.ParsePath(found[i])
		if err != nil {
			return nil
		}
		for _, s := range schemas {
			for _, other := range otherNames([]*Type{s.root}, names) {
				if path := record.JoinPath(other...); len(found) <= maxOthers && !slices.Contains(found, path) {
					found = append(found, path)
				}
			}
		}
	}
	return found[1:]
}

// otherNames lists what may stand for names, one after another, in one of the types.
func otherNames(types []*Type, names []string) (all [][]string) {
	if len(names) == 0 {
		return [][]string{nil}
	}
	records, _ := recordsOf(types)
	for _, r := range records {
		i := r.field(names[0])
		if i < 0 {
			continue
		}
		own := []string{r.Fields[i].Name}
		for _, alias := range r.Fields[i].Aliases {
			if at := r.field(alias); at == i || at < 0 {
				own = append(own, alias)
			}
		}
		for _, rest := range otherNames([]*Type{r.Fields[i].Type}, names[1:]) {
			for _, name := range own {
				if len(all) < maxOthers {
					all = append(all, append([]string{name}, rest...))
				}
			}
		}
	}
	return all
}
