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
		{name: "bytes", unit: countsBytes, total: 200, done: 50, want: "working: 25 %, 50 B of 200 B, 5 B/s, 30s left"},
		{name: "events", unit: countsEvents, total: 200, done: 50, want: "working: 25 %, 50 of 200 events, 5 events/s, 30s left"},
		{name: "nothing yet", unit: countsEvents, total: 200, want: "working: 0 %"},
		{name: "all", unit: countsBytes, total: 200, done: 200, want: "working: 100 %, 200 B of 200 B, 20 B/s, no time left"},
		{name: "more than was estimated", unit: countsEvents, total: 200, done: 300, want: "working: 100 %, 300 of 300 events, 30 events/s"},
		{name: "many", unit: countsEvents, total: 98_765_432, done: 12_345_678, want: "working: 12 %, 12,345,678 of 98,765,432 events, 1,234,567 events/s, 1m10s left"},
		{name: "an hour and more", unit: countsBytes, total: 400 << 30, done: 1 << 30, want: "working: 0 %, 1.0 GiB of 400.0 GiB, 102.4 MiB/s, 1h6m30s left"},
		{name: "no total", unit: countsBytes, want: "working"},
		{name: "no total, and some is done", unit: countsBytes, done: 50, want: "working: 50 B, 5 B/s"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newMeter(&bytes.Buffer{})
			m.begin("working", test.unit, test.total)
			assert.Equal(t, test.want, m.parts(test.done, 10*time.Second)[0])
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
	assert.Regexp(t, `^working: 20 %, 2 of 10 events, [\d,]+ events/s, no time left\n$`, out.String())
}

// A line is as long as the terminal is wide at most, and is taken away in the end.
func TestMeterOnATerminal(t *testing.T) {
	var out bytes.Buffer
	m := newMeter(&out)
	m.begin("joining, interval 3 of 24", countsEvents, 98_765_432)
	for columns, want := range map[int]string{
		119: "█░░░░░░░░░░░ joining, interval 3 of 24: 12 %, 12,345,678 of 98,765,432 events, 1,234,567 events/s, 1m10s left",
		79:  "joining, interval 3 of 24: 12 %, 1,234,567 events/s, 1m10s left",
		39:  "joining, interval 3 of 24: 12 %",
		20:  "12 %, 1m10s left",
		5:   "12 %",
		1:   "",
	} {
		assert.Equal(t, want, m.line(12_345_678, 10*time.Second, columns))
	}
	unknown := newMeter(&out)
	unknown.begin("reading stdin", countsBytes, 0)
	for columns, want := range map[int]string{79: "reading stdin: 50 B, 5 B/s", 20: "reading stdin: 50 B", 13: "reading stdin", 5: ""} {
		assert.Equal(t, want, unknown.line(50, 10*time.Second, columns))
	}
	m.columns = func() int { return 33 }
	m.told = m.told.Add(-drawnEvery)
	m.at(98_765_432)
	m.at(98_765_432)
	m.end()
	assert.Equal(t, clearLine+"joining, interval 3 of 24: 100 %"+clearLine, out.String())
}
