package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestMeterLine(t *testing.T) {
	for _, test := range []struct {
		name        string
		unit        counted
		total, done int64
		want        string
	}{
		{name: "bytes", unit: countsBytes, total: 200, done: 50, want: "working: 25 %, 30s left"},
		{name: "events", unit: countsEvents, total: 200, done: 50, want: "working: 25 %, 5 events/s, 30s left"},
		{name: "nothing yet", unit: countsEvents, total: 200, want: "working: 0 %, 0 events/s"},
		{name: "all", unit: countsBytes, total: 200, done: 200, want: "working: 100 %, 0s left"},
		{name: "more than was estimated", unit: countsEvents, total: 200, done: 300, want: "working: 100 %, 30 events/s"},
		{name: "no total", unit: countsBytes, want: "working: 0 %"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newMeter(&bytes.Buffer{})
			m.begin("working", test.unit, test.total)
			assert.Equal(t, test.want, m.line(test.done, 10*time.Second))
		})
	}
}

// Where there is no terminal a line comes every few seconds, not with each call.
func TestMeterIsNotTalkative(t *testing.T) {
	var out bytes.Buffer
	m := newMeter(&out)
	m.begin("working", countsEvents, 10)
	m.at(1)
	assert.Empty(t, out.String())
	m.told = m.told.Add(-plainEvery)
	m.at(2)
	m.at(3)
	m.end()
	assert.Regexp(t, `^working: 20 %, \d+ events/s, \S+ left\n$`, out.String())
}
