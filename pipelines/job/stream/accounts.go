package stream

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/source"
	"tributary/io/kafkaio/timeindex"
	"tributary/pipelines/job"
	"tributary/pipelines/spec"
	"tributary/transforms/account"
)

// accounts are those of a topic, in order; of one key, the last counts. Memory: what the newest
// book holds is one sheet, whatever the job's age; an account that no book holds yet takes a
// KB.
type accounts struct {
	// book is the newest whole one, pages are what there is of others.
	book  book
	pages pages
	// byKey are the accounts that are not in the book, held the keys of those that are, but are still
	// in the topic.
	byKey map[string]*counted
	held  map[string]bool
	// apart says that they lie in several partitions, whose records have no order.
	apart bool
	// shards is how many there were when a bucket was joined last: a job that was started
	// with another number joins what was open again.
	shards map[part]int64
}

// readAccounts reads the accounts that a job has written until now. It waits for open transactions no longer than that; held says that
// accounts are behind one still.
func readAccounts(ctx context.Context, s *spec.Spec, wait time.Duration) (all *accounts, held bool, err error) {
	all = newAccounts()
	o := s.Outputs
	held, err = cluster.ReadWithin(ctx, job.Kafka(s.Cluster(s.OutputCluster())), o.Topics.Accounts, wait, all.take)
	if err != nil {
		return nil, false, fmt.Errorf("accounts in topic %s: %w", o.Topics.Accounts, err)
	}
	return all, held, nil
}

func newAccounts() *accounts {
	return &accounts{
		book: book{Buckets: math.MinInt64}, pages: pages{},
		byKey: map[string]*counted{}, held: map[string]bool{}, shards: map[part]int64{},
	}
}

// take adds the next record of the topic.
func (all *accounts) take(r *kgo.Record) error {
	key := string(r.Key)
	all.apart = all.apart || r.Partition != 0
	switch {
	case r.Value == nil:
		delete(all.byKey, key)
		delete(all.held, key)
		return nil
	case isPage(key):
		b, err := all.pages.take(r.Value)
		if b != nil && b.Generation > all.book.Generation {
			all.hold(b)
		}
		return err
	}
	a := counted{written: r.Timestamp.UnixMilli(), at: r.Offset}
	if err := json.Unmarshal(r.Value, &a); err != nil {
		return fmt.Errorf("an account: %w", err)
	}
	if all.book.holds(&a) {
		all.held[key] = true
		return nil
	}
	all.byKey[key] = &a
	if !a.read() {
		all.shards[a.part()] = a.Shards
	}
	return nil
}

// hold goes on with a newer book.
func (all *accounts) hold(b *book) {
	all.book = *b
	for key, a := range all.byKey {
		if b.holds(a) {
			all.held[key] = true
			delete(all.byKey, key)
		}
	}
	maps.DeleteFunc(all.shards, func(p part, _ int64) bool { return p.bucket < b.Buckets })
}

// sum adds up what counts.
func (all *accounts) sum(s *spec.Spec) (*account.Sheet, error) {
	kinds := make([]string, len(s.Engagements))
	for i, e := range s.Engagements {
		kinds[i] = e.Kind
	}
	total := account.New(kinds...)
	held, err := all.book.sum()
	if err != nil {
		return nil, err
	}
	total.Merge(held)
	for a := range all.counting() {
		if err := a.addTo(total); err != nil {
			return nil, err
		}
	}
	total.Coarsen(s.Bucket.Milliseconds())
	if len(total.Timeline) > 0 {
		times := slices.Sorted(maps.Keys(total.Timeline))
		total.From, total.To = times[0], times[len(times)-1]+s.Bucket.Milliseconds()
	}
	for _, stage := range s.Stages {
		n := &total.StageOf(stage.Name()).N
		n[account.Open] = n[account.Read] - n[account.Samples] - n[account.SampledOut] - n[account.Duplicates] - n[account.Late]
	}
	v := &total.Views
	v.N[account.Open] = v.N[account.Read] - v.N[account.Samples] - v.N[account.SampledOut] - v.N[account.Duplicates] - v.N[account.Late] - v.N[account.Dead]
	for _, e := range total.Engagements {
		e.N[account.Open] = e.N[account.Read] - e.N[account.Matched] - e.N[account.Outside] - e.N[account.Orphans] - e.N[account.Duplicates] - e.N[account.Late] - e.N[account.Dead]
	}
	return total, nil
}

// counting are the accounts that count beside the book.
func (all *accounts) counting() iter.Seq[*counted] {
	return func(yield func(*counted) bool) {
		for _, a := range all.byKey {
			if !a.read() && a.Shards == all.shards[a.part()] && !yield(a) {
				return
			}
		}
		for _, ranges := range all.ranges() {
			for _, a := range ranges {
				if !yield(a) {
					return
				}
			}
		}
	}
}

// ranges are the accounts of each log, one for each offset range, that count beside the book, in order.
func (all *accounts) ranges() map[string][]*counted {
	logs := map[string][]*counted{}
	for _, a := range all.byKey {
		if a.read() {
			logs[a.log()] = append(logs[a.log()], a)
		}
	}
	for log := range logs {
		logs[log] = distinct(logs[log], all.book.Offsets[log])
	}
	return logs
}

// cuts are the places in the log where a run can begin so that its accounts go on from those
// that are there. Before them it can begin anywhere: what it reads is in the book.
func (all *accounts) cuts() timeindex.Cuts {
	logs := map[cluster.Partition][][]*counted{}
	for _, ranges := range all.ranges() {
		if p := ranges[0].Partition; p != nil {
			logs[*p] = append(logs[*p], ranges)
		}
	}
	at := func(p cluster.Partition, offset int64) bool {
		return !slices.ContainsFunc(logs[p], func(ranges []*counted) bool { return splits(ranges, offset) })
	}
	cuts := timeindex.Cuts{At: at}
	for p, ofPartition := range logs {
		for _, a := range slices.Concat(ofPartition...) {
			if a.Step != steps[account.StepRead] || a.AfterIdle {
				continue
			}
			at := timeindex.Position{Offset: a.First, Clock: a.clock()}
			cuts.Entries = append(cuts.Entries, timeindex.Entry{Partition: p, Position: at, Written: a.written})
		}
	}
	return cuts
}

// splits tells whether a run that began there would leave something of a log out of the accounts:
// its own would begin inside an offset range that counts, or behind something that none does.
func splits(ranges []*counted, offset int64) bool {
	for i, a := range ranges {
		if a.First < offset && offset <= a.Last || a.gap && offset > ranges[i-1].Last+1 {
			return true
		}
	}
	last := ranges[len(ranges)-1]
	return last.Step == steps[account.StepRead] && offset > last.Last+1
}

// decided says where, in the logs of partitions, the clock is no longer that of the log alone: where
// it was not when they were read first, and behind all that was read, where it is at least the one
// by which buckets were completed. What is in buckets that are complete came before that, and so
// what comes behind it and belongs there is late.
func (all *accounts) decided(clock int64) *source.Decided {
	read := map[cluster.Partition]int64{}
	d := &source.Decided{Clock: clock, Raised: map[cluster.Partition][]source.Raise{}}
	for log, offset := range all.book.Offsets {
		if p, ok := partitionOf(log); ok {
			read[p] = max(read[p], offset)
		}
	}
	for _, ranges := range all.ranges() {
		for _, a := range ranges {
			if a.Partition == nil {
				continue // files are never idle
			}
			p := *a.Partition
			if read[p] = max(read[p], a.Last+1); a.AfterIdle && a.MaxTimeMs != nil {
				d.Raised[p] = append(d.Raised[p], source.Raise{Offset: a.First, Clock: *a.MaxTimeMs})
			}
		}
	}
	for p, offset := range read {
		d.Raised[p] = append(d.Raised[p], source.Raise{Offset: offset, Clock: clock})
		slices.SortFunc(d.Raised[p], func(a, b source.Raise) int { return cmp.Compare(a.Offset, b.Offset) })
	}
	return d
}

// distinct picks offset ranges of a log, from an offset on, that do not overlap. A job that went back
// reads again from where an offset range began, and cuts the log into others, whose accounts take the
// place of those that begin alike; the rest of the old ones begin inside new ones.
//
// Until a job that went back has come as far as the attempt before, what that one wrote behind it
// need not follow on what it wrote itself: the older account, behind a newer one that does not go
// up to the end of its chapter, is then behind a gap.
func distinct(ranges []*counted, next int64) []*counted {
	slices.SortFunc(ranges, func(a, b *counted) int { return cmp.Compare(a.First, b.First) })
	var out []*counted
	for _, a := range ranges {
		if a.First >= next {
			if n := len(out); n > 0 {
				a.gap = out[n-1].at > a.at && !out[n-1].ChapterEnd
			}
			out = append(out, a)
			next = a.Last + 1
		}
	}
	return out
}
