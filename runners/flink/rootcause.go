package flink

import (
	"regexp"
	"strings"
)

var (
	// A class name with its package, or several of them wrapped around each other, before a message.
	javaClasses = regexp.MustCompile(`^(?:[a-z][\w]*(?:\.\w+)*\.[A-Z][\w$]*(?:: |$))+`)
	// How Beam's runner introduces an error of Go code.
	harnessError = regexp.MustCompile(`^Error received from SDK harness for instruction \S+: `)
)

// RootCause says in words what a Java stack trace is about: the message of its innermost
// cause and, if that came out of Go code, the innermost error there. A trace that names no
// reason is told by its exception.
func RootCause(trace string) string {
	var chain []string // messages, each a cause of the one before
	inTrace := false
	for line := range strings.SplitSeq(strings.ReplaceAll(trace, "\r", ""), "\n") {
		text := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(text, "Caused by: "):
			chain, inTrace = append(chain, strings.TrimPrefix(text, "Caused by: ")), false
		case strings.HasPrefix(text, "Suppressed: "), strings.HasPrefix(text, "at ") && strings.HasPrefix(line, "\tat "),
			strings.HasPrefix(text, "... ") && strings.HasSuffix(text, " more"):
			inTrace = true
		case text == "" || inTrace:
		case len(chain) == 0:
			chain = append(chain, text)
		default:
			chain[len(chain)-1] += "\n" + text // a message of several lines
		}
	}
	for i := len(chain) - 1; i >= 0; i-- {
		if reason := inWords(chain[i]); reason != "" {
			return reason
		}
	}
	if len(chain) == 0 {
		return "no reason given"
	}
	return chain[len(chain)-1]
}

// inWords is an exception's message without Java's class names, or empty if that is all it has.
func inWords(message string) string {
	text := javaClasses.ReplaceAllString(message, "")
	if goError := harnessError.ReplaceAllString(text, ""); goError != text {
		// The SDK puts the plan of the bundle first and the errors below it.
		if at := strings.LastIndex(goError, "caused by:"); at >= 0 {
			goError = goError[at+len("caused by:"):]
		}
		text = goError
	}
	return strings.Join(strings.Fields(text), " ")
}
