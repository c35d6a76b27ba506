package stream

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/event"
	"tributary/io/kafkaio"
	"tributary/pipelines/report"
	"tributary/pipelines/spec"
	"tributary/pipelines/topics"
	"tributary/transforms/ledger"
)

// Report tells from the accounts of a stream, which may go on meanwhile, what became of
// every event that it has read. What is in windows that are still open is counted as open.
func Report(ctx context.Context, s *spec.Spec) (*report.Report, error) {
	if !s.Streams() {
		return nil, fmt.Errorf("%s reads files: `tributary join` reports on them", s.File)
	}
	all, err := readAccounts(ctx, s)
	if err != nil {
		return nil, err
	}
	o := s.Outputs
	sum := all.sum(s)
	out := &report.Report{
		Spec: s.File, Version: s.Version, Ledger: sum, Kinds: s.Kinds(), Windows: map[string]time.Duration{},
		Outputs: []report.Output{{Name: "samples", Topic: o.Samples.Topic, Count: sum.Views.Samples}},
	}
	for _, e := range s.Engagements {
		out.Windows[e.Kind] = e.Window
	}
	return out, nil
}

// readAccounts reads the accounts that a job has written until now.
func readAccounts(ctx context.Context, s *spec.Spec) (*accounts, error) {
	var all accounts
	o := s.Outputs
	err := kafkaio.ReadAll(ctx, topics.Kafka(s.Cluster(o.Samples.Cluster)), o.Topics.Accounts, func(r *kgo.Record) error {
		a := account{written: r.Timestamp.UnixMilli()}
		if err := json.Unmarshal(r.Value, &a); err != nil {
			return fmt.Errorf("an account: %w", err)
		}
		all.add(&a)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("accounts in topic %s: %w", o.Topics.Accounts, err)
	}
	return &all, nil
}

// accounts are those of a topic, in order; of one key, the last counts.
type accounts struct {
	byKey map[string]*account
	// shards is how many there were when a bucket was joined last: a job that was started
	// with another number joins what was open again.
	shards map[int64]int64
}

func (all *accounts) add(a *account) {
	if all.byKey == nil {
		all.byKey, all.shards = map[string]*account{}, map[int64]int64{}
	}
	all.byKey[a.key()] = a
	if a.Partition == nil {
		all.shards[a.Bucket] = a.Shards
	}
}

// sum adds up what counts.
func (all *accounts) sum(s *spec.Spec) *ledger.Ledger {
	kinds := make([]string, len(s.Engagements))
	for i, e := range s.Engagements {
		kinds[i] = e.Kind
	}
	total := ledger.New(kinds...)
	for _, a := range all.byKey {
		if a.Step != steps[ledger.Read] && (a.Partition != nil || a.Shards == all.shards[a.Bucket]) {
			total.Merge(a.Ledger)
		}
	}
	for a := range all.stretches() {
		total.Merge(a.Ledger)
	}
	if times := slices.Sorted(maps.Keys(total.Timeline)); len(times) > 0 {
		total.From, total.To = times[0], times[len(times)-1]+s.Bucket.Milliseconds()
	}
	v := &total.Views
	v.Open = v.Read - v.Samples - v.SampledOut - v.Duplicates - v.Late - v.Dead
	for _, e := range total.Engagements {
		e.Open = e.Read - e.Matched - e.Outside - e.Orphans - e.Duplicates - e.Late - e.Dead
	}
	return total
}

// stretches are the accounts of what was read that count.
func (all *accounts) stretches() iter.Seq[*account] {
	read := map[string][]*account{} // by role and partition
	for _, a := range all.byKey {
		if a.Step == steps[ledger.Read] {
			log := a.Role + "/" + a.Partition.String()
			read[log] = append(read[log], a)
		}
	}
	return func(yield func(*account) bool) {
		for _, of := range read {
			for _, a := range distinct(of) {
				if !yield(a) {
					return
				}
			}
		}
	}
}

// cuts are the places in the log where a run can begin so that its accounts go on from those
// that are there.
func (all *accounts) cuts() (cuts []kafkaio.Mark) {
	for a := range all.stretches() {
		if a.AfterIdle {
			continue
		}
		at := kafkaio.Position{Offset: a.First, Clock: event.NoClock}
		if a.MaxTimeMs != nil {
			at.Clock = event.Clock{Largest: *a.MaxTimeMs, Second: *cmp.Or(a.SecondTimeMs, a.MaxTimeMs)}
		}
		cuts = append(cuts, kafkaio.Mark{Partition: *a.Partition, Position: at, Written: a.written})
	}
	return cuts
}

// distinct picks stretches of a partition that do not overlap. A job that went back reads
// again from where a stretch began, and cuts the log into others, whose accounts take the
// place of those that begin alike; the rest of the old ones begin inside new ones.
func distinct(stretches []*account) []*account {
	slices.SortFunc(stretches, func(a, b *account) int { return cmp.Compare(a.First, b.First) })
	var out []*account
	next := int64(0)
	for _, a := range stretches {
		if a.First >= next {
			out = append(out, a)
			next = a.Last + 1
		}
	}
	return out
}
