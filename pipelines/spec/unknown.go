package spec

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// unknown reports a key that the mapping does not take: one that belongs to a
// neighbouring mapping is wrongly indented, any other one is misspelt or made up.
func (f *fields) unknown(p pair) {
	at := f.at.key(p.key.text)
	if f.misplaced(p, at) {
		return
	}
	problem := f.r.problem("T1007", p.key, at, "%s has no key %q", f.of.name, p.key.text)
	problem.Got, problem.Allowed = p.key.text, f.free()
	if near := Nearest(p.key.text, problem.Allowed); near != "" {
		problem.Nearest, problem.Fix = near, f.r.replaced(p.key, near)
		// Read on as if it were spelt right: its value is checked too, and a required
		// key is not reported as missing on top.
		if _, taken := f.found[near]; !taken {
			f.found[near] = p
		}
	} else if home := home(p.key.text, f.r.root, ""); home != "" {
		problem.Hint = "it belongs in " + home
	}
	f.r.add(problem)
}

// free lists the keys that the mapping may still take, or all if none is left.
func (f *fields) free() []string {
	var out []string
	for _, key := range f.of.names() {
		if _, ok := f.found[key]; !ok {
			out = append(out, key)
		}
	}
	if len(out) == 0 {
		return f.of.names()
	}
	return out
}

// misplaced reports a key that belongs to a mapping further out, or to one that
// stands just above it.
func (f *fields) misplaced(p pair, at dotted) bool {
	for outer := f.above; outer != nil; outer = outer.above {
		if !outer.of.has(p.key.text) {
			continue
		}
		if _, taken := outer.found[p.key.text]; taken {
			continue
		}
		f.moved(p, at, outer.of, outer.node, "less")
		return true
	}
	// Indented too little, it ended the mapping that it belongs to.
	for _, above := range f.innerAbove(p.key.line) {
		about := f.of.key(above.key.text).value.about()
		inner := about.inner[0]
		values := []*node{above.value}
		if above.value.kind == listKind {
			values = above.value.items
		}
		// One level further down where the names in between are free.
		if about.named != "" {
			if len(values) == 0 || len(values[0].pairs) == 0 {
				continue
			}
			values = []*node{values[0].pairs[len(values[0].pairs)-1].value}
		}
		if len(values) > 0 && inner.has(p.key.text) {
			f.moved(p, at, inner, values[len(values)-1], "more")
			return true
		}
	}
	return false
}

// innerAbove lists the mappings within this one that begin above a line, the nearest
// first.
func (f *fields) innerAbove(line int) []pair {
	var out []pair
	for _, k := range f.of.keys {
		if p, ok := f.found[k.name]; ok && len(k.value.about().inner) > 0 && p.key.text == k.name && p.key.line < line {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b pair) int { return cmp.Or(b.key.line-a.key.line, b.key.column-a.key.column) })
	return out
}

func (f *fields) moved(p pair, at dotted, where *section, to *node, how string) {
	problem := f.r.problem("T1008", p.key, at, "%q belongs to %s, not to %s", p.key.text, where.name, f.of.name)
	problem.Got = p.key.text
	if !f.node.flow && to.kind == mapKind && !to.flow {
		column := to.pairs[0].key.column
		if column != p.key.column {
			problem.Hint = fmt.Sprintf("indent it %s: %d spaces, not %d", how, column-1, p.key.column-1)
			problem.Fix = f.r.line(p.key.line)
			f.r.moves[p.key.line] = column - 1
		}
	}
	if problem.Hint == "" {
		problem.Hint = "move it there"
	}
	// Found here, it is not missing there, whichever of the two is read first.
	f.r.promised[wanted{to, p.key.text}] = true
	if field, ok := f.r.wanted[wanted{to, p.key.text}]; ok {
		f.r.drop("T1011", field)
	}
	f.r.add(problem)
	if k := where.key(p.key.text); k != nil && k.value.about().anywhere {
		f.r.duration(p.value, at, 0)
	}
}

// home finds a mapping that takes a key, as a dotted path; empty if there is none.
func home(name string, of *section, at string) string {
	if of.has(name) {
		if at == "" {
			return "the spec's outermost level"
		}
		return at
	}
	for _, k := range of.keys {
		about := k.value.about()
		for _, inner := range about.inner {
			path := at + "." + k.name
			if about.named != "" {
				path += "." + about.named
			}
			if found := home(name, inner, strings.TrimPrefix(path, ".")); found != "" {
				return found
			}
		}
	}
	return ""
}
