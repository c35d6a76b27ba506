package main

import (
	"errors"
	"io"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
)

// TestTerminals: nobody types records, and a terminal shows text only.
func TestTerminals(t *testing.T) {
	for _, c := range []struct {
		samples       string
		stdin, stdout bool
		want          []string
	}{
		{`"-"`, false, false, nil},
		{`"-"`, true, true, []string{"views.inputs.1", "outputs.samples"}},
		{`{path: "-", format: json}`, false, true, nil},
		{`{path: "-", format: csv}`, true, true, []string{"views.inputs.1"}},
		{`{path: "-", format: json, codec: gzip}`, false, true, []string{"outputs.samples"}},
		{`{path: "-", format: tfrecord}`, false, true, []string{"outputs.samples"}},
		{`out/samples`, false, true, nil},
	} {
		s, err := spec.Parse("spec.yaml", []byte(`
views: {inputs: [views.avro, {path: "-", format: json}], id: view_id, time: ts}
engagements: {like: {inputs: likes.csv, view: view_id, time: ts, window: 30m}}
outputs: {samples: `+c.samples+"}\n"))
		require.NoError(t, err)
		var got []string
		var list problem.List
		if errors.As(checkTerminals(s, c.stdin, c.stdout), &list) {
			for _, p := range list {
				assert.Equal(t, codeTerminal, p.Code)
				got = append(got, p.Field)
			}
		}
		assert.Equal(t, c.want, got, c.samples)
	}
	null, err := os.Open(os.DevNull)
	require.NoError(t, err)
	defer func() { _ = null.Close() }() // only read
	assert.False(t, isTerminal(null))
	assert.False(t, isTerminal(io.Discard))
}

// failing writes so many bytes and then fails.
type failing struct {
	takes int
	err   error
}

func (f *failing) Write(b []byte) (int, error) {
	n := min(f.takes, len(b))
	f.takes -= n
	if n < len(b) {
		return n, f.err
	}
	return n, nil
}

// TestUntilClosed: a reader that has gone is no error, and every other failure is.
func TestUntilClosed(t *testing.T) {
	gone := &untilClosed{to: &failing{5, &os.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.EPIPE}}}
	for i, closed := range []bool{false, true, true} {
		n, err := gone.Write([]byte("four"))
		require.NoError(t, err)
		require.Equal(t, 4, n)
		require.Equal(t, closed, gone.closed, i)
	}
	full := &untilClosed{to: &failing{5, syscall.ENOSPC}}
	_, err := full.Write([]byte("123456"))
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.False(t, full.closed)
}
