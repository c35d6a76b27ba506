package record

import (
	"fmt"
	"regexp"
	"strings"
)

// A path names a field of a record: names with dots between them, user.id for the id of the
// user. A name that holds a dot or a quote is written in double quotes, with each quote in
// it twice, as in CSV and SQL: "a.b".c, "5"" screen". A path of one name needs no quotes
// for anything else: Created (UTC), view/id. In a longer one they are also for names with
// spaces at an end, and everywhere for names of nothing but spaces, or of nothing.

// spaces are those that regular expressions call \s, so that a pattern can say the same.
const spaces = " \t\n\f\r"

// ForeignPattern finds what other tools write for a path, a list or a pattern of fields:
// /user/id, $.user.id, user->id, items[0], "a,b", user.*. ParsePath reads it as names, as
// those of a record may be; a person who writes it means something else, so JoinPath puts
// quotes around it.
const ForeignPattern = `^(/|\[|\$([.\[]|$)|[^"]*([,*{}]|->|[^\s"]\[))`

var foreign = regexp.MustCompile(ForeignPattern)

// IsForeignPath tells whether ForeignPattern finds something in a path.
func IsForeignPath(path string) bool { return foreign.MatchString(path) }

// PathError says where a path cannot be read.
type PathError struct {
	Path, Problem string
}

// Error says what is wrong with the path.
func (e *PathError) Error() string {
	return fmt.Sprintf("path %q: %s", e.Path, e.Problem)
}

// ParsePath splits a path into the names it is made of, one at least. The error is a
// *PathError.
func ParsePath(text string) ([]string, error) {
	if !strings.Contains(text, `"`) && !strings.Contains(text, ".") {
		if strings.Trim(text, spaces) == "" {
			return nil, &PathError{text, `a name is empty: write "" for the name of no letters`}
		}
		return []string{text}, nil
	}
	var names []string
	for rest := text; ; {
		name, after, err := firstName(rest)
		if err != "" {
			return nil, &PathError{text, err}
		}
		names = append(names, name)
		if after == "" {
			return names, nil
		}
		rest = after[1:]
	}
}

// firstName reads the name at the start of a path; after begins with a dot or is empty.
func firstName(path string) (name, after, problem string) {
	if strings.HasPrefix(path, `"`) {
		return quotedName(path)
	}
	end := strings.IndexByte(path, '.')
	if end < 0 {
		end = len(path)
	}
	name, after = path[:end], path[end:]
	switch {
	case strings.Trim(name, spaces) == "":
		problem = "a name is empty"
	case strings.Contains(name, `"`):
		problem = "a quote stands inside a name that does not begin with one"
	case strings.Trim(name, spaces) != name:
		problem = "a name begins or ends with a space"
	}
	return name, after, problem
}

func quotedName(path string) (name, after, problem string) {
	var b strings.Builder
	for i := 1; i < len(path); i++ {
		switch {
		case path[i] != '"':
			b.WriteByte(path[i])
		case i+1 < len(path) && path[i+1] == '"':
			b.WriteByte('"')
			i++
		case i+1 < len(path) && path[i+1] != '.':
			return "", "", "text follows the closing quote of a name"
		default:
			return b.String(), path[i+1:], ""
		}
	}
	return "", "", "a quote is not closed"
}

// JoinPath writes names as the path that ParsePath splits into them, with quotes only
// where there must be some.
func JoinPath(names ...string) string {
	var b strings.Builder
	for i, name := range names {
		if i > 0 {
			b.WriteByte('.')
		}
		if strings.TrimSpace(name) == "" || strings.ContainsAny(name, `."`) || IsForeignPath(name) || len(names) > 1 && strings.Trim(name, spaces) != name {
			b.WriteString(`"` + strings.ReplaceAll(name, `"`, `""`) + `"`)
		} else {
			b.WriteString(name)
		}
	}
	return b.String()
}

// FlatName returns the name that a path may stand for where records hold no records:
// dots of a path without quotes may be part of it. ok is false for paths of several names
// with quotes, and for those that cannot be read.
func FlatName(path string) (name string, ok bool) {
	names, err := ParsePath(path)
	switch {
	case err != nil:
		return "", false
	case !strings.Contains(path, `"`):
		return path, true
	default:
		return names[0], len(names) == 1
	}
}

// FlatPath writes the path of a name where records hold no records, with quotes only where
// FlatName would not give the name back.
func FlatPath(name string) string {
	if flat, ok := FlatName(name); ok && flat == name && !IsForeignPath(name) {
		return name
	}
	return JoinPath(name)
}
