package tap

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
)

const (
	// longest bounds a value of a line, in characters, and longestRecord a sample or a record.
	longest       = 100
	longestRecord = 300
	// mostChanged is how many fields of a change are told.
	mostChanged = 8
)

// text is the entry as a line without its end. Nothing in it moves a terminal.
func (e *Entry) text() string {
	parts := []string{fmt.Sprintf("%-6s", e.What), e.WrittenAt.Format("2006-01-02T15:04:05.000Z"), cut(e.Place, longest)}
	add := func(name, value string) {
		if value != "" {
			parts = append(parts, strings.TrimSpace(name+" "+cut(value, longest)))
		}
	}
	add("view", e.ViewID)
	add("of", e.ViewTime)
	add("stage", e.Stage)
	if e.Positive != nil {
		parts = append(parts, map[bool]string{true: "positive", false: "negative"}[*e.Positive])
	}
	add("labels", string(e.Labels))
	if e.Weight != nil && *e.Weight != 1 {
		parts = append(parts, fmt.Sprintf("weight %g", *e.Weight))
	}
	if e.What == Change {
		parts = append(parts, e.changes())
	}
	add("reason", e.Reason)
	add("role", e.Role)
	if e.Source != "" && e.Offset != nil && *e.Offset >= 0 {
		add("from", fmt.Sprintf("%s@%d", e.Source, *e.Offset))
	}
	add("event time", e.EventTime)
	add("watermark", e.Watermark)
	if e.Count > 1 {
		parts = append(parts, fmt.Sprintf("%d records", e.Count))
	}
	add("", e.Detail)
	add("", e.Note)
	for _, whole := range []string{string(e.Sample), string(e.Record), e.Bytes} {
		if whole != "" {
			parts = append(parts, "| "+cut(whole, longestRecord))
		}
	}
	return strings.Join(parts, "  ")
}

// changes says which version it is, and what is another one in it.
func (e *Entry) changes() string {
	text := fmt.Sprintf("version %d.%d", e.Version, max(e.Group, 1))
	switch {
	case e.Corrected == "late":
		text += ", corrected for late engagements"
	case e.Corrected != "":
		text += ", corrected"
	}
	if e.Before != nil {
		if string(e.Before) == string(e.Labels) {
			text += ", labels as before"
		} else {
			text += ", labels were " + cut(string(e.Before), longest)
		}
	}
	paths := slices.Sorted(maps.Keys(e.Changed))
	for _, path := range paths[:min(len(paths), mostChanged)] {
		values := e.Changed[path]
		text += fmt.Sprintf(", %s: %s -> %s", cut(path, longest), cut(string(values[0]), longest), cut(string(values[1]), longest))
	}
	if more := len(paths) - mostChanged; more > 0 {
		text += fmt.Sprintf(", and %d fields more", more)
	}
	return text
}

// cut shows so many characters of a text at most.
func cut(text string, most int) string {
	var b strings.Builder
	n := 0
	for _, c := range text {
		if n == most {
			return b.String() + "..."
		}
		if !unicode.IsPrint(c) {
			c = '\uFFFD'
		}
		b.WriteRune(c)
		n++
	}
	return b.String()
}
