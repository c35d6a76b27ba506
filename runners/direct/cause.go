package direct

import (
	"regexp"
	"strings"
)

// failedError is an error of a pipeline as it happened, without the plan and the steps that
// Beam writes around it.
type failedError struct {
	cause string
	err   error
}

func (e *failedError) Error() string { return e.cause }

func (e *failedError) Unwrap() error { return e.err }

// step begins the error of a DoFn; the errors of the DoFns that it emitted to follow.
var step = regexp.MustCompile(`^DoFn\[UID:[^\n]*\] failed:\n`)

// causeOf cuts out of an error of Beam what went wrong. Beam keeps a DoFn's error as text.
func causeOf(err error) error {
	text := err.Error()
	const by = "\n\tcaused by:\n"
	if at := strings.LastIndex(text, by); at >= 0 {
		text = text[at+len(by):]
	}
	for {
		rest := strings.TrimLeft(step.ReplaceAllString(text, ""), "\t\n")
		if rest == text {
			break
		}
		text = rest
	}
	return &failedError{cause: text, err: err}
}
