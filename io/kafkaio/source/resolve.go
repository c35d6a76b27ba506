package source

import (
	"context"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/timeindex"
)

// Resolve returns r with a Start and a Stop that say offsets: what they mean is decided here,
// once, and stays so however often the job begins anew before it has state. A start at the
// earliest stays as it is: retention may move it at any moment.
func (r Config) Resolve(ctx context.Context) (Config, error) {
	starts := r.Start.At == AtLatest || r.Start.At == AtTime || r.Start.At == AtCommitted
	stops := r.Stop.At == StopAtEnd || r.Stop.At == StopAtTime
	if !starts && !stops {
		return r, nil
	}
	all, topics, err := r.whole(ctx)
	if err != nil {
		return r, err
	}
	if starts {
		r.Start = Start{At: AtOffsets, Begins: true, Offsets: map[cluster.Partition]timeindex.Position{}}
	}
	if stops {
		r.Stop = Stop{At: StopAtOffsets, Offsets: map[cluster.Partition]int64{}}
	}
	for _, p := range all.Partitions {
		key := cluster.Partition{Cluster: topics[p.Topic].Cluster, Topic: topics[p.Topic].Name, Partition: p.Partition}
		if starts {
			r.Start.Offsets[key] = timeindex.Position{Offset: p.Next, Clock: p.Clock}
		}
		if stops {
			r.Stop.Offsets[key] = max(p.Next, p.Stop)
		}
	}
	return r, nil
}

// whole is the initial restriction of one reader of all partitions, with the topics in its order.
func (r Config) whole(ctx context.Context) (Restriction, []Topic, error) {
	r = r.Normal()
	r.Readers = 1
	all, err := r.Initial(ctx, 0)
	return all, r.Topics, err
}
