package spec

import (
	"regexp"
	"strings"
	"unicode"

	"tributary/io/record"
)

// fieldPattern is the path of a field: what record.ParsePath reads.
const fieldPattern = `^([^."]*[^\s."][^."]*|` + fieldName + `(\.` + fieldName + `)*)$`

const fieldName = `("([^"]|"")*"|[^\s."]([^."]*[^\s."])?)`

// listItem is how other tools name an item of a list.
var listItem = regexp.MustCompile(`\[[0-9*]*\]`)

// fieldPath reads the path of a field, and brings it into the one form that JoinPath writes.
func (r *reader) fieldPath(n *node, at dotted) string {
	if r.text(n, at) == "" {
		return ""
	}
	return r.checkFieldPath(n, at)
}

// checkFieldPath returns the path in a node, empty if it is none.
func (r *reader) checkFieldPath(n *node, at dotted) string {
	names, err := record.ParsePath(n.text)
	if err == nil && !record.IsForeignPath(n.text) {
		return record.JoinPath(names...)
	}
	p := r.problem("T1107", n, at, "%q is not the path of a field", n.text)
	p.Got, p.Allowed = n.text, []string{"names with dots between them, like user.id"}
	p.Hint = "if a field has this name, put it in double quotes inside the quotes of YAML: " + inYAML(record.JoinPath(n.text))
	switch guess := foreignPath(n.text); {
	case listItem.MatchString(n.text), secret.MatchString(n.text):
		p.Hint = "items of lists cannot be named, nor places outside the record; " + p.Hint
	case guess != "":
		p.Nearest, p.Fix = guess, r.replaced(n, inYAML(guess))
	case strings.Contains(n.text, ","):
		p.Hint = "this is one field: an id of several is a list in brackets, like [request_id, item.id]; " + p.Hint
	}
	r.add(p)
	return ""
}

// foreignPath turns the path of another tool into one of ours; empty if it is none.
func foreignPath(text string) string {
	if strings.ContainsAny(text, `",*{}`) {
		return ""
	}
	guess := strings.NewReplacer("->", ".", "[", ".", "]", "", "'", "").Replace(text)
	if strings.HasPrefix(text, "/") {
		guess = strings.ReplaceAll(guess, "/", ".")
	}
	guess = strings.TrimPrefix(guess, "$")
	names := strings.FieldsFunc(guess, func(c rune) bool { return c == '.' })
	for i := range names {
		names[i] = strings.TrimFunc(names[i], unicode.IsSpace)
	}
	guess = strings.Join(names, ".")
	if _, err := record.ParsePath(guess); err != nil || record.IsForeignPath(guess) {
		return ""
	}
	return guess
}

// FieldText writes the path of a field as it stands in a spec, in quotes where YAML wants
// them.
func FieldText(path string) string { return inYAML(path) }
