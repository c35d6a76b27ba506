package sink

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/commitlog"
)

// transactor is one incarnation of a shard's transactional producer. After an error it is
// closed and not used again, whatever the error: what it knows of its transaction may
// be wrong.
type transactor interface {
	// transact writes records in one transaction. Only nil means that they are committed;
	// after an error they may be or not.
	transact(ctx context.Context, records []*kgo.Record) error
	// takes is how many bytes a record of the output topic may take.
	takes() int32
	Close()
}

// opener opens a producer for a shard: it fences off earlier ones, so that nothing of
// theirs is open or can still come, and then reads the shard's commit log.
type opener func(ctx context.Context, shard int32) (transactor, *commitlog.Log, error)

// shardWriter writes the groups of one shard, one transaction at a time. Not for concurrent use.
type shardWriter struct {
	w     *Config
	shard int32
	open  opener
	// pause is the wait before the second attempt; it doubles from then on.
	pause time.Duration

	// tx and log are of one incarnation; tx is nil when there is none.
	tx  transactor
	log *commitlog.Log
	// transactions counts those that were committed.
	transactions int64
}

// firstPause: with five attempts it makes four seconds in all, about as long as a
// partition takes to find a new leader.
const firstPause = 250 * time.Millisecond

// write commits groups in one transaction, or in several if they are large, skipping what is
// committed already. The acknowledgements are in the order of the groups.
func (s *shardWriter) write(ctx context.Context, groups []*group) ([]commitlog.Committed, error) {
	// tried are the versions that an earlier attempt of this call may have written.
	tried := map[*group]int32{}
	for attempt, pause := 1, s.pause; ; attempt, pause = attempt+1, 2*pause {
		before := s.transactions
		acks, err := s.attempt(ctx, groups, tried)
		if s.transactions > before {
			attempt, pause = 1, s.pause // it goes on from there
		}
		if err == nil {
			return acks, nil
		}
		s.drop()
		if ctx.Err() != nil {
			return nil, fmt.Errorf("write to %s, shard %d: %w", s.w.Topic, s.shard, err)
		}
		switch next(err, attempt) {
		case stepYield:
			return nil, fmt.Errorf("write to %s, shard %d: %w; does another job of the name %s run, or did it take longer than %s? %w",
				s.w.Topic, s.shard, ErrFenced, s.w.Job, s.w.TransactionTimeout, err)
		case stepFail:
			return nil, fmt.Errorf("write to %s, shard %d, attempt %d: %w", s.w.Topic, s.shard, attempt, err)
		case stepAgain:
			retries.Inc(ctx, 1)
			log.Warnf(ctx, "write to %s, shard %d: attempt %d of %d, opening a new producer in %s: %v", s.w.Topic, s.shard, attempt, maxAttempts, pause, err)
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return nil, fmt.Errorf("write to %s, shard %d: %w", s.w.Topic, s.shard, errors.Join(err, ctx.Err()))
			}
		}
	}
}

// attempt opens a producer if there is none, decides by its commit log, and commits.
func (s *shardWriter) attempt(ctx context.Context, groups []*group, tried map[*group]int32) ([]commitlog.Committed, error) {
	if s.tx == nil {
		tx, shardLog, err := s.open(ctx, s.shard)
		if err != nil {
			return nil, fmt.Errorf("open producer %s: %w", transactionalID(s.w.Job, s.shard), err)
		}
		opened.Inc(ctx, 1)
		s.tx, s.log = tx, shardLog
	}
	for _, g := range groups {
		if s.log.Header == nil || s.log.Committed(g.id) {
			continue
		}
		if err := s.log.Header.Fits(s.w.CommitLog, s.w.Header(), g.id); err != nil {
			return nil, err
		}
	}
	p, err := newPlan(s.log, groups, s.w.Keep)
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		if err := g.refuse(s.w.Topic, s.tx.takes()); err != nil {
			return nil, err
		}
	}
	if err := s.commit(ctx, p, tried); err != nil {
		return nil, err
	}
	acks := make([]commitlog.Committed, len(p.decisions))
	for i, d := range p.decisions {
		acks[i] = commitlog.Committed{
			Shard: s.shard, ID: d.group.id, Version: d.version, Records: d.group.records,
			// Found, but by an attempt of ours whose outcome was not known.
			Skipped: d.skip && tried[d.group] != d.version,
		}
	}
	return acks, nil
}

// commit writes a plan, in one transaction if it is not too large.
func (s *shardWriter) commit(ctx context.Context, p *plan, tried map[*group]int32) error {
	all, err := p.transactions(s.w.TransactionBytes)
	if err != nil {
		return err
	}
	drop := p.drop
	for i := range all {
		records, err := s.records(&all[i], drop, p.truncatedBefore)
		if err != nil {
			return err
		}
		for _, piece := range all[i].pieces {
			tried[piece.group] = piece.version
		}
		stop := cluster.LogWaiting(ctx, "%s: waiting for brokers to take a transaction of %d records for %s, shard %d", s.w.Cluster, len(records), s.w.Topic, s.shard)
		err = s.tx.transact(ctx, records)
		stop()
		if err != nil {
			return err
		}
		drop = nil
		s.log.Header, s.log.Headed = s.header(), true
		s.transactions++
	}
	s.log.Apply(p.written(), p.drop, p.truncatedBefore)
	return nil
}

// header is what the shard's commit log begins with, or will.
func (s *shardWriter) header() *commitlog.Header {
	if s.log.Header != nil {
		return s.log.Header
	}
	return s.w.Header()
}

// drop closes the producer and forgets what it knew.
func (s *shardWriter) drop() {
	if s.tx != nil {
		s.tx.Close()
	}
	s.tx, s.log = nil, nil
}

func transactionalID(job string, shard int32) string {
	return job + "-" + strconv.Itoa(int(shard))
}
