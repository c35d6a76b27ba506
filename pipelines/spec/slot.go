package spec

// valueType is a type of values: how they are read, written and shown.
type valueType[V any] struct {
	about
	// start puts defaults of an inner mapping in place, nil if there are none.
	start func(v *V)
	read  func(r *reader, n *node, at dotted, f *fields) V
	// fill puts defaults in place, in what is inside, that depend on other values.
	fill func(r *reader, s *Spec, at dotted, v *V)
	// absent tells a value that is not written, nil if every one is.
	absent func(v V) bool
	// inline writes a value in one line. block does so over several, nil if one will do.
	inline func(v V) string
	block  func(w *writer, indent int, name string, v V)
	// text is the value as check shows it, nil if that is as it is written; show lists what is
	// in it, nil for a single line.
	text func(v V) string
	show func(l *lister, path []string, v V)
	// constant is the value in JSON, nil if that is the text of it.
	constant func(v V) any
}

// slot is a value of a type and its place in a T.
type slot[T, V any] struct {
	of  valueType[V]
	get func(t *T) V
	set func(t *T, v V)
	// byKey reads a value that depends on what was read before it.
	byKey func(r *reader, n *node, at dotted, f *fields, t *T) V
	// usual is the default, or usually computes it; words say how.
	usual   *V
	usually func(s *Spec, t *T) V
	words   string
	// shown tells whether check shows the key, nil if it always does.
	shown func(t *T) bool
	// none is shown for a value that is absent; empty leaves the line out.
	none string
}

// at is a value of a type in a field of T.
func at[T, V any](of valueType[V], field func(t *T) *V) slot[T, V] {
	return slot[T, V]{
		of:  of,
		get: func(t *T) V { return *field(t) },
		set: func(t *T, v V) { *field(t) = v },
	}
}

// through is a value of a type that T holds in another shape.
func through[T, V any](of valueType[V], get func(t *T) V, set func(t *T, v V)) slot[T, V] {
	return slot[T, V]{of: of, get: get, set: set}
}

// or gives the key a default.
func (s slot[T, V]) or(v V) slot[T, V] {
	s.usual = &v
	return s
}

// orElse gives the key a default that is computed, or that only words say: usually may be nil.
func (s slot[T, V]) orElse(words string, usually func(s *Spec, t *T) V) slot[T, V] {
	s.words, s.usually = words, usually
	return s
}

// readBy reads the value with a look at what was read before it.
func (s slot[T, V]) readBy(read func(r *reader, n *node, at dotted, f *fields, t *T) V) slot[T, V] {
	s.byKey = read
	return s
}

// unless says which values are as good as none, and are not written.
func (s slot[T, V]) unless(absent func(v V) bool) slot[T, V] {
	s.of.absent = absent
	return s
}

// shownIf says beside what the key is worth a line of check.
func (s slot[T, V]) shownIf(shown func(t *T) bool) slot[T, V] {
	s.shown = shown
	return s
}

// orShow says what check shows where the value is absent.
func (s slot[T, V]) orShow(none string) slot[T, V] {
	s.none = none
	return s
}

func (s slot[T, V]) about() about { return s.of.about }

func (s slot[T, V]) standard() (any, string) {
	if s.usual == nil {
		return nil, s.words
	}
	text := s.of.inline(*s.usual)
	if s.of.constant != nil {
		return s.of.constant(*s.usual), text
	}
	return text, text
}

func (s slot[T, V]) reset(into any) {
	var v V
	if s.of.start != nil {
		s.of.start(&v)
	} else if s.usual != nil {
		v = *s.usual
	} else {
		return
	}
	s.set(into.(*T), v)
}

func (s slot[T, V]) read(r *reader, n *node, at dotted, f *fields, into any) {
	t := into.(*T)
	if s.byKey != nil {
		s.set(t, s.byKey(r, n, at, f, t))
		return
	}
	s.set(t, s.of.read(r, n, at, f))
}

func (s slot[T, V]) fill(r *reader, spec *Spec, at dotted, into any) {
	t := into.(*T)
	if s.usually != nil && !r.isSet(at) {
		s.set(t, s.usually(spec, t))
	}
	if s.of.fill != nil {
		v := s.get(t)
		s.of.fill(r, spec, at, &v)
		s.set(t, v)
	}
}

// value returns what there is to write, if there is something.
func (s slot[T, V]) value(from any) (v V, ok bool) {
	v = s.get(from.(*T))
	return v, s.of.absent == nil || !s.of.absent(v)
}

func (s slot[T, V]) inline(from any) string {
	v, ok := s.value(from)
	if !ok {
		return ""
	}
	return s.of.inline(v)
}

func (s slot[T, V]) write(w *writer, indent int, name string, from any) {
	v, ok := s.value(from)
	switch {
	case !ok:
	case s.of.block != nil:
		s.of.block(w, indent, name, v)
	default:
		w.line(indent, name, s.of.inline(v))
	}
}

func (s slot[T, V]) show(l *lister, path []string, from any) {
	v, ok := s.value(from)
	switch {
	case s.shown != nil && !s.shown(from.(*T)):
	case !ok && s.none == "":
	case !ok:
		l.add(s.none, path...)
	case s.of.show != nil:
		s.of.show(l, path, v)
	case s.of.text != nil:
		l.add(s.of.text(v), path...)
	default:
		l.add(s.of.inline(v), path...)
	}
}
