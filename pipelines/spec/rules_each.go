package spec

import (
	"slices"

	"tributary/io/record"
	"tributary/transforms/attribution/rules"
)

// eachRules looks at a list of which every element is an event: whole are the fields that the record must have itself, since what
// is late is decided by them before the list is read; apart are those of which one at least must tell its elements apart.
func (r *reader) eachRules(each string, role dotted, inputs []Input, whole, apart []use, what string) {
	at := role.key("each")
	if each == "" || !r.ok(at) {
		return
	}
	if each == rules.Index || record.IsOwn(each) {
		p := r.problem("T1126", r.at(at), at, "%s is a value, and no list", each)
		if each == rules.Index {
			p.Message = each + " is the position of an element, and no list"
		}
		p.Got, p.Hint = each, "name the field that holds the list"
		r.add(p)
		return
	}
	for i, in := range inputs {
		if !in.Format.table() {
			continue
		}
		at := role.key("inputs")
		if r.isSet(at.index(i)) {
			at = at.index(i)
		}
		p := r.problem("T1125", r.at(at), at, "each makes events of the elements of %s, and records of %s hold no lists", each, in.Format)
		p.Got = string(in.Format)
		r.add(p)
	}
	for _, u := range whole {
		if rules.InElement(u.field, each) {
			p := r.problem("T1126", r.at(u.at), u.at, "%s is of an element of %s: a record has one time and one place in its log for all of them", u.field, each)
			p.Got, p.Hint = u.field, "name a field of the record itself"
			r.add(p)
		}
	}
	if len(apart) > 0 && !slices.ContainsFunc(apart, func(u use) bool { return rules.InElement(u.field, each) }) {
		p := r.problem("T1127", r.at(apart[0].at), apart[0].at, "%s, so that all elements of %s in a record are the same event", what, each)
		p.Got = apart[0].field
		p.Hint = "name a field of the element as well, like " + each + ".id, or its position, " + rules.Index
		r.add(p)
	}
}

// ofRecord are the fields of an id that records of a test have themselves; those of elements the join looks at, and those that are
// computed.
func ofRecord(paths []string, each string, computed []ComputedField) []string {
	return slices.DeleteFunc(slices.Clone(paths), func(path string) bool {
		return each != "" && rules.InElement(path, each) || slices.ContainsFunc(computed, func(f ComputedField) bool { return f.Name == path })
	})
}
