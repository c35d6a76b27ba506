package rules

import (
	"fmt"
	"slices"
	"strings"
)

// Emit says which samples a stage gives.
type Emit string

// Which samples a stage gives. What was said of a view is the newest sample that an earlier stage gave of it.
const (
	// EmitAll: one of every view.
	EmitAll Emit = "all"
	// EmitChanged: those whose labels differ from what was said, and those of views of which nothing was.
	EmitChanged Emit = "changed"
	// EmitPositives: of these, those with a label.
	EmitPositives Emit = "positives"
)

// Stage is a time after a view at which a sample of it holds what is known by then: what the join gives
// if every window is cut to After. Times are in ms.
//
// An engagement, or a view, that its partition brings too late for a stage counts in the next: see OfStage.
type Stage struct {
	Name string
	// After is the longest time from a view to an engagement that counts; for the last stage it is the longest window.
	After int64
	// OutOfOrderness is the stage's own: it closes when a partition has come to the end of a bucket, After and this.
	OutOfOrderness int64
	// Bucket is the length of its buckets; those of the next stage hold a whole number of them.
	Bucket int64
	// Shards is over how many keys its buckets are spread: those of an early stage hold less.
	Shards int
	Emit   Emit

	// The rest is as in Params, for stages but the last, whose are those of Params.
	Since   int64    `json:",omitempty"`
	Kept    []Part   `json:",omitempty"`
	Until   int64    `json:",omitempty"`
	Earlier []Layout `json:",omitempty"`
	// Corrected are parts of buckets that this run does not join, and that an earlier one has written more than once.
	Corrected []Corrected `json:",omitempty"`
}

// Corrected is a part of a bucket, and how often it was corrected.
type Corrected struct {
	Part
	Times int64
}

// StageCount is how many samples a view may have: 1 without stages.
func (p *Params) StageCount() int { return max(1, len(p.Stages)) }

// Final tells whether p is of the last stage, which alone accounts for views and engagements.
func (p *Params) Final() bool { return p.Stage == p.StageCount()-1 }

// OfStage returns what the join of a stage is told, by its number. p is of no stage yet, or of the last: they are alike but for
// the number.
//
// A record is late for a stage by its partition's largest event time less the stage's out-of-orderness. The watermark of a
// runner is behind that by the difference to the join's, so buckets have event times that are earlier by that much (Shift).
func (p *Params) OfStage(stage int) Params {
	of := *p
	of.Stage = stage
	if of.Final() {
		return of
	}
	s := &p.Stages[stage]
	of.Kinds = slices.Clone(p.Kinds)
	for i := range of.Kinds {
		of.Kinds[i].Window = min(of.Kinds[i].Window, s.After)
	}
	of.OutOfOrderness, of.Bucket, of.Shards = s.OutOfOrderness, s.Bucket, s.Shards
	of.Shift = p.OutOfOrderness - s.OutOfOrderness
	of.Since, of.Kept, of.Until, of.Earlier = s.Since, s.Kept, s.Until, s.Earlier
	of.Orphans = false
	return of
}

// Said is an earlier stage, as one that goes on from it looks at it.
type Said struct {
	Stage int
	Emit  Emit
	// Window is the time from a view within which an engagement counts there, at most.
	Window int64
	// Ahead is by how much the stage had closed further when a record was read: views at or before
	// Engagement.ClosedThrough + Ahead had closed.
	Ahead int64
	// Bucket is the length of its buckets.
	Bucket int64
}

// SaidBefore returns the stages before that of p, in order: the last that gives more than positives overrules those before
// it, for every view that it knew.
func (p *Params) SaidBefore() (all []Said) {
	if len(p.Stages) == 0 {
		return nil
	}
	closes := p.Stages[p.Stage].closes()
	for i := range p.Stages[:p.Stage] {
		s := &p.Stages[i]
		all = append(all, Said{Stage: i, Emit: s.Emit, Window: s.After, Ahead: closes - s.closes(), Bucket: s.Bucket})
	}
	return all
}

// closes is how far a partition has come beyond a view when it is closed.
func (s *Stage) closes() int64 { return s.After + s.OutOfOrderness }

// Emits is what the stage of p gives.
func (p *Params) Emits() Emit {
	if len(p.Stages) == 0 {
		return EmitAll
	}
	return p.Stages[p.Stage].Emit
}

// validateStages reports what is wrong with the stages of a join.
func (p *Params) validateStages() (errs []error) {
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf("stages: "+format, args...)) }
	for i := range p.Stages {
		s := &p.Stages[i]
		if s.After <= 0 || s.Bucket <= 0 || s.Shards <= 0 || s.OutOfOrderness < 0 || s.OutOfOrderness > p.outOfOrderness() {
			fail("%s: after %d, bucket %d, shards %d, out-of-orderness %d of %d", s.Name, s.After, s.Bucket, s.Shards, s.OutOfOrderness, p.outOfOrderness())
		}
		switch {
		case !slices.Contains([]Emit{EmitAll, EmitChanged, EmitPositives}, s.Emit):
			fail("%s: emits %q", s.Name, s.Emit)
		case i == len(p.Stages)-1 && s.Emit == EmitPositives:
			fail("%s: it is the last and has to give negatives", s.Name)
		}
		if i == 0 {
			continue
		}
		before := &p.Stages[i-1]
		if before.After >= s.After || before.closes() > s.closes() || before.Bucket > 0 && s.Bucket%before.Bucket != 0 {
			fail("%s (after %d, out-of-orderness %d, bucket %d) does not follow on %s (%d, %d, %d)",
				s.Name, s.After, s.OutOfOrderness, s.Bucket, before.Name, before.After, before.OutOfOrderness, before.Bucket)
		}
	}
	if len(p.Stages) > 0 && (p.Stage < 0 || p.Stage >= len(p.Stages)) {
		fail("there is no stage %d of %d", p.Stage, len(p.Stages))
		return errs
	}
	if last := len(p.Stages) - 1; last >= 0 && p.Final() {
		if s := &p.Stages[last]; s.After != p.LongestWindow() || s.OutOfOrderness != p.OutOfOrderness || s.Bucket != p.Bucket {
			fail("the last (%d, %d, %d) is not the join's (%d, %d, %d)", s.After, s.OutOfOrderness, s.Bucket, p.LongestWindow(), p.OutOfOrderness, p.Bucket)
		}
	}
	return errs
}

// outOfOrderness is that of the join, whichever stage p is of.
func (p *Params) outOfOrderness() int64 { return p.OutOfOrderness + p.Shift }

// stagesMeaning is what the stages are, as text, empty without any.
func (p *Params) stagesMeaning() string {
	var all []string
	for i := range p.Stages {
		s := &p.Stages[i]
		all = append(all, fmt.Sprintf("%s after %s, out of order %s, bucket %s, %s", s.Name, ms(s.After), ms(s.OutOfOrderness), ms(s.Bucket), s.Emit))
	}
	return strings.Join(all, "; ")
}
