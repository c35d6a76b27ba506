package audit

import (
	"maps"
	"slices"

	"github.com/tidwall/gjson"

	"tributary/io/record"
)

// longestValue bounds what is told of a value.
const longestValue = 200

// differences are the fields in which two JSON objects differ: those of objects in both one by one, lists as a whole.
func differences(want, got string) []Difference {
	return inFields(nil, nil, gjson.Parse(want), gjson.Parse(got), shortened)
}

// inFields does so below a path; text is what is told of a value.
func inFields(out []Difference, path []string, want, got gjson.Result, text func(raw string) string) []Difference {
	wants, gots := want.Map(), got.Map()
	names := slices.Collect(maps.Keys(wants))
	for name := range gots {
		if _, both := wants[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		w, g, at := wants[name], gots[name], append(slices.Clone(path), name)
		switch {
		case w.IsObject() && g.IsObject():
			out = inFields(out, at, w, g, text)
		case w.Raw != g.Raw:
			out = append(out, Difference{record.JoinPath(at...), text(w.Raw), text(g.Raw)})
		}
	}
	return out
}

func shortened(text string) string {
	if len(text) <= longestValue {
		return text
	}
	return text[:longestValue] + "…"
}

func whole(text string) string { return text }
