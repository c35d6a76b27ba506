package kafkaio

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ErrBegun is returned for a job that has written already where it was to begin.
var ErrBegun = errors.New("the job has written already")

// Progress is how far a job has come, by its ledger.
type Progress struct {
	// Settled: all groups with smaller IDs were written, and with them the messages that
	// NoteProgress waited for. It is math.MinInt64 if that is not known of any.
	Settled int64
	// Generation and Earlier are what they have to be in Writing.
	Generation int64
	Earlier    []Layout
	// Meaning and State are the Writing's of what is written; nil if they are not known.
	Meaning, State map[string]string
	// Kept are groups that are not settled and stay as they are, because they were written
	// while content meant something else.
	Kept []Part
}

// Part is what one shard has of the groups with an ID.
type Part struct {
	ID    int64
	Shard int32
}

func (h *head) progress(kept map[int32][]int64) Progress {
	p := Progress{Settled: h.Settled, Generation: h.Generation, Earlier: h.Earlier, Meaning: h.Meaning, State: h.State}
	for _, shard := range slices.Sorted(maps.Keys(kept)) {
		for _, id := range kept[shard] {
			if id >= h.Settled {
				p.Kept = append(p.Kept, Part{id, shard})
			}
		}
	}
	return p
}

// ReadProgress returns the progress that a job began with when it was last begun or taken over:
// what one that goes on from the state it had then must know. It changes nothing. An empty
// ledger knows of none.
func ReadProgress(ctx context.Context, w Writing) (Progress, error) {
	fail := func(err error) (Progress, error) {
		return Progress{}, fmt.Errorf("progress of job %s: %w", w.Job, err)
	}
	ledgers, err := w.stableLedgers(ctx)
	if err != nil {
		return fail(err)
	}
	base, kept := &head{Settled: noFloor}, map[int32][]int64{}
	for shard, l := range ledgers {
		if l.head == nil {
			continue
		}
		if base.Job == "" || l.head.Generation < base.Generation {
			base = l.head
		}
		kept[shard] = l.head.Kept
	}
	return base.progress(kept), nil
}

// stableLedgers reads the job's ledger as it is, without a wait for what is left of a run: heads were
// committed before its transactions.
func (w *Writing) stableLedgers(ctx context.Context) (map[int32]*shardLedger, error) {
	opts, err := w.Cluster.Options()
	if err != nil {
		return nil, err
	}
	client, err := w.Cluster.Connect(ctx)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	return readStableLedgers(ctx, client, opts, w.LedgerTopic, w.Job)
}

// TakeOver makes a job's ledger ready for a job that begins anew from the log, without the
// state of the one before, and returns how far that one has come. It must have ended; what
// is left of it is fenced off, and cannot write another group once TakeOver has returned.
//
// What is settled is skipped from then on, whatever it holds: the new job will bring parts
// of such groups only. The rest it has to bring whole. If w.Meaning is another one than it was,
// groups that were written whole are skipped as well; the new meaning is that of all others, of
// one that was written in part, too: all of it is written anew as its next version.
//
// The number of shards may be another one than before. Groups that some shard may have
// written already stay spread as they are; the new number counts from the first ID beyond
// all that were written. The ledger topic gets the partitions that it lacks. Step must be
// what it was.
//
// An error means that the job must not begin; trying it again is safe.
func TakeOver(ctx context.Context, w Writing) (Progress, error) {
	p, err := claimLedger(ctx, w, func(*Writing, []*shardLedger) error { return nil })
	if err != nil {
		return Progress{}, fmt.Errorf("take over job %s: %w", w.Job, err)
	}
	return p, nil
}

// Begin makes a job's ledger ready for a job that begins where there is none, and writes down
// what it is. A job that has written anything is ErrBegun, and nothing is changed; what is left
// of one that has not is fenced off. Otherwise it is like TakeOver.
func Begin(ctx context.Context, w Writing) (Progress, error) {
	// Before anybody is fenced off, who may be at work; and once more when nobody can be.
	ledgers, err := w.stableLedgers(ctx)
	if err == nil {
		err = nothingWritten(&w, slices.Collect(maps.Values(ledgers)))
	}
	var p Progress
	if err == nil {
		p, err = claimLedger(ctx, w, nothingWritten)
	}
	if err != nil {
		return Progress{}, fmt.Errorf("begin job %s: %w", w.Job, err)
	}
	return p, nil
}

// nothingWritten is ErrBegun if any shard has written.
func nothingWritten(w *Writing, ledgers []*shardLedger) error {
	last, groups, begun := int64(noFloor), 0, false
	for _, l := range ledgers {
		begun, groups = begun || l.begun(), groups+len(l.entries)
		for id := range l.entries {
			last = max(last, id)
		}
		last = max(last, l.through)
	}
	if !begun {
		return nil
	}
	return fmt.Errorf("%w: ledger %s has %d groups, up to %s", ErrBegun, w.LedgerTopic, groups, timeText(last))
}

// claimLedger fences off all writers of a job, and gives its shards new heads if check has
// nothing against it.
func claimLedger(ctx context.Context, w Writing, check func(*Writing, []*shardLedger) error) (Progress, error) {
	if err := w.Validate(); err != nil {
		return Progress{}, err
	}
	w = w.withDefaults()
	opts, err := w.Cluster.Options()
	if err != nil {
		return Progress{}, err
	}
	partitions, err := growLedger(ctx, opts, &w)
	if err != nil {
		return Progress{}, err
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
		return Progress{}, err
	}
	ledgers := make([]*shardLedger, len(shards))
	for i, s := range shards {
		ledgers[i] = s.ledger
	}
	if err := check(&w, ledgers); err != nil {
		return Progress{}, err
	}
	next, kept, err := nextHead(&w, ledgers)
	if err != nil {
		return Progress{}, err
	}
	if err := eachShard(partitions, func(shard int32) error {
		own := *next
		own.Kept = kept[shard]
		r, err := own.record(w.LedgerTopic, shard)
		if err == nil {
			err = shards[shard].tx.transact(ctx, []*kgo.Record{r})
		}
		return err
	}); err != nil {
		if classify(err) == stepYield {
			err = fmt.Errorf("%w: is the job still running? %w", ErrFenced, err)
		}
		return Progress{}, err
	}
	return next.progress(kept), nil
}

// nextHead is the head that the ledgers of all shards get, with every writer fenced off, and
// which groups of each shard are kept.
func nextHead(w *Writing, ledgers []*shardLedger) (next *head, kept map[int32][]int64, err error) {
	next = w.head()
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
		return next, nil, nil
	}
	if last == noFloor && !completes {
		return next, nil, nil // heads of nothing bind nobody
	}
	if base.Step != w.Step {
		return nil, nil, base.fits(w, last)
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
	return next, keepParts(ledgers, next.Settled, base.Meaning != nil && !maps.Equal(base.Meaning, w.Meaning)), nil
}

// keepParts returns which groups of each shard stay as they are: those that did already, and with
// another meaning all that are written whole.
func keepParts(ledgers []*shardLedger, settled int64, another bool) map[int32][]int64 {
	kept := map[int32][]int64{}
	for shard, l := range ledgers {
		var ids []int64
		if l.head != nil {
			ids = slices.Clone(l.head.Kept)
		}
		for id, e := range l.entries {
			if another && !e.partial {
				ids = append(ids, id)
			}
		}
		slices.Sort(ids)
		ids = slices.DeleteFunc(slices.Compact(ids), func(id int64) bool { return id < settled })
		if len(ids) > 0 {
			kept[int32(shard)] = ids
		}
	}
	return kept
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
