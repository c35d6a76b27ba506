package draft

import (
	"cmp"
	"slices"
	"strings"

	"tributary/pipelines/profile"
	"tributary/pipelines/spec"
)

// mostKinds is how many values a column that tells kinds apart may have.
const mostKinds = 12

// name finds the kinds of the engagements, and their own id.
func (e *engagements) name() {
	e.findKinds()
	for _, f := range e.profile.Fields {
		if e.isOwnID(f) {
			e.id = f.Path
			break
		}
	}
}

func (e *engagements) findKinds() {
	for _, f := range e.profile.Fields {
		if !isKindColumn(f, mostKinds) || e.only != nil && !e.isKinds(f.Path) {
			continue
		}
		for value, n := range f.Values {
			name := spec.KindName(value)
			if name == "" || hasAny(strings.Split(single(name), "_"), viewWords) && !hasAny(strings.Split(name, "_"), engWords) {
				e.passed = append(e.passed, value)
				continue
			}
			e.kinds = append(e.kinds, kind{name: name, value: value, count: n})
		}
		if len(e.kinds) == 0 {
			e.passed = nil
			continue
		}
		e.column = f.Path
		slices.Sort(e.passed)
		slices.SortFunc(e.kinds, func(a, b kind) int { return cmp.Or(-cmp.Compare(a.count, b.count), cmp.Compare(a.value, b.value)) })
		return
	}
	name := roleWord(e.words)
	if name == "" {
		name = spec.KindName(strings.Join(e.singleWords(), "_"))
	}
	if name == "" {
		name = "engagement"
	}
	e.kinds = []kind{{name: name, count: e.profile.Records}}
}

// isKindColumn tells whether a field tells kinds of engagements apart, of which there are at most so many.
func isKindColumn(f *profile.Field, most int) bool {
	words := nameWords(f.Path)
	if f.Texts != f.Filled || f.Filled == 0 || f.TextInts+f.TextFloats+f.TextTimes > 0 || len(f.Values) == 0 || len(f.Values) > most {
		return false
	}
	if slices.Equal(words, []string{"event", "name"}) {
		return true
	}
	return len(words) > 0 && slices.Contains(kindWords, words[len(words)-1]) && !hasAny(words, whose)
}

// isOwnID tells whether a field is the engagement's own id. A wrong guess makes records
// duplicates of one another, so it takes a name that says so.
func (e *engagements) isOwnID(f *profile.Field) bool {
	words := nameWords(f.Path)
	if slices.Contains(e.view, f.Path) || slices.Contains(e.key, f.Path) || !isIDName(f.Path) || f.Filled < e.profile.Records || f.Floats+f.Bools+f.Lists > 0 || uniqueness(f) < 0.9 {
		return false
	}
	about := append(slices.Clone(engWords), "message", "record", "row")
	for _, k := range e.kinds {
		about = append(about, strings.Split(k.name, "_")...)
	}
	for _, w := range words[:len(words)-1] {
		if !slices.Contains(about, w) {
			return false
		}
	}
	return true
}

// amount is a field whose sum might be a label; empty if there is none.
func (e *engagements) amount() string {
	for _, f := range e.profile.Fields {
		if f.Filled > 0 && f.Ints+f.Floats+f.TextInts+f.TextFloats == f.Filled && hasAny(nameWords(f.Path), valueWords) {
			return f.Path
		}
	}
	return ""
}
