package exporter

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/commitlog"
	"tributary/io/kafkaio/sink"
	"tributary/pipelines/audit"
	"tributary/pipelines/metrics"
	"tributary/pipelines/spec"
)

// lastStage is what a job without stages calls its only one in metrics: labels are never empty.
const lastStage = "last"

// commitsOf counts what is committed of a stage, by its commit log.
type commitsOf struct {
	stage  string
	config sink.Config
	// lag is how long after the start of a bucket it closes.
	lag time.Duration

	// counted is up to where each partition of the log is.
	counted         map[int32]int64
	delay           *metrics.Distribution
	groups          int64
	commits, aborts int64
}

func newCommits(s *spec.Spec, stage int, config sink.Config) *commitsOf {
	c := &commitsOf{stage: lastStage, config: config, counted: map[int32]int64{}, delay: metrics.CommitDelay.NewDistribution()}
	c.lag = time.Duration(config.Step) * time.Millisecond
	if len(s.Stages) == 0 {
		c.lag += s.LongestWindow() + s.OutOfOrderness
		return c
	}
	of := s.Stages[stage]
	c.stage = of.Name()
	c.lag += of.After + of.OutOfOrderness
	return c
}

// producer is one in a partition.
type producer struct {
	partition int32
	id        int64
}

// transaction is one that has not ended yet where the log is read.
type transaction struct {
	began  time.Time
	groups []group
}

// group is a line of the commit log.
type group struct {
	id      int64
	written time.Time
}

// controlAbort is the type of a control record that aborts; the other that ends a transaction commits it.
const controlAbort = 0

// read reads the commit log, and counts what was written since it did so last. oldest is when the first transaction began that is
// open, zero for none.
//
// The log is compacted, so what was counted before it was read again stays counted.
func (c *commitsOf) read(ctx context.Context) (oldest time.Time, err error) {
	open := map[producer]*transaction{}
	ends := map[int32]int64{}
	err = cluster.ReadLog(ctx, c.config.Cluster, c.config.CommitLog, func(r *kgo.Record) error {
		ends[r.Partition] = r.Offset + 1
		isNew := r.Offset >= c.counted[r.Partition]
		of := producer{r.Partition, r.ProducerID}
		if r.Attrs.IsControl() {
			if ended := open[of]; ended != nil && isNew {
				c.end(r.Key, ended)
			}
			delete(open, of)
			return nil
		}
		line, known := groupOf(r)
		switch {
		case r.Attrs.IsTransactional():
			if open[of] == nil {
				open[of] = &transaction{began: r.Timestamp}
			}
			if known {
				open[of].groups = append(open[of].groups, line)
			}
		case known && isNew:
			c.count(line)
		}
		return nil
	})
	if err != nil {
		return time.Time{}, err
	}
	for partition, end := range ends {
		c.counted[partition] = end // less than before of a log that began anew
	}
	for _, t := range open {
		if oldest.IsZero() || t.began.Before(oldest) {
			oldest = t.began
		}
	}
	return oldest, nil
}

// end counts a transaction by the key of the record that ends it: version (int16) type (int16), the highest byte first.
func (c *commitsOf) end(key []byte, ended *transaction) {
	if len(key) >= 4 && binary.BigEndian.Uint16(key[2:]) == controlAbort {
		c.aborts++
		return
	}
	c.commits++
	for _, line := range ended.groups {
		c.count(line)
	}
}

func (c *commitsOf) count(line group) {
	c.groups++
	closed := time.UnixMilli(line.id).Add(c.lag)
	c.delay.Add(max(0, line.written.Sub(closed).Seconds()), 1)
}

// groupOf is what a record of the commit log says of a group that is written whole; others are about the job, or let a group go.
func groupOf(r *kgo.Record) (group, bool) {
	_, id, err := commitlog.ParseKey(r.Key)
	if err != nil || r.Value == nil {
		return group{}, false
	}
	entry, _, _, err := commitlog.ParseValue(r.Value)
	return group{id, r.Timestamp}, err == nil && !entry.Partial
}

// committed tells what is committed, and how far that is behind the watermark.
func (e *Exporter) committed(ctx context.Context, watermark int64, out *collected) error {
	out.add(metrics.TransactionTimeout, e.spec.Stream.TransactionTimeout.Seconds())
	now := e.opt.Now()
	var errs []error
	for _, c := range e.commits {
		oldest, err := c.read(ctx)
		if err != nil {
			errs = append(errs, fmt.Errorf("commit log %s: %w", c.config.CommitLog, err))
			continue
		}
		age := 0.0
		if !oldest.IsZero() {
			age = max(0, now.Sub(oldest).Seconds())
		}
		out.distribution(c.delay, c.stage)
		out.add(metrics.Commits, float64(c.groups), c.stage)
		out.add(metrics.Transactions, float64(c.commits), c.stage, "commit")
		out.add(metrics.Transactions, float64(c.aborts), c.stage, "abort")
		out.add(metrics.TransactionOpen, age, c.stage)
	}
	completes, err := audit.Completes(ctx, e.spec)
	errs = append(errs, err)
	for _, of := range completes {
		if of.Before.IsZero() {
			continue
		}
		labels := []string{stageLabel(of.Stage), sinkLabel(of.Topic)}
		out.add(metrics.StageComplete, seconds(of.Before), labels...)
		if watermark != noWatermark {
			come := time.UnixMilli(watermark).Add(e.spec.OutOfOrderness)
			out.add(metrics.StageOverdue, max(0, come.Sub(of.Before.Add(of.Bucket+of.Lag)).Seconds()), labels...)
		}
	}
	return errors.Join(errs...)
}

func stageLabel(name string) string {
	if name == "" {
		return lastStage
	}
	return name
}

func sinkLabel(topic string) string {
	if topic == "" {
		return "folder"
	}
	return "topic"
}
