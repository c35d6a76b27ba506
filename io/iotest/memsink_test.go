package iotest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
)

// memPlace is a place in memory that takes groups, each as a whole.
type memPlace struct {
	mu      sync.Mutex
	written map[string]bool
	records []Record
	flaws   sinkFlaws
}

// sinkFlaws are what may be wrong with a sink.
type sinkFlaws struct {
	backwards, marksEmpty, forgets, cuts, dropsLarge, piecemeal, blind, sulks, hasty, optimistic, deaf, stale bool
}

const memLimit = 1 << 20

func memSink(flaws sinkFlaws) Sink {
	return Sink{
		New:     func(testing.TB) Target { return &memPlace{written: map[string]bool{}, flaws: flaws} },
		Largest: memLimit, TooLarge: memLimit + 1,
	}
}

func (p *memPlace) Open(_ testing.TB, steps *Steps) Process {
	return &memProcess{place: p, steps: steps}
}

func (p *memPlace) Read(testing.TB) []Record {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.records)
}

// memProcess writes a group by two steps: it looks whether it is there, and writes it if not.
type memProcess struct {
	place *memPlace
	steps *Steps
	dead  error
}

var (
	errDied    = errors.New("the process has ended")
	errRefused = errors.New("refused")
	errSilent  = errors.New("no answer")
	errHasty   = errors.New("it takes too long")
)

// step has the backend do something.
func (p *memProcess) step(do func()) error {
	if p.dead != nil {
		return p.dead
	}
	fate := p.steps.Next()
	p.place.mu.Lock()
	defer p.place.mu.Unlock()
	switch fate {
	case Refused:
		if p.place.flaws.sulks {
			p.dead = errRefused
		}
		return errRefused
	case DiesBefore:
		p.dead = errDied
		return errDied
	case Done, Unanswered, DiesAfter, Slow, halted:
	}
	do()
	switch {
	case fate == Unanswered:
		return errSilent
	case fate == DiesAfter:
		p.dead = errDied
		return errDied
	case fate == Slow && p.place.flaws.hasty:
		return errHasty
	}
	return nil
}

func (p *memProcess) Write(ctx context.Context, groups []Group) (acknowledged int, refused []Record, err error) {
	for _, g := range groups {
		if ctx.Err() != nil && !p.place.flaws.deaf {
			return 0, nil, ctx.Err()
		}
		kept := slices.Clone(g.Records)
		if !p.place.flaws.cuts {
			kept = slices.DeleteFunc(kept, func(r Record) bool {
				if len(r.Value) > memLimit && !p.place.flaws.dropsLarge {
					refused = append(refused, r)
				}
				return len(r.Value) > memLimit
			})
		}
		if err := p.write(g, kept); err != nil && (!p.place.flaws.optimistic || p.dead != nil) {
			return 0, nil, err
		}
	}
	return len(groups), refused, nil
}

func (p *memProcess) write(g Group, records []Record) (err error) {
	f, name := p.place.flaws, group(g.Shard, g.ID, 1, 0).Records[0].Key
	if f.cuts {
		for i := range records {
			records[i].Value = records[i].Value[:min(len(records[i].Value), memLimit/2)]
		}
	}
	if f.backwards {
		slices.Reverse(records)
	}
	if f.marksEmpty && len(records) == 0 {
		records = []Record{{Key: strings.TrimSuffix(name, "0"), Value: "none"}}
	}
	there := false
	if err := p.step(func() { there = p.place.written[name] }); err != nil {
		return err
	}
	for try := range 3 {
		if there && !f.forgets {
			return nil
		}
		if try > 0 && !errors.Is(err, errSilent) && !errors.Is(err, errRefused) || p.dead != nil {
			return err
		}
		switch {
		case f.piecemeal:
			for _, r := range records {
				if err = p.step(func() { p.place.put(name, r) }); err != nil {
					return err
				}
			}
			return nil
		case f.blind, f.stale:
			err = p.step(func() { p.place.put(name, records...) })
			if f.stale && err != nil {
				return err
			}
		default:
			err = p.step(func() {
				if !p.place.written[name] || f.forgets {
					p.place.put(name, records...)
				}
			})
		}
		if err == nil {
			return nil
		}
	}
	return err
}

func (p *memPlace) put(name string, records ...Record) {
	p.written[name] = true
	p.records = append(p.records, records...)
}

func (p *memProcess) Close() { p.dead = errDied }
