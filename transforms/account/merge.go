package account

// New returns an empty sheet with an entry for each kind, so that a kind of which
// nothing came shows as zeros instead of being absent.
func New(kinds ...string) *Sheet {
	l := &Sheet{
		Engagements: make(map[string]*Engagements, len(kinds)),
		Timeline:    map[int64]*Interval{},
	}
	for _, kind := range kinds {
		l.Engagements[kind] = &Engagements{Delay: &Histogram{}}
	}
	return l
}

// Merge adds other to l; other is left as it was, and shares nothing with l
// afterwards.
//
// Counts are summed, delays merged, and From and To widened to cover both, where a
// sheet that covers nothing (From = To) does not count. The order of merging makes
// no difference, and New() changes no figure. What was merged has no fingerprint, no
// files and no origin.
func (l *Sheet) Merge(other *Sheet) {
	l.Fingerprint, l.Files, l.Origin = "", nil, Origin{}
	l.widen(other.From, other.To)
	l.Views.add(&other.Views)
	l.Bytes.add(&other.Bytes)

	if l.Engagements == nil {
		l.Engagements = make(map[string]*Engagements, len(other.Engagements))
	}
	for kind, e := range other.Engagements {
		if e == nil {
			continue
		}
		if l.Engagements[kind] == nil {
			l.Engagements[kind] = &Engagements{}
		}
		l.Engagements[kind].add(e)
	}

	for name, in := range other.Inputs {
		if in != nil {
			l.InputOf(name).add(in)
		}
	}

	for name, s := range other.Stages {
		if s != nil {
			l.StageOf(name).add(s)
		}
	}

	if l.Timeline == nil {
		l.Timeline = make(map[int64]*Interval, len(other.Timeline))
	}
	for start, interval := range other.Timeline {
		if interval == nil {
			continue
		}
		if l.Timeline[start] == nil {
			l.Timeline[start] = &Interval{}
		}
		l.Timeline[start].add(interval)
	}
}

func (l *Sheet) widen(from, to int64) {
	if from == to {
		return
	}
	if l.From == l.To {
		l.From, l.To = from, to
		return
	}
	l.From, l.To = min(l.From, from), max(l.To, to)
}

func (v *Views) add(other *Views) {
	v.N.add(&other.N)
	v.Reasons = mergeReasons(v.Reasons, other.Reasons)
}

func (e *Engagements) add(other *Engagements) {
	e.N.add(&other.N)
	e.Reasons = mergeReasons(e.Reasons, other.Reasons)
	if e.Delay == nil {
		e.Delay = &Histogram{}
	}
	e.Delay.Merge(other.Delay)
}

func (i *Input) add(other *Input) { i.N.add(&other.N) }

func (b *Bytes) add(other *Bytes) {
	b.In += other.In
	b.Records += other.Records
	b.Blocks += other.Blocks
	b.Samples += other.Samples
	b.Out += other.Out
	b.JSON += other.JSON
}

func (i *Interval) add(other *Interval) {
	i.Samples += other.Samples
	if i.Positives == nil {
		i.Positives = make(map[string]int64, len(other.Positives))
	}
	for kind, n := range other.Positives {
		i.Positives[kind] += n
	}
}
