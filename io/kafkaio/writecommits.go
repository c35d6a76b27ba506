package kafkaio

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
)

// readCommits is ReadLedger for a client with opts.
func readCommits(ctx context.Context, opts []kgo.Opt, topic string) (map[int32]ShardCommits, error) {
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("read ledger %s: %w", topic, err)
	}
	defer client.Close()
	ledgers, err := readLedgers(ctx, client, opts, topic, "")
	if err != nil {
		return nil, err
	}
	commits := make(map[int32]ShardCommits, len(ledgers))
	for shard, l := range ledgers {
		c := ShardCommits{Floor: l.floor, Groups: make([]Committed, 0, len(l.entries))}
		for id, e := range l.entries {
			to := &c.Groups
			if e.partial {
				to = &c.Begun
			}
			*to = append(*to, Committed{Shard: shard, ID: id, Version: e.version, Records: e.records})
		}
		for _, groups := range [][]Committed{c.Groups, c.Begun} {
			slices.SortFunc(groups, func(a, b Committed) int { return cmp.Compare(a.ID, b.ID) })
		}
		commits[shard] = c
	}
	return commits, nil
}

// readLedgers reads the ledger of every shard, see readLedger.
func readLedgers(ctx context.Context, client *kgo.Client, opts []kgo.Opt, topic, job string) (map[int32]*shardLedger, error) {
	ends, err := cluster.ListOffsets(ctx, topic, kadm.NewClient(client).ListEndOffsets)
	if err != nil {
		return nil, err
	}
	return readLedger(ctx, opts, topic, slices.Collect(maps.Keys(ends)), job)
}
