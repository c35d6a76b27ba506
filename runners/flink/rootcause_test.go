package flink

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

func TestRootCause(t *testing.T) {
	tests := []struct{ name, trace, want string }{
		{"one exception", "java.io.IOException: disk is full\n\tat a.B.c(B.java:1)\n", "disk is full"},
		{"the innermost", "a.X: outer\n\tat a.B.c(B.java:1)\nCaused by: a.Y: middle\n\t... 3 more\nCaused by: a.Z: inner\n\tat a.B.c(B.java:1)\n", "inner"},
		{"the innermost that says something", "a.X: outer\nCaused by: a.Y: middle\n\tat a.B.c(B.java:1)\nCaused by: java.lang.NullPointerException\n", "middle"},
		{"none says anything", "java.lang.NullPointerException\n\tat a.B.c(B.java:1)\n", "java.lang.NullPointerException"},
		{"classes around each other", "java.util.concurrent.CompletionException: java.lang.RuntimeException: refused\n", "refused"},
		{"several lines", "a.X: first\nsecond\n\tat a.B.c(B.java:1)\n", "first second"},
		{"suppressed is no cause", "a.X: first\n\tSuppressed: a.Y: second\n\t\tat a.B.c(B.java:1)\n", "first"},
		{
			"Go code", "java.lang.RuntimeException: Error received from SDK harness for instruction 7: process bundle failed for plan 1-1 :\n1: DataSource\n\tcaused by:\nDoFn[UID:4] failed:\nno such topic\n\tat a.B.c(B.java:1)\n",
			"DoFn[UID:4] failed: no such topic",
		},
		{"words without Java", "Internal server error.", "Internal server error."},
		{"nothing", "", "no reason given"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, RootCause(tt.trace)) })
	}
}

// Whatever the trace, there is a reason in one line.
func TestRootCauseIsAReason(t *testing.T) {
	line := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"\tat a.B.c(B.java:1)", "Caused by: ", "Caused by: a.B: why", "\tSuppressed: a.B", "\t... 3 more",
		"a.B", "a.B: Error received from SDK harness for instruction 1: ", "\tcaused by:",
	}))
	rapid.Check(t, func(t *rapid.T) {
		cause := RootCause(strings.Join(rapid.SliceOf(line).Draw(t, "lines"), "\n"))
		if strings.TrimSpace(cause) == "" || strings.Contains(cause, "\n") {
			t.Fatalf("got %q", cause)
		}
	})
}
