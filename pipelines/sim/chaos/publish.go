package chaos

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/record"
)

// Publisher writes the logs of a Stream to its topics, all in step with event time.
type Publisher struct {
	stream *Stream
	client *kgo.Client
	rush   atomic.Bool

	moving sync.Mutex // held to look at logs
	logs   []*published

	mu     sync.Mutex
	failed error
}

// published is how far a log is published.
type published struct {
	Log
	before int64        // the event time reached before the first record
	next   int          // to be published
	acked  atomic.Int64 // records that the broker has, which acknowledges in order
}

// NewPublisher makes a publisher; Close it.
func NewPublisher(s *Stream) (*Publisher, error) {
	client, err := s.client(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.MaxBufferedRecords(100_000))
	if err != nil {
		return nil, err
	}
	p := &Publisher{stream: s, client: client}
	for i := range s.Input.Logs {
		p.logs = append(p.logs, &published{Log: s.Input.Logs[i], before: record.NoTime})
	}
	return p, nil
}

// Close ends the publisher.
func (p *Publisher) Close() { p.client.Close() }

// rushStep is how far logs may be apart, in event time, when they are published at once: none may be
// quiet for so long that it is idle.
const rushStep = 10 * time.Second

// Rush publishes what is left at once.
func (p *Publisher) Rush() { p.rush.Store(true) }

// Run publishes all records, with event time going speed times as fast as the clock, until
// all are written or the context ends.
func (p *Publisher) Run(ctx context.Context, speed float64) error {
	begun, start := time.Now(), p.stream.Input.Start()
	until := start
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for done := false; !done; {
		if p.rush.Load() {
			until += rushStep.Milliseconds()
		} else {
			until = start + int64(speed*float64(time.Since(begun).Milliseconds()))
		}
		if done = p.publishAll(ctx, until); done {
			break
		}
		if p.rush.Load() && ctx.Err() == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	if err := p.client.Flush(ctx); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return p.Err()
}

// Err is what could not be published.
func (p *Publisher) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failed
}

// publishAll hands over the records of all logs up to an event time, and tells whether that was all.
func (p *Publisher) publishAll(ctx context.Context, until int64) bool {
	p.moving.Lock()
	defer p.moving.Unlock()
	done := true
	for _, log := range p.logs {
		p.publish(ctx, log, until)
		done = done && log.next == len(log.Records)
	}
	return done
}

// publish hands over a log's records up to an event time. The client keeps their order
// and writes each once, whatever becomes of the broker.
func (p *Publisher) publish(ctx context.Context, log *published, until int64) {
	for ; log.next < len(log.Records) && log.Records[log.next].Reached <= until; log.next++ {
		r := &kgo.Record{Topic: p.stream.topic(log.Topic), Partition: log.Partition, Value: p.stream.schemas.frame(log.Topic, log.Records[log.next].Value)}
		p.client.Produce(ctx, r, func(r *kgo.Record, err error) {
			if err == nil {
				log.acked.Add(1)
				return
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			p.failed = errors.Join(p.failed, fmt.Errorf("publish to %s/%d: %w", r.Topic, r.Partition, err))
		})
	}
}

// Reached is the event time in ms that all logs in Kafka have reached: math.MaxInt64 when
// they are complete.
func (p *Publisher) Reached() int64 {
	p.moving.Lock()
	defer p.moving.Unlock()
	reached := int64(math.MaxInt64)
	for _, log := range p.logs {
		switch n := log.acked.Load(); {
		case n == 0:
			reached = min(reached, log.before)
		case n < int64(len(log.Records)):
			reached = min(reached, log.Records[n-1].Reached)
		}
	}
	return reached
}

// Count is how many records are in Kafka.
func (p *Publisher) Count() (n int64) {
	p.moving.Lock()
	defer p.moving.Unlock()
	for _, log := range p.logs {
		n += log.acked.Load()
	}
	return n
}
