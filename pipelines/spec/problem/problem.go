// Package problem describes what is wrong in a file that a person wrote: where,
// what was found, what is allowed, and how the line should read.
//
// Every problem has a stable code, explained in one table (see Codes).
//
//	problem.go     a problem, and lists of them; print.go: as people see it
//	codes.go       the table of codes; codes_*.go: its rows, by what they are about; streamed.go: specs in their examples
package problem

import (
	"cmp"
	"slices"
	"strconv"
)

// Position is a place in a text file. Line and Column count from 1, columns in
// characters; a Line of 0 stands for the file as a whole.
type Position struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

// String gives file:line:column, as editors and terminals make a link of it.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column)
}

// Severity tells what must be mended from what should be looked at.
type Severity string

// Severities. Only errors make a check fail.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// Problem is one thing that is wrong. Code, Position and Message are always set; the
// rest where it is known.
type Problem struct {
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	Position
	// Field is the dotted path of the key, like engagements.like.window.
	Field string `json:"field,omitempty"`
	// Message says what is wrong, in words.
	Message string `json:"message"`
	// Got is the value that was found.
	Got string `json:"got,omitempty"`
	// Allowed lists what may stand there.
	Allowed []string `json:"allowed,omitempty"`
	// Nearest is the allowed value that was probably meant.
	Nearest string `json:"did_you_mean,omitempty"`
	// Fix is the line as it should read.
	Fix string `json:"fix,omitempty"`
	// Hint says what to do where no line can be given.
	Hint string `json:"hint,omitempty"`
	// Source is the line as it stands.
	Source string `json:"source,omitempty"`
	// Width is how many characters from Column on are meant; 0 and 1 mean one.
	Width int `json:"-"`
}

// Error gives the problem as it is printed, without the newline at the end.
func (p Problem) Error() string {
	return string(p.append(nil))
}

// List is several problems. As an error it prints all of them.
type List []Problem

// Error gives every problem as it is printed, one after another.
func (l List) Error() string {
	var out []byte
	for i, p := range l {
		if i > 0 {
			out = append(out, '\n')
		}
		out = p.append(out)
	}
	return string(out)
}

// Errors returns the problems that must be mended.
func (l List) Errors() List {
	return l.only(SeverityError)
}

// Warnings returns the problems that should be looked at.
func (l List) Warnings() List {
	return l.only(SeverityWarning)
}

func (l List) only(s Severity) List {
	var out List
	for _, p := range l {
		if p.Severity == s {
			out = append(out, p)
		}
	}
	return out
}

// Sort puts the problems in order of file and place. Problems at one place keep
// their order, so that the same spec always gives the same text.
func (l List) Sort() {
	slices.SortStableFunc(l, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// Summary counts the problems and says where their codes are explained, like
// `2 problems, 1 warning; "tributary help T1007" explains`. It is empty for none.
func (l List) Summary() string {
	if len(l) == 0 {
		return ""
	}
	errors, warnings := len(l.Errors()), len(l.Warnings())
	text := ""
	if errors > 0 {
		text = count(errors, "problem")
	}
	if warnings > 0 {
		if text != "" {
			text += ", "
		}
		text += count(warnings, "warning")
	}
	return text + `; "tributary help ` + l[0].Code + `" explains the first`
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return strconv.Itoa(n) + " " + what
}
