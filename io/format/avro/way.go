package avro

import "tributary/io/record"

// wayField is a record on the way that a path leads, and the field of it that leads on.
type wayField struct {
	record *Type
	field  int
	// branches and null are of the union with null that the record stands in: how many it has, and which is null; 0 and -1 for none.
	branches, null int64
}

// wayTo is the way to the field at a path, through records that may be null, and the field's type. The error is an *UnknownFieldError or an
// *AmbiguousFieldError.
func wayTo(s *Schema, path string) (way []wayField, to *Type, err error) {
	names, err := record.ParsePath(path)
	if err != nil {
		return nil, nil, &UnknownFieldError{Path: path}
	}
	to = s.root
	for i, name := range names {
		r, null := through(to, KindRecord)
		if r == nil {
			if records, _ := recordsOf([]*Type{to}); len(records) > 0 {
				return nil, nil, &AmbiguousFieldError{Path: path, At: record.JoinPath(names[:i]...)}
			}
			return nil, nil, &UnknownFieldError{Path: path, At: record.JoinPath(names[:i]...)}
		}
		at := r.field(name)
		if at < 0 {
			return nil, nil, &UnknownFieldError{Path: path, At: record.JoinPath(names[:i]...), Fields: namesIn([]*Type{r})}
		}
		way = append(way, wayField{r, at, int64(len(to.Branches)), null})
		to = r.Fields[at].Type
	}
	return way, to, nil
}

// through is the type of a kind that a type is, or is beside null, and the branch that is null, or -1; nil if it is none.
func through(t *Type, kind Kind) (of *Type, null int64) {
	switch {
	case t.Kind == kind:
		return t, -1
	case t.Kind != KindUnion || len(t.Branches) > 2:
		return nil, -1
	}
	null = -1
	for i, b := range t.Branches {
		switch {
		case b.Kind == KindNull:
			null = int64(i)
		case b.Kind == kind && of == nil:
			of = b
		default:
			return nil, -1
		}
	}
	return of, null
}
