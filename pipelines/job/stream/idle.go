package stream

import (
	"cmp"
	"context"
	"slices"
	"time"

	"tributary/io/kafkaio/cluster"
	"tributary/pipelines/spec"
	"tributary/transforms/account"
)

// OffsetRange is a run of the log of a partition: the offsets [From, To).
type OffsetRange struct {
	Partition cluster.Partition
	From, To  int64
}

// AfterIdle returns what a job has read with a clock that was not that of the log alone: since a partition had been idle, or was not there when
// buckets were decided. What of that no account says by itself any more, since books hold it, is not among it.
// Nor is what accounts say that are behind a transaction which stays open for longer than wait; held tells of that.
func AfterIdle(ctx context.Context, s *spec.Spec, wait time.Duration) (out []OffsetRange, held bool, err error) {
	all, held, err := readAccounts(ctx, s, wait)
	if err != nil {
		return nil, false, err
	}
	for _, ranges := range all.ranges() {
		for _, a := range ranges {
			if a.AfterIdle && a.Partition != nil && a.Step == steps[account.StepRead] {
				out = append(out, OffsetRange{*a.Partition, a.First, a.Last + 1})
			}
		}
	}
	slices.SortFunc(out, func(a, b OffsetRange) int {
		return cmp.Or(cmp.Compare(a.Partition.String(), b.Partition.String()), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	return slices.Compact(out), held, nil // several inputs read one topic
}
