package kafkaio

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Progress is how far a job has come, by its ledger.
type Progress struct {
	// Settled: all groups with smaller IDs were written, and with them the messages that
	// NoteProgress waited for. It is math.MinInt64 if that is not known of any.
	Settled int64
	// Generation and Earlier are what they have to be in Writing.
	Generation int64
	Earlier    []Layout
}

func (h *head) progress() Progress {
	return Progress{Settled: h.Settled, Generation: h.Generation, Earlier: h.Earlier}
}

// ReadProgress returns the progress that a job began with when it was last taken over: what
// one that goes on from the state it had then must know. An empty ledger knows of none.
func ReadProgress(ctx context.Context, w Writing) (Progress, error) {
	fail := func(err error) (Progress, error) {
		return Progress{}, fmt.Errorf("progress of job %s: %w", w.Job, err)
	}
	opts, err := w.Cluster.Options()
	if err != nil {
		return fail(err)
	}
	h, err := (&kafka{w: &w, opts: opts}).anyHead(ctx)
	if err != nil {
		return fail(err)
	}
	if h == nil {
		return Progress{Settled: noFloor}, nil
	}
	return h.progress(), nil
}

// TakeOver makes a job's ledger ready for a job that begins anew from the log, without the
// state of the one before, and returns how far that one has come. It must have ended; what
// is left of it is fenced off, and cannot write another group once TakeOver has returned.
//
// What is settled is skipped from then on, whatever it holds: the new job will bring parts
// of such groups only. The rest it has to bring whole.
//
// The number of shards may be another one than before. Groups that some shard may have
// written already stay spread as they are; the new number counts from the first ID beyond
// all that were written. The ledger topic gets the partitions that it lacks. Step must be
// what it was.
//
// An error means that the job must not begin; trying it again is safe.
func TakeOver(ctx context.Context, w Writing) (Progress, error) {
	fail := func(err error) (Progress, error) {
		return Progress{}, fmt.Errorf("take over job %s: %w", w.Job, err)
	}
	if err := w.Validate(); err != nil {
		return fail(err)
	}
	w = w.withDefaults()
	opts, err := w.Cluster.Options()
	if err != nil {
		return fail(err)
	}
	partitions, err := growLedger(ctx, opts, &w)
	if err != nil {
		return fail(err)
	}
	// Shards that were given up may be written to by what is left of the job, too.
	all := w
	all.Shards, all.Earlier, all.Generation = partitions, nil, math.MaxInt64
	shards, err := openAll(ctx, (&kafka{w: &all, opts: opts}).open, partitions)
	defer func() {
		for _, s := range shards {
			if s.tx != nil {
				s.tx.close()
			}
		}
	}()
	if err != nil {
		return fail(err)
	}
	ledgers := make([]*shardLedger, len(shards))
	for i, s := range shards {
		ledgers[i] = s.ledger
	}
	next, err := nextHead(&w, ledgers)
	if err != nil {
		return fail(err)
	}
	if err := eachShard(partitions, func(shard int32) error {
		r, err := next.record(w.LedgerTopic, shard)
		if err == nil {
			err = shards[shard].tx.transact(ctx, []*kgo.Record{r})
		}
		return err
	}); err != nil {
		if classify(err) == stepYield {
			err = fmt.Errorf("%w: is the job still running? %w", ErrFenced, err)
		}
		return fail(err)
	}
	return next.progress(), nil
}

// nextHead is the head that the ledgers of all shards get, with every writer fenced off.
func nextHead(w *Writing, ledgers []*shardLedger) (*head, error) {
	next := w.head()
	next.Earlier, next.Generation = nil, 1
	var base *head // the one that groups were written under
	last, through, completes := int64(noFloor), int64(noFloor), false
	for _, l := range ledgers {
		for id := range l.entries {
			last = max(last, id)
		}
		if l.completes {
			through, completes = max(through, l.through), true
		}
		if h := l.head; h != nil {
			if base == nil || h.Generation < base.Generation {
				base = h
			}
			next.Generation = max(next.Generation, h.Generation+1)
			next.Settled = max(next.Settled, h.Settled)
		}
	}
	if base == nil {
		return next, nil
	}
	if base.Step != w.Step {
		return nil, base.fits(w, last)
	}
	if completes {
		next.Settled = max(next.Settled, through+w.Step)
	}
	if last != noFloor {
		// As it was up to the last group that was written, and from there on as w wants it.
		until := last + max(w.Step, 1)
		for _, l := range base.Earlier {
			if l.Until < until {
				next.Earlier = append(next.Earlier, l)
			}
		}
		if had := shardsAt(base.Earlier, base.Shards, last); had != w.Shards {
			next.Earlier = append(next.Earlier, Layout{Until: until, Shards: had})
		}
	}
	// How settled groups were spread matters to nobody.
	next.Earlier = slices.DeleteFunc(next.Earlier, func(l Layout) bool { return l.Until <= next.Settled })
	return next, nil
}

type openShard struct {
	tx     transactor
	ledger *shardLedger
}

// openAll opens the producers of all shards. Those that were opened are returned in any case.
func openAll(ctx context.Context, open opener, count int32) ([]openShard, error) {
	shards := make([]openShard, count)
	return shards, eachShard(count, func(shard int32) error {
		tx, ledger, err := open(ctx, shard)
		if err != nil {
			return fmt.Errorf("shard %d: %w", shard, err)
		}
		shards[shard] = openShard{tx, ledger}
		return nil
	})
}

// eachShard runs do for every shard, some at once: each waits for brokers most of the time.
func eachShard(count int32, do func(shard int32) error) error {
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		errs []error
		turn = make(chan struct{}, 16)
	)
	for shard := range count {
		wg.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			if err := do(shard); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// growLedger gives the ledger topic the partitions that it lacks, and returns how many there
// are then.
func growLedger(ctx context.Context, opts []kgo.Opt, w *Writing) (int32, error) {
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return 0, err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	for asked := false; ; {
		topics, err := admin.ListTopics(ctx, w.LedgerTopic)
		if err != nil {
			return 0, fmt.Errorf("look at ledger %s: %w", w.LedgerTopic, err)
		}
		if err := topics[w.LedgerTopic].Err; err != nil {
			return 0, fmt.Errorf("look at ledger %s: %w", w.LedgerTopic, err)
		}
		have := int32(len(topics[w.LedgerTopic].Partitions))
		if have >= w.Shards {
			return have, nil
		}
		if !asked {
			answers, err := admin.UpdatePartitions(ctx, int(w.Shards), w.LedgerTopic)
			if err == nil {
				err = answers.Error()
			}
			if err != nil {
				return 0, fmt.Errorf("give ledger %s %d partitions, one for each shard, instead of %d: %w", w.LedgerTopic, w.Shards, have, err)
			}
			asked = true
		}
		select { // brokers learn of it one after another
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return 0, fmt.Errorf("wait for the new partitions of ledger %s: %w", w.LedgerTopic, ctx.Err())
		}
	}
}
