package sink

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

	"tributary/io/kafkaio/commitlog"
)

// ErrBegun is returned for a job that has written already where it was to begin.
var ErrBegun = errors.New("the job has written already")

// Recover makes a job's commit log ready for a job that begins anew from the log, without the
// state of the one before, and returns how far that one has come. It must have ended; what
// is left of it is fenced off, and cannot write another group once Recover has returned.
//
// What is complete is skipped from then on, whatever it holds: the new job will bring parts
// of such groups only. The rest it has to bring whole. If w.Meaning is another one than it was,
// groups that were written whole are skipped as well; the new meaning is that of all others, of
// one that was written in part, too: all of it is written anew as its next version.
//
// The number of shards may be another one than before. Groups that some shard may have
// written already stay spread as they are; the new number counts from the first ID beyond
// all that were written. The commit log topic gets the partitions that it lacks. Step must be
// what it was.
//
// An error means that the job must not begin; trying it again is safe.
func Recover(ctx context.Context, w Config) (commitlog.Progress, error) {
	p, err := claim(ctx, w, func(*Config, []*commitlog.Log) error { return nil })
	if err != nil {
		return commitlog.Progress{}, fmt.Errorf("recover job %s: %w", w.Job, err)
	}
	return p, nil
}

// Begin makes a job's commit log ready for a job that begins where there is none, and writes down
// what it is. A job that has written anything is ErrBegun, and nothing is changed; what is left
// of one that has not is fenced off. Otherwise it is like Recover.
func Begin(ctx context.Context, w Config) (commitlog.Progress, error) {
	// Before anybody is fenced off, who may be at work; and once more when nobody can be.
	err := notBegun(ctx, &w)
	var p commitlog.Progress
	if err == nil {
		p, err = claim(ctx, w, nothingWritten)
	}
	if err != nil {
		return commitlog.Progress{}, fmt.Errorf("begin job %s: %w", w.Job, err)
	}
	return p, nil
}

// NotBegun is ErrBegun for a job that has written anything, as for Begin. It changes nothing, and fences nobody off.
func NotBegun(ctx context.Context, w Config) error {
	if err := notBegun(ctx, &w); err != nil {
		return fmt.Errorf("begin job %s: %w", w.Job, err)
	}
	return nil
}

func notBegun(ctx context.Context, w *Config) error {
	logs, err := commitlog.ReadStable(ctx, w.Cluster, w.CommitLog, w.Job)
	if err != nil {
		return err
	}
	return nothingWritten(w, slices.Collect(maps.Values(logs)))
}

// nothingWritten is ErrBegun if any shard has written.
func nothingWritten(w *Config, logs []*commitlog.Log) error {
	last, groups, begun := int64(commitlog.NoID), 0, false
	for _, l := range logs {
		begun, groups = begun || l.Begun(), groups+len(l.Entries)
		for id := range l.Entries {
			last = max(last, id)
		}
		last = max(last, l.Through)
	}
	if !begun {
		return nil
	}
	return fmt.Errorf("%w: commit log %s has %d groups, up to %s", ErrBegun, w.CommitLog, groups, time.UnixMilli(last).UTC().Format(time.RFC3339))
}

// claim fences off all writers of a job, and gives its shards new headers if check has
// nothing against it.
func claim(ctx context.Context, w Config, check func(*Config, []*commitlog.Log) error) (commitlog.Progress, error) {
	if err := w.Validate(); err != nil {
		return commitlog.Progress{}, err
	}
	w = w.withDefaults()
	opts, err := w.Cluster.Options()
	if err != nil {
		return commitlog.Progress{}, err
	}
	partitions, err := growCommitLog(ctx, opts, &w)
	if err != nil {
		return commitlog.Progress{}, err
	}
	// Shards that were given up may be written to by what is left of the job, too.
	all := w
	all.Shards, all.Earlier, all.FencingEpoch = partitions, nil, math.MaxInt64
	shards, err := openAll(ctx, (&kafka{w: &all, opts: opts}).open, partitions)
	defer func() {
		for _, s := range shards {
			if s.tx != nil {
				s.tx.Close()
			}
		}
	}()
	if err != nil {
		return commitlog.Progress{}, err
	}
	logs := make([]*commitlog.Log, len(shards))
	for i, s := range shards {
		logs[i] = s.log
	}
	if err := check(&w, logs); err != nil {
		return commitlog.Progress{}, err
	}
	next, kept, err := commitlog.Next(w.CommitLog, w.Header(), logs)
	if err != nil {
		return commitlog.Progress{}, err
	}
	corrected := commitlog.Corrected(logs, next.CommittedBefore, kept)
	if err := eachShard(partitions, func(shard int32) error {
		own := *next
		own.Kept, own.Corrected = kept[shard], corrected[shard]
		r, err := own.Record(w.CommitLog, shard)
		if err == nil {
			err = shards[shard].tx.transact(ctx, []*kgo.Record{r})
		}
		return err
	}); err != nil {
		if classify(err) == stepYield {
			err = fmt.Errorf("%w: is the job still running? %w", ErrFenced, err)
		}
		return commitlog.Progress{}, err
	}
	return next.Progress(kept, corrected), nil
}

type openShard struct {
	tx  transactor
	log *commitlog.Log
}

// openAll opens the producers of all shards. Those that were opened are returned in any case.
func openAll(ctx context.Context, open opener, count int32) ([]openShard, error) {
	shards := make([]openShard, count)
	return shards, eachShard(count, func(shard int32) error {
		tx, shardLog, err := open(ctx, shard)
		if err != nil {
			return fmt.Errorf("shard %d: %w", shard, err)
		}
		shards[shard] = openShard{tx, shardLog}
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

// growCommitLog gives the commit log topic the partitions that it lacks, and returns how many there
// are then.
func growCommitLog(ctx context.Context, opts []kgo.Opt, w *Config) (int32, error) {
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return 0, err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	for asked := false; ; {
		topics, err := admin.ListTopics(ctx, w.CommitLog)
		if err != nil {
			return 0, fmt.Errorf("look at commit log %s: %w", w.CommitLog, err)
		}
		if err := topics[w.CommitLog].Err; err != nil {
			return 0, fmt.Errorf("look at commit log %s: %w", w.CommitLog, err)
		}
		have := int32(len(topics[w.CommitLog].Partitions))
		if have >= w.Shards {
			return have, nil
		}
		if !asked {
			answers, err := admin.UpdatePartitions(ctx, int(w.Shards), w.CommitLog)
			if err == nil {
				err = answers.Error()
			}
			if err != nil {
				return 0, fmt.Errorf("give commit log %s %d partitions, one for each shard, instead of %d: %w", w.CommitLog, w.Shards, have, err)
			}
			asked = true
		}
		select { // brokers learn of it one after another
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return 0, fmt.Errorf("wait for the new partitions of commit log %s: %w", w.CommitLog, ctx.Err())
		}
	}
}
