package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// copyCommand as the first argument makes this program copy topics, so that it is measured as a process of its own.
const copyCommand = "copy"

// copyJob is what it copies: the records of topics up to their ends, to the same partitions of one topic. It is what any program must do
// that reads the log and writes something for each event.
type copyJob struct {
	Broker string
	Ends   map[string]map[int32]int64
	To     string
	// Transactions makes it read in a group and commit offsets and copies together.
	Transactions bool
}

// commitEvery is how long a transaction is.
const commitEvery = time.Second

func newCopyJob(broker string, j job, transactions bool) copyJob {
	c := copyJob{Broker: broker, To: j.name, Transactions: transactions, Ends: map[string]map[int32]int64{j.from.views: {}, j.from.engagements: {}}}
	for p := range int32(partitions) {
		c.Ends[j.from.views][p], c.Ends[j.from.engagements][p] = j.until.viewEnds[p], j.until.engagementEnds[p]
	}
	return c
}

// submitCopy starts a process that copies, on as many threads as the job has parallelism.
func (s *servers) submitCopy(transactions bool) func(context.Context, job) (*copying, error) {
	return func(ctx context.Context, j job) (*copying, error) {
		if err := s.broker.create(ctx, j.name); err != nil {
			return nil, err
		}
		text, err := json.Marshal(newCopyJob(s.broker.address, j, transactions))
		if err != nil {
			return nil, err
		}
		cmd := exec.CommandContext(ctx, os.Args[0], copyCommand, string(text)) //nolint:gosec // itself
		cmd.Env = append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(j.parallelism))
		p, err := startProgram(cmd, s.dir, j.name)
		if err != nil {
			return nil, err
		}
		s.copier.processes = []process{p.process}
		return &copying{p}, nil
	}
}

// copying is a process that copies.
type copying struct{ *program }

func (c *copying) waitRunning(ctx context.Context) error {
	return c.expect(ctx, "running", startWithin)
}

// checkpoints: what it has read to is a few bytes.
func (c *copying) checkpoints(context.Context) (checkpoints, error) { return checkpoints{}, nil }

func (c *copying) shuffled(context.Context) (int64, error) { return 0, nil }

func (c *copying) stop(context.Context) error { return c.end() }

// runCopy is this program as a copy: it says that it runs, copies, and waits for the end of what it reads.
func runCopy(ctx context.Context, text string) error {
	var c copyJob
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return fmt.Errorf("what to copy: %w", err)
	}
	fmt.Println("running")
	run := c.copy
	if c.Transactions {
		run = c.copyInTransactions
	}
	if err := run(ctx); err != nil {
		return fmt.Errorf("copy to %s: %w", c.To, err)
	}
	var end [1]byte
	for {
		if _, err := os.Stdin.Read(end[:]); err != nil {
			return nil //nolint:nilerr // which is how it is told to stop
		}
	}
}

// options are what both ways have in common: records keep their partitions, and are packed as the other systems pack theirs.
func (c *copyJob) options(more ...kgo.Opt) []kgo.Opt {
	return append(more, kgo.SeedBrokers(c.Broker), kgo.DefaultProduceTopic(c.To), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()), kgo.MaxBufferedRecords(100_000))
}

// copy produces idempotently, as franz-go does unless it is told not to.
func (c *copyJob) copy(ctx context.Context) error {
	from := map[string]map[int32]kgo.Offset{}
	for topic, ends := range c.Ends {
		from[topic] = map[int32]kgo.Offset{}
		for partition := range ends {
			from[topic][partition] = kgo.NewOffset().AtStart()
		}
	}
	client, err := kgo.NewClient(c.options(kgo.ConsumePartitions(from))...)
	if err != nil {
		return err
	}
	defer client.Close()
	left, failed := c.records(), failure{}
	for left > 0 && failed.get() == nil {
		n, err := c.pass(ctx, client.PollFetches(ctx), client, &failed)
		if err != nil {
			return err
		}
		left -= n
	}
	return errors.Join(client.Flush(ctx), failed.get())
}

// copyInTransactions also commits what it has read to, in one transaction with the copies of it.
func (c *copyJob) copyInTransactions(ctx context.Context) error {
	topics := make([]string, 0, len(c.Ends))
	for topic := range c.Ends {
		topics = append(topics, topic)
	}
	session, err := kgo.NewGroupTransactSession(c.options(kgo.ConsumerGroup(c.To), kgo.ConsumeTopics(topics...), kgo.TransactionalID(c.To),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
	if err != nil {
		return err
	}
	defer session.Close()
	for left := c.records(); left > 0; {
		if err := session.Begin(); err != nil {
			return err
		}
		failed, copied := failure{}, int64(0)
		polling, cancel := context.WithTimeout(ctx, commitEvery)
		for copied < left && polling.Err() == nil && failed.get() == nil {
			fetches := session.PollFetches(polling)
			if polling.Err() != nil && fetches.NumRecords() == 0 {
				break
			}
			n, err := c.pass(ctx, fetches, session.Client(), &failed)
			if err != nil {
				cancel()
				return err
			}
			copied += n
		}
		cancel()
		committed, err := session.End(ctx, kgo.TransactionEndTry(failed.get() == nil))
		if err = errors.Join(err, failed.get()); err != nil {
			return err
		}
		if committed {
			left -= copied
		}
	}
	return nil
}

// records is how many there are to copy.
func (c *copyJob) records() int64 {
	sum := int64(0)
	for _, ends := range c.Ends {
		for _, end := range ends {
			sum += end
		}
	}
	return sum
}

// pass produces what was fetched and lies before the ends, and returns how much that was.
func (c *copyJob) pass(ctx context.Context, fetches kgo.Fetches, to *kgo.Client, failed *failure) (int64, error) {
	if err := fetches.Err(); err != nil {
		return 0, err
	}
	n := int64(0)
	fetches.EachRecord(func(r *kgo.Record) {
		if r.Offset >= c.Ends[r.Topic][r.Partition] {
			return
		}
		n++
		to.Produce(ctx, &kgo.Record{Partition: r.Partition, Key: r.Key, Value: r.Value}, failed.note)
	})
	return n, nil
}

// failure is the last error of a record.
type failure struct{ err atomic.Pointer[error] }

func (f *failure) note(_ *kgo.Record, err error) {
	if err != nil {
		f.err.Store(&err)
	}
}

func (f *failure) get() error {
	if err := f.err.Load(); err != nil {
		return *err
	}
	return nil
}
