package why

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"tributary/io/record"
	"tributary/pipelines/spec"
	"tributary/transforms/account"
	"tributary/transforms/attribution"
	"tributary/transforms/attribution/bucket"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/attribution/shuffle"
)

// fates are the words for one record under a count of accounts.
var fates = map[account.Count]string{
	account.Samples: "sample", account.SampledOut: "sampled_out", account.Duplicates: "duplicate", account.Late: "late", account.Dead: "dead",
	account.Filtered: "filtered", account.Matched: "matched", account.Outside: "outside_window", account.Orphans: "orphan",
}

// Words that sentences ask for.
var (
	fateSample, fateSampledOut, fateDuplicate = fates[account.Samples], fates[account.SampledOut], fates[account.Duplicates]
	fateLate, fateDead, fateFiltered          = fates[account.Late], fates[account.Dead], fates[account.Filtered]
	fateMatched, fateOrphan                   = fates[account.Matched], fates[account.Orphans]
)

// result describes the records of the id.
func (f *found) result(s *spec.Spec) *Result {
	r := &Result{Format: Format, Spec: s.File, ID: string(f.match.id), Records: []Record{}, Samples: []FoundSample{}}
	r.Read = f.readOf()
	views, engagements := map[attribution.EventPlace][]*attribution.ExplainedView{}, map[attribution.EventPlace]*attribution.ExplainedEngagement{}
	for i := range f.joined.Views {
		v := &f.joined.Views[i]
		views[v.At] = append(views[v.At], v)
	}
	for i := range f.joined.Engagements {
		engagements[f.joined.Engagements[i].At] = &f.joined.Engagements[i]
	}
	named := f.viewsOf()
	for i := range f.records {
		seen := &f.records[i]
		one := f.record(seen)
		if seen.Kind == rules.Views {
			f.describeView(&one, seen, views[placeOf(seen)])
		} else if g := engagements[placeOf(seen)]; seen.Fate == account.Read && g != nil {
			one.Fate, one.Detail = fates[g.Fate], g.Why
			one.DuplicateOf = f.placeAt(g.Of)
			one.Views = named[placeOf(seen)]
			if s.ReadsTopics() && g.Fate == account.Orphans {
				one.Open, one.foundTo = f.openUntil(seen)
			}
		}
		r.Records = append(r.Records, one)
	}
	f.pairOthers(r)
	r.Records = r.concerning()
	slices.SortStableFunc(r.Records, func(a, b Record) int {
		return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Offset, b.Offset))
	})
	for _, name := range slices.Sorted(maps.Keys(f.in.Starts)) {
		note := "partition %s begins at offset %d: records before it are gone, and with them what they were to this id"
		if s.Stream.Start.From != spec.StartEarliest {
			note = "partition %s is read from offset %d on, as stream.start says: what records before it were to this id is not known"
		}
		r.Notes = append(r.Notes, fmt.Sprintf(note, name, f.in.Starts[name]))
	}
	return r
}

// readOf counts what was read.
func (f *found) readOf() Read {
	sheet := f.joined.Sheet
	read := Read{Views: sheet.Views.N[account.Read], Filtered: sheet.Views.N[account.Filtered], Dead: sheet.Views.N[account.Dead] + f.unreadable, Engagements: map[string]int64{}, Watermark: timeOf(f.in.Watermark)}
	for kind, e := range sheet.Engagements {
		read.Engagements[kind] = e.N[account.Read]
		read.Filtered += e.N[account.Filtered]
		read.Dead += e.N[account.Dead]
	}
	return read
}

// record describes what all records have.
func (f *found) record(s *shuffle.Seen) Record {
	one := Record{
		Role: f.role(s.Kind), Place: *f.placeAt(ref(placeOf(s))), Time: timeOf(s.Time), Watermark: timeOf(s.Watermark),
		ViewID: string(s.ViewID), Key: string(s.Key), EventID: string(s.EventID), Fate: fates[s.Fate], Detail: s.Why,
		AfterIdle: s.AfterIdle, PartlyLate: s.PartlyLate, at: placeOf(s), time: s.Time, closedThrough: s.ClosedThrough, own: f.match.is(s),
	}
	if s.Name() != nil {
		one.hash = rules.HashID(s.Name())
	}
	if s.Element == 0 {
		one.Index = nil
	}
	if s.Count != 1 {
		one.Count = s.Count
	}
	if s.Fate == account.Late {
		one.LateMs = ref(s.LateBy)
	}
	return one
}

// describeView describes a view by stage.
func (f *found) describeView(one *Record, seen *shuffle.Seen, stages []*attribution.ExplainedView) {
	if seen.Fate != account.Read {
		return
	}
	p := &f.in.Params
	for stage := range seen.InTimeFrom { // those that it came too late for
		of := p.OfStage(stage)
		at := of.BucketOf(seen.Time)
		one.Stages = append(one.Stages, StageOfView{Stage: p.Stages[stage].Name, Bucket: moment(at * of.Bucket), Closes: moment(of.EventTime(at) + 1), Shard: of.ShardOf(one.hash, at), Fate: fateLate, number: stage})
	}
	for _, v := range stages {
		of := p.OfStage(v.Stage)
		st := StageOfView{
			Bucket: moment(v.Bucket * of.Bucket), Closes: moment(of.EventTime(v.Bucket) + 1), Shard: of.ShardOf(v.Hash, v.Bucket), Fate: fates[v.Fate],
			Given: v.Given, Withdrawn: v.Withdrawn, Positive: v.Positive, number: v.Stage, viewTime: moment(v.Time), encoded: v.Sample, DuplicateOf: f.placeAt(v.Of),
		}
		if len(p.Stages) > 0 {
			st.Stage = p.Stages[v.Stage].Name
		}
		for _, pair := range v.Pairs {
			st.Engagements = append(st.Engagements, f.pair(&of, v, pair))
		}
		st.immature = v.Maturity < p.LongestWindow() && v.Sample != nil
		one.Stages = append(one.Stages, st)
		one.Fate, one.DuplicateOf = st.Fate, st.DuplicateOf // those of the last
	}
}

// pair describes an engagement beside a view.
func (f *found) pair(p *rules.Params, v *attribution.ExplainedView, pair attribution.ExplainedPair) Pair {
	one := Pair{
		Role: f.role(pair.At.Kind), Place: *f.placeAt(&pair.At), Time: moment(pair.Time), Fate: pair.Fate,
		Of: f.placeAt(pair.Of), Instead: f.placeAt(pair.Instead), InsteadID: pair.InsteadID,
		outside: outside(p, v.Time, pair.Time, pair.At.Kind), one: p.Kinds[pair.At.Kind].Count != rules.CountAll, sameID: pair.InsteadID == v.ID,
	}
	if pair.Instead != nil {
		one.InsteadTime = ref(moment(pair.InsteadTime))
	}
	if pair.Parts > 1 {
		one.Parts = pair.Parts
	}
	switch pair.Fate {
	case bucket.PairBefore:
		one.ByMs = v.Time - pair.Time
	case bucket.PairAfter:
		one.ByMs = pair.Time - (v.Time + p.Kinds[pair.At.Kind].Window)
	default:
	}
	return one
}

// openUntil is when the last bucket closes that may hold the view of an engagement, nil if it has by what was read, and the last time of such
// a view.
func (f *found) openUntil(s *shuffle.Seen) (*time.Time, int64) {
	p := f.in.Params.OfStage(f.in.Params.StageCount() - 1)
	last := p.SpanOf(s.Kind, s.Time, s.ViewTime).FoundTo
	closes := p.EventTime(p.BucketOf(last)) + 1
	if closes <= f.in.Watermark {
		return nil, last
	}
	return ref(moment(closes)), last
}

// viewsOf are by engagement the views that it names, and what it is to each, in the last stage.
func (f *found) viewsOf() map[attribution.EventPlace][]Pair {
	final := f.in.Params.OfStage(f.in.Params.StageCount() - 1)
	all := map[attribution.EventPlace][]Pair{}
	for i := range f.joined.Views {
		v := &f.joined.Views[i]
		if v.Stage != final.Stage {
			continue
		}
		for _, pair := range v.Pairs {
			one := f.pair(&final, v, pair)
			one.Role, one.Place, one.Time, one.ViewID = f.role(rules.Views), *f.placeAt(&v.At), moment(v.Time), v.ID
			all[pair.At] = append(all[pair.At], one)
		}
	}
	return all
}

// pairOthers says what those engagements are to views, in the last stage, that name them and have not come to their buckets: which are late,
// left out or dead, or so far outside of the window that the join does not look there. One of the two is the id's own.
func (f *found) pairOthers(r *Result) {
	p := f.in.Params.OfStage(f.in.Params.StageCount() - 1)
	known := map[[2]attribution.EventPlace]bool{}
	for i := range f.joined.Views {
		if v := &f.joined.Views[i]; v.Stage == p.Stage {
			for k := range v.Pairs {
				known[[2]attribution.EventPlace{v.At, v.Pairs[k].At}] = true
			}
		}
	}
	var all, own []*Record // engagements
	for i := range r.Records {
		if g := &r.Records[i]; !g.view() {
			all = append(all, g)
			if g.own {
				own = append(own, g)
			}
		}
	}
	for i := range r.Records {
		v := &r.Records[i]
		if !v.view() || v.Time == nil || v.Fate != fateSample && v.Fate != fateSampledOut {
			continue
		}
		others := own
		if v.own {
			others = all
		}
		st := &v.Stages[len(v.Stages)-1]
		for _, g := range others {
			if known[[2]attribution.EventPlace{v.at, g.at}] || g.Time == nil && g.Fate != fateDead || cmp.Or(g.Key, g.ViewID) != cmp.Or(v.Key, v.ViewID) {
				continue
			}
			one := pairOther(&p, v, g)
			st.Engagements = append(st.Engagements, one)
			one.Role, one.Place, one.Time, one.ViewID = v.Role, v.Place, *v.Time, v.ViewID
			g.Views = append(g.Views, one)
		}
		slices.SortStableFunc(st.Engagements, func(a, b Pair) int { return a.Time.Compare(b.Time) })
	}
}

// pairOther says what an engagement is to a view to whose bucket it has not come.
func pairOther(p *rules.Params, v, g *Record) Pair {
	one := Pair{Role: g.Role, Place: g.Place, outside: outside(p, v.time, g.time, g.at.Kind)}
	if g.Time != nil {
		one.Time = *g.Time
	}
	switch {
	case g.Fate == fateFiltered, g.Fate == fateDead, g.Fate == fateLate && g.LateMs != nil && one.outside == 0:
		one.Fate = bucket.PairFate(g.Fate)
	case g.PartlyLate && v.time <= g.closedThrough:
		one.Fate = bucket.PairClosed
	case one.outside > 0 && g.time < v.time:
		one.Fate, one.ByMs = bucket.PairBefore, v.time-g.time
	case one.outside > 0:
		one.Fate, one.ByMs = bucket.PairAfter, one.outside-1
	default:
		one.Fate = bucket.PairNotNamed
	}
	return one
}

// outside is how far an engagement is outside of the window of a view, in ms: 1 as that ends, and 0 within, or where its time is not known.
func outside(p *rules.Params, view, engagement int64, kind int) int64 {
	if engagement == record.NoTime {
		return 0
	}
	return max(0, view-p.ClockSkew-engagement, engagement-(view+p.Kinds[kind].Window)+1)
}

// concerning are the records that are told of: all of the id; of a view, the engagements that name its key; of an engagement, the views that
// it names, and the engagement that it is a duplicate of.
func (r *Result) concerning() []Record {
	view := slices.ContainsFunc(r.Records, func(one Record) bool { return one.own && one.view() })
	out := []Record{}
	for _, one := range r.Records {
		if one.own || view == !one.view() || r.original(&one) {
			out = append(out, one)
		}
	}
	return out
}

// original tells whether a record of the id is a duplicate of one.
func (r *Result) original(one *Record) bool {
	return slices.ContainsFunc(r.Records, func(of Record) bool {
		return of.own && of.DuplicateOf != nil && one.String() == of.DuplicateOf.String()
	})
}

// placeAt describes a place; nil for none.
func (f *found) placeAt(at *attribution.EventPlace) *Place {
	if at == nil {
		return nil
	}
	p := &Place{Source: f.in.Source(at.Partition), Offset: at.Offset}
	if slices.ContainsFunc(f.in.Params.Inputs, func(in rules.Input) bool { return in.Kind == at.Kind && in.Each != "" }) {
		p.Index = &at.Element
	}
	return p
}

func ref[T any](v T) *T { return &v }

// timeOf is an event time in ms; nil for none.
func timeOf(ms int64) *time.Time {
	if ms == record.NoTime {
		return nil
	}
	return ref(moment(ms))
}

func moment(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
