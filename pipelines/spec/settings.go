package spec

import (
	"strconv"
	"strings"
)

// Setting is one value that a spec resolves to.
type Setting struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	// Set tells a value in the file from a default.
	Set bool `json:"set"`
}

// Settings lists what the spec resolves to, in the order of the file format, in words
// short enough for a line each. Where secrets are is told, not what they are.
func (s *Spec) Settings() []Setting { return s.settings(rootSection) }

func (s *Spec) settings(root *section) []Setting {
	l := &lister{spec: s}
	root.show(l, nil, s)
	return l.all
}

// show lists what a mapping resolves to.
func (s *section) show(l *lister, path []string, from any) {
	for _, k := range s.keys {
		k.value.show(l, append(path, k.name), from)
	}
}

// lister collects settings.
type lister struct {
	spec *Spec
	all  []Setting
}

func (l *lister) add(text string, path ...string) {
	l.all = append(l.all, Setting{Key: strings.Join(path, "."), Value: text, Set: l.spec.IsSet(path...)})
}

// item adds one of a list: it is set if the list is.
func (l *lister) item(text string, i int, path ...string) {
	l.all = append(l.all, Setting{Key: strings.Join(path, ".") + "." + strconv.Itoa(i), Value: text, Set: l.spec.IsSet(path...)})
}

func (in Input) text() string {
	if in.Topic != "" {
		text := "topic " + in.Topic + " of " + in.Cluster + " (" + in.reading()
		if in.Subject != "" {
			text += ", subject " + in.Subject
		}
		return text + ")"
	}
	details := []string{string(in.Format)}
	if in.Schema != "" {
		details = append(details, "schema "+in.Schema)
	}
	if in.Delimiter != "" {
		details = append(details, "delimiter "+string(in.Delimiter))
	}
	switch in.Order {
	case OrderNone: // goes without saying
	case OrderFile:
		details = append(details, "each file in order")
	case OrderField:
		details = append(details, "in order of "+in.PartitionField+", "+in.OffsetField)
	}
	place := in.Path
	if in.IsStdin() {
		place = stdinName
	}
	return place + " (" + strings.Join(details, ", ") + ")"
}

// reading says how a topic's values are decoded.
func (in Input) reading() string {
	text := string(in.Format)
	if in.Registry {
		text += ", registry"
	}
	if in.Schema != "" {
		text += ", schema " + in.Schema
	}
	return text
}
