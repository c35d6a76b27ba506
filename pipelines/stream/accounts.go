package stream

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/event"
	"tributary/io/kafkaio"
	"tributary/pipelines/spec"
	"tributary/pipelines/topics"
	"tributary/transforms/ledger"
)

// accounts are those of a topic, in order; of one key, the last counts.
type accounts struct {
	byKey map[string]*account
	// shards is how many there were when a bucket was joined last: a job that was started
	// with another number joins what was open again.
	shards map[int64]int64
}

// readAccounts reads the accounts that a job has written until now.
func readAccounts(ctx context.Context, s *spec.Spec) (*accounts, error) {
	var all accounts
	o := s.Outputs
	err := kafkaio.ReadAll(ctx, topics.Kafka(s.Cluster(o.Samples.Cluster)), o.Topics.Accounts, all.take)
	if err != nil {
		return nil, fmt.Errorf("accounts in topic %s: %w", o.Topics.Accounts, err)
	}
	return &all, nil
}

// take adds the next record of the topic.
func (all *accounts) take(r *kgo.Record) error {
	if r.Value == nil {
		delete(all.byKey, string(r.Key))
		return nil
	}
	a := account{written: r.Timestamp.UnixMilli()}
	if err := json.Unmarshal(r.Value, &a); err != nil {
		return fmt.Errorf("an account: %w", err)
	}
	all.add(string(r.Key), &a)
	return nil
}

func (all *accounts) add(key string, a *account) {
	if all.byKey == nil {
		all.byKey, all.shards = map[string]*account{}, map[int64]int64{}
	}
	all.byKey[key] = a
	if a.Partition == nil {
		all.shards[a.Bucket] = a.Shards
	}
}

// sum adds up what counts.
func (all *accounts) sum(s *spec.Spec) (*ledger.Ledger, error) {
	kinds := make([]string, len(s.Engagements))
	for i, e := range s.Engagements {
		kinds[i] = e.Kind
	}
	total := ledger.New(kinds...)
	for a := range all.counting() {
		if err := a.addTo(total); err != nil {
			return nil, err
		}
	}
	if times := slices.Sorted(maps.Keys(total.Timeline)); len(times) > 0 {
		total.From, total.To = times[0], times[len(times)-1]+s.Bucket.Milliseconds()
	}
	v := &total.Views
	v.Open = v.Read - v.Samples - v.SampledOut - v.Duplicates - v.Late - v.Dead
	for _, e := range total.Engagements {
		e.Open = e.Read - e.Matched - e.Outside - e.Orphans - e.Duplicates - e.Late - e.Dead
	}
	return total, nil
}

// counting are the accounts that count.
func (all *accounts) counting() iter.Seq[*account] {
	return func(yield func(*account) bool) {
		for _, a := range all.byKey {
			if a.Step != steps[ledger.Read] && (a.Partition != nil || a.Shards == all.shards[a.Bucket]) && !yield(a) {
				return
			}
		}
		for a := range all.stretches() {
			if !yield(a) {
				return
			}
		}
	}
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
