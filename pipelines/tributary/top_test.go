package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"tributary/pipelines/job/topics"
	"tributary/pipelines/live"
	"tributary/pipelines/spec"
)

// endsAfter ends a context after so many lines.
type endsAfter struct {
	bytes.Buffer
	lines int
	end   func()
}

func (w *endsAfter) Write(text []byte) (int, error) {
	if n, err := w.Buffer.Write(text); err != nil {
		return n, err
	}
	if strings.Count(w.String(), "\n") >= w.lines {
		w.end()
	}
	return len(text), nil
}

// emptyStream is one on a broker of its own, with topics of two partitions in which there is nothing.
func emptyStream(t *testing.T) *spec.Spec {
	t.Helper()
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	s, err := spec.Parse("stream.yaml", fmt.Appendf(nil, `clusters: {main: {brokers: %q}}
views: {inputs: [{topic: views, format: json}], id: view_id, time: ts}
engagements:
  like: {inputs: [{topic: likes, format: json}], view: view_id, time: ts, window: 30m}
outputs: {samples: {topic: samples, format: json}}
`, fake.ListenAddrs()))
	require.NoError(t, err)
	_, err = topics.Create(t.Context(), s, topics.CreateOptions{Inputs: true, Partitions: 2, Replicas: 1})
	require.NoError(t, err)
	return s
}

// TestTopGoesOn: pictures come one after another, and it ends well when it is ended.
func TestTopGoesOn(t *testing.T) {
	s := emptyStream(t)
	w, err := live.New(s, live.Options{})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	out := &endsAfter{lines: 3, end: cancel}
	require.NoError(t, top(ctx, out, w, topOptions{json: true, every: time.Millisecond, partitions: 3}))
	pictures := 0
	for line := range strings.Lines(out.String()) {
		var state live.State
		require.NoError(t, json.Unmarshal([]byte(line), &state))
		assert.Len(t, state.Partitions, 3)
		assert.Equal(t, 1, state.Rest.Partitions)
		assert.Equal(t, pictures == 0, state.Rates == nil, "rates are from the second picture on")
		pictures++
	}
	assert.Equal(t, 3, pictures)
}

// TestScreen: a terminal is drawn on in place, nothing is wider or higher than it, and it is given back.
func TestScreen(t *testing.T) {
	var out bytes.Buffer
	s := &screen{w: &out, size: func() (int, int) { return 80, 3 }}
	require.NoError(t, s.draw("one\ntwo\n"))
	assert.Equal(t, enterScreen+toTop+"one"+clearRest+"\r\ntwo"+clearRest+clearBelow, out.String())
	out.Reset()
	require.NoError(t, s.draw("one\ntwo\nthree\nfour\n"))
	assert.Equal(t, toTop+"one"+clearRest+"\r\ntwo"+clearRest+"\r\n... 2 lines more: a higher window, or fewer --partitions"+clearRest+clearBelow, out.String())
	out.Reset()
	s.end()
	assert.Equal(t, leaveScreen, out.String())

	plain := newScreen(&out)
	out.Reset()
	require.NoError(t, plain.draw("one\n"))
	plain.end()
	assert.Equal(t, "one\n", out.String(), "no escapes where there is no terminal")
}
