package bucket

import (
	"bytes"

	"tributary/transforms/attribution/rules"
	"tributary/transforms/label"
	"tributary/transforms/sample"
)

// cut is how a stage looks at the engagements of a bucket. An earlier stage than the one at hand sees less of them: those
// in its shorter window, read while it was open. All of that can be told from the bucket, so what was said of a view
// is computed again and not remembered.
type cut struct {
	at     int // 0 for the stage at hand; of sweeps
	window int64
	// ahead is by how much it had closed further, see rules.Said.
	ahead int64
	stage int
	given rules.Emit
	// bucket is the length of its buckets.
	bucket int64
}

// overrules tells whether what was said before the stage no longer matters, for the views that it knew.
func (c *cut) overrules() bool { return c.given != rules.EmitPositives }

// said is what earlier stages have said of the view at hand.
type said struct {
	// any: a sample of it was given, and not taken back.
	any      bool
	positive bool
	labels   []label.Totals
	spare    []label.Totals // room for those of a stage that may not say anything
	other    []int          // the kinds with a label that is other than was said
	// functions are those of the columns, and room is for what they encode.
	functions []*label.Definition
	room      [2][]byte
}

// sayBefore sets j.said.
func (j *Joiner) sayBefore(b *Bucket, v *View, at int32, engaged bool) {
	said := &j.said
	said.any, said.positive = false, false
	kept := len(j.before) > 0 && j.keeps(v)
	for i := j.saidFrom(b, v); i < len(j.before); i++ {
		c := &j.before[i]
		if !c.knows(v) || j.twins() && j.mistook(b, v, c) || !engaged && !c.overrules() {
			continue
		}
		clear(said.spare)
		switch {
		case engaged && j.label(b, v, at, c, said.spare, unheard{}):
			said.any, said.positive = true, true
			copy(said.labels, said.spare)
		case c.overrules():
			said.any, said.positive = kept, false
		}
	}
}

// saidFrom is the first of j.before that matters for v. Where two ids have one hash, a stage that overrules others may not
// have known it.
func (j *Joiner) saidFrom(b *Bucket, v *View) int {
	i := j.overruling
	for j.twins() && i > 0 && (!j.before[i].overrules() || j.mistook(b, v, &j.before[i])) {
		i--
	}
	return i
}

// twins tells whether a stage may have taken a view for a duplicate of one with another id: where engagements name keys, all tell
// ids apart.
func (j *Joiner) twins() bool { return j.ids.twins && !j.keyed }

// firstCut is the first of j.before that may matter for a view.
func (j *Joiner) firstCut() int {
	if j.twins() {
		return 0
	}
	return j.overruling
}

// mistook tells whether a stage took v for a duplicate of a view with another id: see Marker.
func (j *Joiner) mistook(b *Bucket, v *View, c *cut) bool {
	start := rules.BucketStart(v.Time, c.bucket)
	for at := range j.ids.ofHash(v.Hash) {
		e := &j.ids.entries[at]
		for i := e.firstView; i >= 0 && j.order[i].time < start; i = j.order[i].next {
			if w := &b.Views[j.order[i].index]; v.Time-w.Time <= j.p.DedupWindow && w.InTimeFrom <= c.stage && !bytes.Equal(w.ID, v.ID) {
				return true
			}
		}
	}
	return false
}

// gives tells whether the stage gives a sample, and counts what of one that it gives is other than was said.
func (j *Joiner) gives(s *sample.Sample, out Output) bool {
	said := &j.said
	said.other = said.other[:0]
	if said.any && (s.Positive || said.positive) {
		for at := range s.Labels {
			if kind := j.columns.kinds[at]; !said.has(kind) && !said.same(at, &s.Labels[at]) {
				said.other = append(said.other, kind)
			}
		}
	}
	given, same := true, said.any && len(said.other) == 0
	switch j.given {
	case rules.EmitChanged:
		given = !same
	case rules.EmitPositives:
		given = s.Positive && !same
	case rules.EmitAll:
	}
	if given {
		for _, kind := range said.other {
			out.Corrected(kind)
		}
	}
	return given
}

// has tells whether a kind is the last of other: labels come by kind.
func (s *said) has(kind int) bool { return len(s.other) > 0 && s.other[len(s.other)-1] == kind }

// same tells whether the label of a column is as it was said, with its delay.
func (s *said) same(at int, now *label.Totals) bool {
	before := &label.Totals{}
	if s.positive {
		before = &s.labels[at]
	}
	for i, t := range []*label.Totals{now, before} {
		s.room[i] = label.AppendDelay(s.functions[at].Append(s.room[i][:0], t), t)
	}
	return bytes.Equal(s.room[0], s.room[1])
}

// unheard is told what an earlier stage has told already.
type unheard struct{ Output }

func (unheard) Overflow(int, int64) {}
