package spec

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// YAML writes the spec in the form that Parse reads, with every default written out.
// Paths are written as they are, so relative ones must fit the folder of the file
// that the text is put in.
func (s *Spec) YAML() []byte { return s.yaml(rootSection) }

func (s *Spec) yaml(root *section) []byte {
	w := &writer{}
	root.write(w, 0, s)
	return []byte(w.b.String())
}

// write writes a mapping, each key in lines of its own.
func (s *section) write(w *writer, indent int, from any) {
	for _, k := range s.keys {
		k.value.write(w, indent, k.name, from)
	}
}

// inline writes a mapping in one line.
func (s *section) inline(from any) string {
	var parts []string
	for _, k := range s.keys {
		if value := k.value.inline(from); value != "" {
			parts = append(parts, k.name+": "+value)
		}
	}
	return braced(parts)
}

type writer struct{ b strings.Builder }

func (w *writer) line(indent int, key, value string) {
	w.b.WriteString(strings.Repeat(" ", indent) + key + ":")
	if value != "" {
		w.b.WriteString(" " + value)
	}
	w.b.WriteByte('\n')
}

// text writes a line.
func (w *writer) text(indent int, line string) {
	w.b.WriteString(strings.Repeat(" ", indent) + line + "\n")
}

// item writes an item of a list: what write does, with a dash before it.
func (w *writer) item(indent int, write func(indent int)) {
	start := w.b.Len()
	write(indent + 2)
	item := w.b.String()[start+indent+2:]
	rest := w.b.String()[:start]
	w.b.Reset()
	w.b.WriteString(rest + strings.Repeat(" ", indent) + "- " + item)
}

func (w *writer) recordsByKind(indent int, name string, all map[string][]map[string]any) {
	w.line(indent, name, "")
	if len(all) == 0 {
		w.text(indent+2, "{}")
	}
	for _, kind := range slices.Sorted(maps.Keys(all)) {
		w.records(indent+2, kind, all[kind])
	}
}

func (w *writer) records(indent int, key string, records []map[string]any) {
	if len(records) == 0 {
		w.line(indent, key, "[]")
		return
	}
	w.line(indent, key, "")
	for _, r := range records {
		w.text(indent+2, "- "+flowText(r))
	}
}

// plainText is what needs no quotes anywhere in YAML.
var plainText = regexp.MustCompile(`^[\pL_./][\pL\pN_./=-]*( [\pL\pN_./=-]+)*$`)

// quoted writes text, in quotes unless it is plainly text without, and no word of specs.
func quoted(text string) string {
	if slices.Contains(reserved, strings.ToLower(text)) {
		return strconv.Quote(text)
	}
	return inYAML(text)
}

// yamlWords are no text to some reader of YAML.
var yamlWords = []string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}

// inYAML writes text as a value or key, in quotes unless it is plainly text without.
func inYAML(text string) string {
	if plainText.MatchString(text) && !slices.Contains(yamlWords, strings.ToLower(text)) && strings.Trim(text, ".") != "" && !numeric(text) {
		return text
	}
	printable := strings.IndexFunc(text, func(c rune) bool { return !unicode.IsPrint(c) }) < 0
	if printable && strings.ContainsAny(text, `"\`) {
		return "'" + strings.ReplaceAll(text, "'", "''") + "'"
	}
	return strconv.Quote(text)
}

// numeric tells whether text looks like a number or time to some reader of YAML.
func numeric(text string) bool {
	_, err := strconv.ParseFloat(strings.TrimLeft(text, "."), 64)
	return err == nil
}

func number(f float64) string {
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// flowText writes a value of a test in brackets.
func flowText(v any) string {
	switch v := v.(type) {
	case string:
		return quoted(v)
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		text := number(v)
		if !strings.Contains(text, ".") {
			text += ".0" // it must not come back as an integer
		}
		return text
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = flowText(item)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		parts := make([]string, 0, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, quoted(key)+": "+flowText(v[key]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return "null"
}

func list(texts []string) string {
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = quoted(text)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func braced(parts []string) string { return "{" + strings.Join(parts, ", ") + "}" }
