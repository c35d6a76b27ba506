package commitlog

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

// Committed acknowledges a group.
type Committed struct {
	Shard int32
	ID    int64
	// Version is the one that is in the topic now: 1, or more if it was corrected.
	Version int32
	Records int64
	// Skipped says that it was found there already.
	Skipped bool
}

// Commits is what one shard has committed, by its commit log.
type Commits struct {
	// Groups by ascending ID, each with its newest version. Begun are those whose newest version
	// is written in part: their Records are as many as that.
	Groups, Begun []Committed
	// TruncatedBefore: groups with smaller IDs were committed or never came, and can no longer be
	// told apart. It is math.MinInt64 if nothing has been let go.
	TruncatedBefore int64
}

// ReadAll returns what each shard has committed. Every partition of the commit log topic is a
// shard and is in the result, empty if nothing was committed. It reads up to the end
// as it is when it is called, waiting until transactions that are open then have ended
// or ctx does. A topic that is not there, or not reachable, is an error.
func ReadAll(ctx context.Context, c cluster.Config, ledgerTopic string) (map[int32]Commits, error) {
	opts, err := c.Options()
	if err != nil {
		return nil, fmt.Errorf("read commit log %s: %w", ledgerTopic, err)
	}
	return ReadCommits(ctx, opts, ledgerTopic)
}

// ReadCommits is ReadAll for a client with opts.
func ReadCommits(ctx context.Context, opts []kgo.Opt, topic string) (map[int32]Commits, error) {
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("read commit log %s: %w", topic, err)
	}
	defer client.Close()
	logs, err := ReadEach(ctx, client, opts, topic, "")
	if err != nil {
		return nil, err
	}
	commits := make(map[int32]Commits, len(logs))
	for shard, l := range logs {
		c := Commits{TruncatedBefore: l.TruncatedBefore, Groups: make([]Committed, 0, len(l.Entries))}
		for id, e := range l.Entries {
			to := &c.Groups
			if e.Partial {
				to = &c.Begun
			}
			*to = append(*to, Committed{Shard: shard, ID: id, Version: e.Version, Records: e.Records})
		}
		for _, groups := range [][]Committed{c.Groups, c.Begun} {
			slices.SortFunc(groups, func(a, b Committed) int { return cmp.Compare(a.ID, b.ID) })
		}
		commits[shard] = c
	}
	return commits, nil
}

// ReadEach reads the commit log of every shard, see ReadShards.
func ReadEach(ctx context.Context, client *kgo.Client, opts []kgo.Opt, topic, job string) (map[int32]*Log, error) {
	ends, err := cluster.ListOffsets(ctx, topic, kadm.NewClient(client).ListEndOffsets)
	if err != nil {
		return nil, err
	}
	return ReadShards(ctx, opts, topic, slices.Collect(maps.Keys(ends)), job)
}
