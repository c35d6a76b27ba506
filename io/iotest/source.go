package iotest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/record"
)

// Event is a record that the suite has a source read.
type Event struct {
	// Time is its event time in ms, from 0 on.
	Time  int64
	Value string
	// Bad says that nothing can be made of it: it has neither time nor value.
	Bad bool
}

// Source is a source as the suite sees it. It has one reader, and takes event times for in time that lie
// Slack behind the largest before them in their partition, or less.
type Source struct {
	// New makes a log for one test alone, empty, of so many partitions.
	New func(t testing.TB, partitions int) Log
	// Largest is how long a value may be; 0 is 10 MiB.
	Largest int
	// Virtual says that all of it works in a bubble of testing/synctest.
	Virtual bool
	// Every has the suite disturb every so many steps only; 0 is 1.
	Every int
}

// Log is what a source reads.
type Log interface {
	// Append adds events to a partition.
	Append(t testing.TB, partition int, events ...Event)
	// Open starts a process that reads what is in the log when the first one is opened, from there on
	// where state says, or from the start. It fails if the backend does not answer.
	Open(t testing.TB, state []byte, steps *Steps) (Reader, error)
}

// Reader is a process with a reader.
type Reader interface {
	// Poll reads on and returns what was emitted. It ends, at the latest, when the runner has taken the
	// rest away: once so many claims were made, which are what State moves by. After an error nothing
	// counts that it did.
	Poll(ctx context.Context, claims int) ([]Emitted, error)
	// State is what a runner keeps of the reader beside what was emitted: where another one goes on.
	State() []byte
	// Watermark is the reader's, in ms; record.NoTime before there is one.
	Watermark() int64
	// Done says that all has been read.
	Done() bool
	// Close ends the process in an orderly way.
	Close()
}

// Emitted is an event as it was read.
type Emitted struct {
	Partition int
	// Offset orders the events of a partition.
	Offset int64
	// Before is the largest event time before it in its partition; record.NoTime if there is none, or
	// if it is bad.
	Before int64
	Event
}

// Slack is how far events of the suite lie behind those before them, in ms.
const Slack = 31

// RunSource runs the suite for sources.
func RunSource(t *testing.T, s Source) { run(t, sourceClauses, s, s.Virtual) }

// many is more claims than any poll makes.
const many = 1 << 30

// disorder makes events of a partition whose times go back now and then.
func disorder(partition, n int) (events []Event) {
	for i := range n {
		back := int64(i*i*7) % Slack
		events = append(events, Event{Time: int64(1_000+10*i+partition) - back, Value: fmt.Sprintf("event %d of %d", i, partition)})
	}
	return events
}

// made is what has to be read of partitions, without offsets, each in its order.
func made(partitions ...[]Event) (want []Emitted) {
	for p, events := range partitions {
		before := int64(record.NoTime)
		for _, e := range events {
			if e.Bad {
				want = append(want, Emitted{Partition: p, Before: record.NoTime, Event: e})
				continue
			}
			want = append(want, Emitted{Partition: p, Before: before, Event: e})
			before = max(before, e.Time)
		}
	}
	return want
}

// outcome is what came of reading a log to its end.
type outcome struct {
	emitted   []Emitted
	watermark int64
	// states are those after each poll, and at is how much was emitted by then.
	states [][]byte
	at     []int
}

// errStuck says that a log was not read to its end.
var errStuck = errors.New("the source does not come to the end of its log")

// read reads a log to its end as a runner has it read, from a state, with so many claims a poll or more. The first
// process has steps; after an error, or if again says so, another one goes on from the last state.
func read(t testing.TB, log Log, state []byte, steps *Steps, claims int, again bool) (outcome, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out := outcome{watermark: record.NoTime}
	var r Reader
	defer func() {
		if r != nil {
			r.Close()
		}
	}()
	for failures, polls := 0, 0; ; {
		if ctx.Err() != nil || failures > 50 {
			return out, errStuck
		}
		if r == nil {
			var err error
			if r, err = log.Open(t, state, steps); err != nil {
				failures++
				if r, steps = nil, out.after(steps); steps == nil {
					require.LessOrEqual(t, failures, 50, "it does not open: %v", err)
				}
				continue
			}
		}
		// A claim may be of something else than events: with more of them each time it gets on.
		emitted, err := r.Poll(ctx, min(claims+polls%7, many))
		if polls++; err != nil {
			failures++
			r.Close()
			r, steps = nil, out.after(steps)
			continue
		}
		out.emitted, state = append(out.emitted, emitted...), r.State()
		out.states, out.at = append(out.states, state), append(out.at, len(out.emitted))
		for _, e := range emitted {
			require.True(t, e.Bad || e.Time >= out.watermark, "an event of %d came behind the watermark, %d", e.Time, out.watermark)
		}
		require.GreaterOrEqual(t, r.Watermark(), out.watermark, "the watermark goes back")
		out.watermark = r.Watermark()
		if r.Done() {
			return out, nil
		}
		if again {
			r.Close()
			r = nil
		}
	}
}

// after are the steps of the process that follows one that failed: those that failed for a while still
// may, one that was disturbed once is not again.
func (outcome) after(steps *Steps) *Steps {
	if steps != nil && steps.count > 1 {
		return steps
	}
	return nil
}

// finish is read, which must come to the end.
func finish(t testing.TB, log Log, state []byte, steps *Steps, claims int, again bool) outcome {
	t.Helper()
	out, err := read(t, log, state, steps, claims, again)
	require.NoError(t, err)
	return out
}

// inOrder is what was read without offsets, partition by partition.
func inOrder(t testing.TB, emitted []Emitted) (got []Emitted) {
	t.Helper()
	byPartition, last := map[int][]Emitted{}, map[int]int64{}
	partitions := 0
	for _, e := range emitted {
		before, some := last[e.Partition]
		require.True(t, !some || e.Offset > before || e.Bad, "partition %d: offset %d came behind %d", e.Partition, e.Offset, before)
		last[e.Partition], partitions = max(before, e.Offset), max(partitions, e.Partition+1)
		e.Offset = 0
		byPartition[e.Partition] = append(byPartition[e.Partition], e)
	}
	for p := range partitions {
		got = append(got, byPartition[p]...)
	}
	return got
}
