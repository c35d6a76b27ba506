package live

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/commitlog"
	"tributary/io/kafkaio/sink"
	"tributary/pipelines/metrics"
	"tributary/pipelines/spec"
)

// LastStage is what a job without stages calls its only one.
const LastStage = "last"

// commitsOf counts what is committed of a stage, by its commit log.
type commitsOf struct {
	stage  string
	config sink.Config
	// lag is how long after the start of a bucket it closes.
	lag time.Duration

	// counted is up to where each partition of the log is.
	counted         map[int32]int64
	delay           *Distribution
	groups          int64
	commits, aborts int64
	// newest is the group that was written last, and late how late.
	newest time.Time
	late   float64
}

func newCommits(s *spec.Spec, stage int, config sink.Config) *commitsOf {
	c := &commitsOf{stage: stageName(s, stage), config: config, counted: map[int32]int64{}, delay: newDistribution(metrics.CommitDelay.Buckets)}
	c.lag = time.Duration(config.Step) * time.Millisecond
	if len(s.Stages) == 0 {
		c.lag += s.LongestWindow() + s.OutOfOrderness
		return c
	}
	of := s.Stages[stage]
	c.lag += of.After + of.OutOfOrderness
	return c
}

// stageName is that of a stage by its number.
func stageName(s *spec.Spec, stage int) string {
	if len(s.Stages) == 0 {
		return LastStage
	}
	return s.Stages[stage].Name()
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
	late := max(0, line.written.Sub(time.UnixMilli(line.id).Add(c.lag)).Seconds())
	c.delay.add(late, 1)
	if !line.written.Before(c.newest) {
		c.newest, c.late = line.written, late
	}
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

// now is what the log says, with the oldest transaction that is open.
func (c *commitsOf) now(at, oldest time.Time) *CommitLog {
	out := &CommitLog{Groups: c.groups, Committed: c.commits, Aborted: c.aborts, Delay: c.delay.copied()}
	if !oldest.IsZero() {
		out.Open = max(0, at.Sub(oldest).Seconds())
	}
	if c.groups > 0 {
		late := c.late
		out.Last = &late
	}
	return out
}
