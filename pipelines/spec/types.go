package spec

import (
	"math"
	"strconv"
	"time"
)

// empty tells a value that says nothing.
func empty[V comparable](v V) bool {
	var zero V
	return v == zero
}

// textType is text that is not empty.
var textType = valueType[string]{
	about:  about{what: "text", schema: ref("text")},
	read:   func(r *reader, n *node, at dotted, _ *fields) string { return r.text(n, at) },
	absent: empty[string], inline: quoted,
	text: func(text string) string { return text },
}

// textLike is text of a narrower form.
func textLike(a about, read func(r *reader, n *node, at dotted) string) valueType[string] {
	f := textType
	f.about = a
	f.read = func(r *reader, n *node, at dotted, _ *fields) string { return read(r, n, at) }
	return f
}

// fieldType is the path of a field.
var fieldType = textLike(about{what: "a field", schema: ref("field")}, (*reader).fieldPath)

// idType is the path of a field that is an id, or those of several that are one together.
var idType = func() valueType[[]string] {
	f := orList(fieldType, "field")
	f.absent = func(paths []string) bool { return len(paths) == 0 }
	f.inline = func(paths []string) string {
		if len(paths) == 1 {
			return quoted(paths[0])
		}
		return list(paths)
	}
	return f
}()

// durationType and lengthType are durations, lengthType without 0s.
var (
	durationType = durations(0, about{what: "a duration", schema: ref("duration")})
	lengthType   = durations(time.Millisecond, about{what: "a duration above 0s", schema: ref("length")})
)

func durations(least time.Duration, a about) valueType[time.Duration] {
	a.anywhere = true
	return valueType[time.Duration]{
		about:  a,
		read:   func(r *reader, n *node, at dotted, _ *fields) time.Duration { return r.duration(n, at, least) },
		inline: FormatDuration,
	}
}

// orNever is a duration, or never, which is 0.
func orNever(f valueType[time.Duration]) valueType[time.Duration] {
	read := f.read
	f.about = about{what: f.what + " or never", schema: object{{"anyOf", []any{f.schema, oneOf(never)}}}, words: []string{never}}
	f.read = func(r *reader, n *node, at dotted, above *fields) time.Duration {
		if n.kind == textKind && n.text == never {
			return 0
		}
		return read(r, n, at, above)
	}
	f.inline = func(d time.Duration) string {
		if d == 0 {
			return never
		}
		return FormatDuration(d)
	}
	return f
}

// whole is a whole number in [lo, hi].
func whole[V ~int | ~int32](lo, hi int64) valueType[V] {
	what := "a whole number from " + strconv.FormatInt(lo, 10) + " to " + strconv.FormatInt(hi, 10)
	if hi == math.MaxInt32 {
		what = "a whole number from " + strconv.FormatInt(lo, 10)
	}
	return valueType[V]{
		about:    about{what: what, schema: object{{"type", "integer"}, {"minimum", lo}, {"maximum", hi}}},
		read:     func(r *reader, n *node, at dotted, _ *fields) V { return V(r.whole(n, at, lo, hi)) },
		inline:   func(v V) string { return strconv.FormatInt(int64(v), 10) },
		constant: func(v V) any { return int64(v) },
	}
}

// rateType is a share of something.
var rateType = valueType[float64]{
	about:    about{what: "a number above 0, up to 1", schema: object{{"type", "number"}, {"exclusiveMinimum", 0}, {"maximum", 1}}},
	read:     func(r *reader, n *node, at dotted, _ *fields) float64 { return r.rate(n, at) },
	inline:   number,
	constant: func(v float64) any { return v },
}

// yesType is true or false.
var yesType = valueType[bool]{
	about:    about{what: "true or false", schema: object{{"type", "boolean"}}},
	read:     func(r *reader, n *node, at dotted, _ *fields) bool { return r.yes(n, at) },
	inline:   strconv.FormatBool,
	constant: func(v bool) any { return v },
}

// choice is one of a few words.
func choice[V ~string](words []V) valueType[V] {
	return valueType[V]{
		about:  about{what: "a word", schema: oneOf(texts(words)...), words: texts(words)},
		read:   func(r *reader, n *node, at dotted, _ *fields) V { return V(r.choice(n, at, texts(words))) },
		inline: func(v V) string { return inYAML(string(v)) },
		text:   func(v V) string { return string(v) },
		absent: empty[V],
	}
}

// mapping is a mapping of a section, each key in a line of its own.
func mapping[V any](s *section) valueType[V] {
	return valueType[V]{
		about: about{what: "a mapping", schema: s.schema(), inner: []*section{s}},
		start: func(v *V) { s.reset(v) },
		read: func(r *reader, n *node, at dotted, f *fields) (v V) {
			s.read(r, n, at, f, &v)
			return v
		},
		fill:   func(r *reader, spec *Spec, at dotted, v *V) { s.fill(r, spec, at, v) },
		inline: func(v V) string { return s.inline(&v) },
		block: func(w *writer, indent int, name string, v V) {
			w.line(indent, name, "")
			s.write(w, indent+2, &v)
		},
		show: func(l *lister, path []string, v V) { s.show(l, path, &v) },
	}
}

// optional is a value that may be missing, which is nil.
func optional[V any](f valueType[V]) valueType[*V] {
	out := valueType[*V]{
		about: f.about,
		read: func(r *reader, n *node, at dotted, above *fields) *V {
			v := f.read(r, n, at, above)
			return &v
		},
		absent: func(v *V) bool { return v == nil },
		inline: func(v *V) string { return f.inline(*v) },
	}
	if f.text != nil {
		out.text = func(v *V) string { return f.text(*v) }
	}
	return out
}

// flow is a value in one line of YAML and of check.
func flow[V any](f valueType[V], text func(v V) string) valueType[V] {
	f.block, f.show, f.text = nil, nil, text
	return f
}

// orList is one value or a list of them.
func orList(item valueType[string], nothing string) valueType[[]string] {
	return valueType[[]string]{
		about: about{
			what: item.what + " or a list of them", words: item.words,
			schema: object{{"anyOf", []any{item.schema, object{{"type", "array"}, {"minItems", 1}, {"items", item.schema}}}}},
		},
		read: func(r *reader, n *node, at dotted, f *fields) []string {
			if n.kind == listKind {
				return r.list(n, at, f, item, nothing)
			}
			if text := item.read(r, n, at, f); text != "" {
				return []string{text}
			}
			return nil
		},
		inline: list,
		text:   commas,
	}
}

// list reads the items of a list that are not empty; an empty list names nothing.
func (r *reader) list(n *node, at dotted, f *fields, item valueType[string], nothing string) []string {
	if len(n.items) == 0 {
		r.add(r.problem("T1012", n, at, "names no %s", nothing))
	}
	var out []string
	for i, one := range n.items {
		at := at.index(i)
		r.mark(at, one, one)
		if text := item.read(r, one, at, f); text != "" {
			out = append(out, text)
		}
	}
	return out
}

// oneOf is the schema of a few words.
func oneOf(words ...string) object {
	all := make([]any, len(words))
	for i, word := range words {
		all[i] = word
	}
	return object{{"enum", all}}
}
