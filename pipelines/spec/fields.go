package spec

import "fmt"

// fields is a mapping being read.
type fields struct {
	r    *reader
	node *node
	at   dotted
	of   *section
	// above is the mapping that this one is part of, nil for the spec itself.
	above *fields
	found map[string]pair
}

// fields reads a mapping of a known shape. Unknown and repeated keys are reported,
// and required ones that are missing. It is nil if the node is no mapping.
func (r *reader) fields(n *node, at dotted, of *section, above *fields) *fields {
	f := r.pairs(n, at, of, above)
	if f == nil {
		return nil
	}
	for _, p := range f.node.pairs {
		if of.key(p.key.text) == nil && !f.renamed(p) {
			f.unknown(p)
		}
	}
	for _, key := range of.required() {
		if _, ok := f.found[key]; !ok {
			f.missing(key)
		}
	}
	return f
}

// pairs reads a mapping with keys of any name: repeated ones are reported.
func (r *reader) pairs(n *node, at dotted, of *section, above *fields) *fields {
	switch n.kind {
	case mapKind:
	case badKind:
		r.failed[at] = true
		return nil
	case nullKind:
		r.add(r.problem("T1012", n, at, "has no value"))
		return nil
	default:
		required := of.required()
		p := r.problem("T1010", n, at, "must be a mapping, got %s", n.kind)
		p.Got, p.Allowed = n.text, of.names()
		switch {
		case n.kind == listKind:
			p.Hint = "write keys with values, without the dash or the brackets of a list"
		case len(required) == 1:
			// Only one key is needed, so this is its value.
			p.Fix = r.replaced(n, fmt.Sprintf("{%s: %s}", required[0], n.text))
		case len(required) > 0:
			p.Hint = fmt.Sprintf("begin with `%s:` on a line of its own, indented", required[0])
		}
		r.add(p)
		return nil
	}
	f := &fields{r: r, node: n, at: at, of: of, above: above, found: map[string]pair{}}
	for _, p := range n.pairs {
		if first, ok := f.found[p.key.text]; ok {
			problem := r.problem("T1009", p.key, at.key(p.key.text), "this key stands here twice; the first is in line %d", first.key.line)
			problem.Hint = "keep one of the two"
			r.add(problem)
			continue
		}
		f.found[p.key.text] = p
		r.mark(at.key(p.key.text), p.key, p.value)
	}
	return f
}

// get returns the value of a key, nil if it is absent.
func (f *fields) get(key string) (*node, dotted) {
	p, ok := f.found[key]
	if !ok {
		return nil, f.at.key(key)
	}
	return p.value, f.at.key(key)
}

func (f *fields) missing(key string) {
	at := f.node
	if m, ok := f.r.marks[string(f.at)]; ok && !f.node.flow && m.key.Line > 0 {
		at = &node{line: m.key.Line, column: m.key.Column}
	}
	if f.node.merged || f.r.promised[wanted{f.node, key}] {
		f.r.failed[f.at.key(key)] = true
		return
	}
	p := f.r.problem("T1011", at, f.at.key(key), "%s needs the key %s", f.of.name, key)
	if f.at == "" {
		p.Source = "" // the file as a whole is meant, not its first line
	}
	if k := f.of.key(key); k != nil && k.example != "" {
		p.Hint = "for example `" + key + ": " + k.example + "`"
	}
	f.r.wanted[wanted{f.node, key}] = p.Field
	f.r.add(p)
}

// wanted is a required key that a mapping lacks.
type wanted struct {
	node *node
	key  string
}
