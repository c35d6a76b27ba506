package problem

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Code explains one kind of problem. Codes are part of the interface: they are never
// given another meaning.
type Code struct {
	// ID is T and four digits.
	ID       string
	Severity Severity
	// Title says what is wrong, in a few words.
	Title string
	// Cause says why it is a problem and what follows from it.
	Cause string
	// Bad shows the mistake and Good the same mended: either a whole spec, or the
	// part of one that matters (the other sections go without saying).
	Bad, Good string
}

// Codes lists every code in order.
func Codes() []Code {
	return slices.Concat(syntaxCodes, inputCodes, timeCodes, labelCodes, outputCodes, pipeCodes, severalLabelCodes, computedCodes, testCodes, kafkaCodes, fileCodes)
}

var byID = sync.OnceValue(func() map[string]Code {
	out := map[string]Code{}
	for _, c := range Codes() {
		out[c.ID] = c
	}
	return out
})

// Find returns the explanation of a code; case does not matter.
func Find(id string) (Code, bool) {
	c, ok := byID()[strings.ToUpper(id)]
	return c, ok
}

// Text is the explanation as `tributary help CODE` prints it.
func (c Code) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s): %s\n\n%s\n", c.ID, c.Severity, c.Title, strings.TrimSpace(c.Cause))
	fmt.Fprintf(&b, "\nWrong:\n\n%s\n\nRight:\n\n%s\n", indent(c.Bad), indent(c.Good))
	return b.String()
}

func indent(text string) string {
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	for i, line := range lines {
		if line != "" {
			lines[i] = "    " + line
		}
	}
	return strings.Join(lines, "\n")
}

// New starts a problem with a code's severity.
//
// New panics if there is no such code: every code must have its explanation.
func New(code string, at Position, field, message string) Problem {
	c, ok := Find(code)
	if !ok {
		panic("problem.New: no code " + code)
	}
	return Problem{Code: code, Severity: c.Severity, Position: at, Field: field, Message: message}
}
