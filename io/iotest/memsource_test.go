package iotest

import (
	"context"
	"encoding/json"
	"slices"
	"testing"

	"tributary/io/record"
)

// memLog is a log in memory.
type memLog struct {
	partitions [][]Event
	flaws      sourceFlaws
}

// sourceFlaws are what may be wrong with a source.
type sourceFlaws struct {
	backwards, rushes, knowsTime, dropsBad, cuts, losesClock, readsAhead, forgetful, skips, sulks, hasty bool
}

func memSource(flaws sourceFlaws) Source {
	return Source{
		New: func(_ testing.TB, partitions int) Log {
			return &memLog{partitions: make([][]Event, partitions), flaws: flaws}
		},
		Largest: memLimit,
	}
}

func (l *memLog) Append(_ testing.TB, partition int, events ...Event) {
	l.partitions[partition] = append(l.partitions[partition], events...)
}

// memState is what is kept of a reader.
type memState struct {
	Next, Largest []int64
	Watermark     int64
}

func (l *memLog) Open(_ testing.TB, state []byte, steps *Steps) (Reader, error) {
	r := &memReader{log: l, steps: steps, at: memState{Watermark: record.NoTime}}
	for range l.partitions {
		r.at.Next, r.at.Largest = append(r.at.Next, 0), append(r.at.Largest, record.NoTime)
	}
	if state != nil {
		if err := json.Unmarshal(state, &r.at); err != nil {
			return nil, err
		}
		for p := range r.at.Next {
			switch {
			case l.flaws.losesClock:
				r.at.Largest[p] = record.NoTime
			case l.flaws.forgetful:
				r.at.Next[p] = max(0, r.at.Next[p]-1)
			}
		}
	}
	r.ahead = slices.Clone(r.at.Next)
	return r, nil
}

// memReader reads three events at a time, and claims them.
type memReader struct {
	log   *memLog
	steps *Steps
	at    memState
	// ahead is how far it has fetched.
	ahead []int64
	dead  error
}

func (r *memReader) Poll(_ context.Context, claims int) (all []Emitted, err error) {
	f, at := r.log.flaws, memState{slices.Clone(r.at.Next), slices.Clone(r.at.Largest), r.at.Watermark}
	for p, events := range r.log.partitions {
		for at.Next[p] < int64(len(events)) {
			if r.dead != nil {
				return nil, r.dead
			}
			from := at.Next[p]
			if f.readsAhead {
				from = max(from, r.ahead[p])
			}
			to := min(from+3, int64(len(events)))
			fate := r.steps.Next()
			switch {
			case fate.Dies():
				r.dead = errDied
				return nil, errDied
			case fate == Refused || fate == Unanswered:
				if f.sulks {
					r.log.flaws.skips = true
				}
				if r.log.flaws.skips {
					at.Next[p] = to
					continue
				}
				return nil, errRefused
			case fate == Slow && f.hasty:
				return nil, errHasty
			}
			r.ahead[p] = to
			if claims--; claims < 0 {
				r.finish(at)
				return all, nil
			}
			for offset := from; offset < to; offset++ {
				e := events[offset]
				out := Emitted{Partition: p, Offset: offset, Before: at.Largest[p], Event: e}
				switch {
				case e.Bad && f.dropsBad:
					continue
				case e.Bad:
					out.Before = record.NoTime
				default:
					at.Largest[p] = max(at.Largest[p], e.Time)
				}
				if f.cuts {
					out.Value = out.Value[:min(len(out.Value), memLimit/2)]
				}
				all = append(all, out)
			}
			at.Next[p] = to
		}
	}
	if f.backwards {
		slices.Reverse(all)
	}
	r.finish(at)
	return all, nil
}

// finish keeps where the reader stands, with the watermark by the partitions that it has read of.
func (r *memReader) finish(at memState) {
	lowest := int64(record.NoTime)
	for p, largest := range at.Largest {
		if len(r.log.partitions[p]) > 0 && (lowest == record.NoTime || largest < lowest) {
			lowest = largest
		}
	}
	if lowest != record.NoTime {
		lowest -= Slack
	}
	switch {
	case r.log.flaws.rushes:
		lowest = slices.Max(at.Largest)
	case r.log.flaws.knowsTime:
		lowest = max(lowest, 0)
	}
	at.Watermark = max(at.Watermark, lowest)
	r.at = at
}

func (r *memReader) State() []byte {
	state, _ := json.Marshal(r.at)
	return state
}

func (r *memReader) Watermark() int64 { return r.at.Watermark }

func (r *memReader) Done() bool {
	for p, events := range r.log.partitions {
		if r.at.Next[p] < int64(len(events)) {
			return false
		}
	}
	return true
}

func (r *memReader) Close() { r.dead = errDied }
