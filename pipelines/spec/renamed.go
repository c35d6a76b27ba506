package spec

// renamed reads a key under the name that it had before, with a warning; under both it is an
// error, as one of the two would have no effect.
func (f *fields) renamed(p pair) bool {
	for _, k := range f.of.keys {
		if k.was == "" || k.was != p.key.text || !k.meantBy(p.value) {
			continue
		}
		at := f.at.key(k.name)
		if other, ok := f.found[k.name]; ok {
			if f.found[p.key.text].key == p.key { // else it stands twice, which is said
				problem := f.r.problem("T1009", p.key, at, "this is the old name of %s, which stands in line %d", k.name, other.key.line)
				problem.Hint = "keep " + k.name
				f.r.add(problem)
			}
			return true
		}
		f.found[k.name] = p
		f.r.mark(at, p.key, p.value)
		problem := f.r.problem("T1016", p.key, at, "%s is now called %s", p.key.text, k.name)
		problem.Got, problem.Nearest, problem.Fix = p.key.text, k.name, f.r.replaced(p.key, k.name)
		f.r.add(problem)
		return true
	}
	return false
}

// meantBy tells whether a value under the old name had the meaning of this key.
func (k key) meantBy(n *node) bool {
	return k.wasType == "" || (k.wasType == "object") == (n.kind == mapKind)
}
