package kafkaio

import (
	"context"
	"runtime"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/sdf"

	"tributary/io/kafkaio/source"
	"tributary/io/pool"
	"tributary/io/record"
	"tributary/io/watermark"
)

// readerKey names a reader among all of a process.
type readerKey struct {
	job   string
	index int
}

// reader is a reader between two calls.
type reader struct {
	*source.Reader
	pace pace
	// atOnce is how many readers of the job have been seen to read at the same time: those of a subtask take turns.
	atOnce int
}

// readers are those of this process, kept between calls. One that nobody calls is closed after a
// minute.
var readers = &pool.Pool[readerKey, *reader]{Idle: time.Minute, Close: func(r *reader) { r.Close() }}

func takeReader(ctx context.Context, key readerKey, c source.Config) (*reader, error) {
	r, err := readers.Take(ctx, key, func() (*reader, error) {
		r, err := source.NewReader(ctx, c, key.index)
		return &reader{Reader: r}, err
	})
	if err == nil {
		r.atOnce = max(r.atOnce, readers.Used(key.sameJob))
	}
	return r, err
}

func (k readerKey) sameJob(other readerKey) bool { return k.job == other.job }

// budget is the part of a time that a reader may take so that all of the job in this process get their turn in it, at least so much.
func (r *reader) budget(key readerKey, all, least time.Duration) time.Duration {
	return share(all, readers.Count(key.sameJob), min(r.atOnce, runtime.GOMAXPROCS(0)), least)
}

// initial resolves where a reader starts and stops, and notes the start.
func initial(ctx context.Context, c *source.Config, index int64) (source.Restriction, error) {
	at, err := c.Initial(ctx, int(index))
	if err == nil {
		err = c.NoteBegin(ctx, at)
	}
	return at, err
}

// poll reads once, for as long as budget says, emits what came and moves the tracked positions over it; it returns the watermark
// that was reached.
func (r *reader) poll(ctx context.Context, tracker sdf.RTracker, budget time.Duration,
	batches func(beam.EventTime, record.Batch), rejected func(beam.EventTime, record.Rejected),
) (watermarkMs int64, err error) {
	reached, err := r.Poll(ctx, tracker.GetRestriction().(source.Restriction), r.Now().Add(budget), source.Output{
		Claim: func(c source.Claim) bool { return tracker.TryClaim(c) },
		Batch: func(at int64, b record.Batch) {
			r.Stats.Records += int64(b.Count)
			if b.AfterIdle {
				r.Stats.AfterIdle += int64(b.Count)
			}
			batches(watermark.EventTime(at), b)
		},
		Reject: func(at int64, rejection record.Rejected) {
			if rejection.Reason == record.ReasonTombstone {
				r.Stats.Tombstones++
			} else {
				r.Stats.Rejected++
			}
			rejected(watermark.EventTime(at), rejection)
		},
	})
	countStats(ctx, r.Stats)
	if err == nil {
		r.Note(ctx, tracker.GetRestriction().(source.Restriction))
	}
	return reached, err
}

// share is what one of some readers may take, of which so many read at once.
func share(budget time.Duration, readers, atOnce int, least time.Duration) time.Duration {
	rounds := max(1, (readers+atOnce-1)/atOnce)
	return max(budget/time.Duration(rounds), min(budget, least))
}
