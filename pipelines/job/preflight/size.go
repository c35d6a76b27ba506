package preflight

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/sink"
)

const (
	// ratedOver is how far back the rate of views is measured.
	ratedOver = time.Hour
	// sizedBy is of how many of the newest views of a partition the size is taken.
	sizedBy = 100
	// besideView is about what a sample takes beside its view: ids, times and labels.
	besideView = 200
)

// size estimates what one shard has of a bucket, by the views of the last hour: that is held in
// memory, and written at once if it is not too large. It says nothing of topics without views of
// that time.
func (c *checker) size(ctx context.Context, cl *kgo.Client, cluster string) []Finding {
	var views []string
	for _, in := range c.spec.Views.Inputs {
		if in.Cluster == cluster {
			views = append(views, in.Topic)
		}
	}
	admin := kadm.NewClient(cl)
	ends, err := admin.ListEndOffsets(ctx, views...)
	if err != nil {
		return nil // what is wrong with the topics is told of them
	}
	since, err := admin.ListOffsetsAfterMilli(ctx, time.Now().Add(-ratedOver).UnixMilli(), views...)
	if err != nil {
		return nil
	}
	starts, err := admin.ListStartOffsets(ctx, views...)
	if err != nil {
		return nil
	}
	count, newest := int64(0), map[string]map[int32]kgo.Offset{}
	ends.Each(func(end kadm.ListedOffset) {
		from, ok := since.Lookup(end.Topic, end.Partition)
		start, there := starts.Lookup(end.Topic, end.Partition)
		if !ok || !there || end.Err != nil || from.Err != nil || start.Err != nil || from.Offset < 0 || from.Offset >= end.Offset {
			return
		}
		count += end.Offset - from.Offset
		if newest[end.Topic] == nil {
			newest[end.Topic] = map[int32]kgo.Offset{}
		}
		newest[end.Topic][end.Partition] = kgo.NewOffset().At(max(start.Offset, end.Offset-sizedBy))
	})
	if count == 0 {
		return nil
	}
	return []Finding{c.sizeOf(count, meanSize(ctx, cl, newest), cluster)}
}

// sizeOf is the finding for so many views in the time of ratedOver, of that mean size.
func (c *checker) sizeOf(views int64, mean float64, cluster string) Finding {
	records := math.Ceil(float64(views) * float64(c.spec.Bucket) / float64(ratedOver) / float64(c.spec.Shards))
	bytes := records * (mean + besideView)
	parts := math.Ceil(max(1, bytes/sink.DefaultTransactionBytes, records/sink.TransactionRecords))
	detail := fmt.Sprintf("views of the last hour make about %.0f samples, %.1f MB, in a bucket of %s of each of %d shards: they are in memory at once, at catch-up too",
		records, bytes/1e6, c.spec.Bucket, c.spec.Shards)
	if parts <= 1 {
		return Finding{"size", cluster, OK, detail, ""}
	}
	return Finding{
		"size", cluster, Warning, detail + fmt.Sprintf(", and written in %.0f transactions, which readers see one after another", parts),
		"set shards to " + strconv.Itoa(int(parts)*c.spec.Shards) + ", or bucket to " + (c.spec.Bucket / time.Duration(parts)).Truncate(time.Second).String() + " or less",
	}
}

// meanSize is the mean size of some of the newest records, 0 if none can be read.
func meanSize(ctx context.Context, cl *kgo.Client, newest map[string]map[int32]kgo.Offset) float64 {
	cl.AddConsumePartitions(newest)
	defer func() {
		for topic, partitions := range newest {
			for p := range partitions {
				cl.RemoveConsumePartitions(map[string][]int32{topic: {p}})
			}
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	bytes, count := 0, 0
	for count == 0 { // then of those there are
		fetches := cl.PollRecords(ctx, sizedBy)
		if fetches.Empty() || len(fetches.Errors()) > 0 && fetches.NumRecords() == 0 {
			break
		}
		fetches.EachRecord(func(r *kgo.Record) {
			bytes += len(r.Value)
			count++
		})
	}
	return float64(bytes) / float64(max(1, count))
}
