package source

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tributary/io/iotest"
	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/internal/kafkatest"
	"tributary/io/record"
)

// TestConformance runs the suite for sources, on kfake in virtual time or on the broker at
// $TRIBUTARY_KAFKA.
func TestConformance(t *testing.T) {
	s := iotest.Source{New: newKafkaLog, Virtual: true}
	if os.Getenv("TRIBUTARY_KAFKA") != "" {
		s.Virtual, s.Every = false, 7
	}
	iotest.RunSource(t, s)
}

// kafkaLog is a topic, read to where it ends.
type kafkaLog struct {
	*kafkatest.SinkTopics
	topic  string
	writer *kgo.Client
}

func newKafkaLog(t testing.TB, partitions int) iotest.Log {
	l, largest := &kafkaLog{topic: "views"}, "16777216"
	if os.Getenv("TRIBUTARY_KAFKA") != "" {
		l.SinkTopics = kafkatest.NewSinkTopics(t, 1)
	} else {
		l.SinkTopics = kafkatest.NewVirtualTopics(t, 1, kfake.BrokerConfigs(map[string]string{"message.max.bytes": largest}))
	}
	l.topic += "-" + l.Job
	forever := "-1"
	l.Create(l.topic, int32(partitions), map[string]*string{"retention.ms": &forever, "max.message.bytes": &largest})
	l.writer = l.Client(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchMaxBytes(16<<20))
	t.Cleanup(l.writer.Close)
	return l
}

// Append writes events, each batch of them with two; a bad one is a tombstone.
func (l *kafkaLog) Append(t testing.TB, partition int, events ...iotest.Event) {
	t.Helper()
	for two := range slices.Chunk(events, 2) {
		var records []*kgo.Record
		for _, e := range two {
			r := &kgo.Record{Topic: l.topic, Partition: int32(partition), Key: []byte("k")}
			if !e.Bad {
				r.Value = []byte(kafkatest.At(e.Time, e.Value))
			}
			records = append(records, r)
		}
		require.NoError(t, l.writer.ProduceSync(context.Background(), records...).FirstErr())
	}
}

func (l *kafkaLog) Open(t testing.TB, state []byte, steps *iotest.Steps) (iotest.Reader, error) {
	p := &kafkaReader{t: t, wire: &kafkatest.Wire{Dial: l.Dial}, died: make(chan struct{})}
	p.wire.SetFault(func(key kmsg.Key) kafkatest.Fate { return p.fate(key, steps) })
	ctx, cancel := p.alive(context.Background())
	defer cancel()
	c := Config{
		Job: l.Job, Clusters: []cluster.Config{{Brokers: l.Brokers}}, Readers: 1, OutOfOrderness: iotest.Slack * time.Millisecond,
		PollBudget: 2 * time.Second, Stop: Stop{At: StopAtEnd},
		Topics: []Topic{{Name: l.topic, Format: JSON, Time: Field{Path: "t", Unit: record.UnitEpochMs}, Inputs: []int32{0}}},
		reach:  []kgo.Opt{kgo.Dialer(p.wire.DialContext)},
	}.Normal()
	p.budget = c.PollBudget
	var err error
	if state != nil {
		p.at, err = decodeRestriction(state)
	} else {
		p.at, err = c.Initial(ctx, 0)
	}
	if err == nil {
		p.reader, err = NewReader(ctx, c, 0)
	}
	return p, err
}

// kafkaReader is a process with a reader. Its steps are its requests, but for those that find the way.
type kafkaReader struct {
	t      testing.TB
	reader *Reader
	at     Restriction
	budget time.Duration
	wire   *kafkatest.Wire
	died   chan struct{}
	dead   atomic.Bool
}

var errDied = errors.New("the process has ended")

func (p *kafkaReader) fate(key kmsg.Key, steps *iotest.Steps) kafkatest.Fate {
	if key != kmsg.Fetch && key != kmsg.ListOffsets {
		return kafkatest.Fate{}
	}
	const cut = 200 * time.Millisecond
	switch fate := steps.Next(); fate {
	case iotest.Refused:
		return kafkatest.Fate{Lose: true, Cut: cut}
	case iotest.Unanswered:
		return kafkatest.Fate{Cut: cut}
	case iotest.DiesBefore, iotest.DiesAfter:
		if p.dead.CompareAndSwap(false, true) {
			close(p.died)
		}
		return kafkatest.Fate{Lose: fate == iotest.DiesBefore, Die: true}
	case iotest.Slow:
		return kafkatest.Fate{Hold: 300 * time.Millisecond}
	case iotest.Done:
	}
	return kafkatest.Fate{}
}

// alive is a context that ends with the process.
func (p *kafkaReader) alive(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		select {
		case <-p.died:
			cancel()
		case <-done:
		}
	}()
	return ctx, func() {
		close(done)
		cancel()
	}
}

func (p *kafkaReader) Poll(ctx context.Context, claims int) (all []iotest.Emitted, err error) {
	ctx, cancel := p.alive(ctx)
	defer cancel()
	tracked, made := NewTracker(p.at), 0
	_, err = p.reader.Poll(ctx, p.at, p.reader.Now().Add(p.budget), Output{
		Claim: func(c Claim) bool {
			if made++; made > claims {
				_, _, _ = tracked.TrySplit(0)
			}
			return tracked.TryClaim(c)
		},
		Batch: func(_ int64, b record.Batch) {
			for _, r := range kafkatest.Records(p.t, []record.Batch{b}) {
				e := iotest.Emitted{Partition: int(r.Partition), Offset: r.Offset, Before: r.Before}
				var value struct {
					T int64
					X string
				}
				if err := json.Unmarshal([]byte(r.Value), &value); err != nil {
					p.t.Errorf("%s: %v", r.Value, err)
				}
				e.Time, e.Value = value.T, value.X
				all = append(all, e)
			}
		},
		Reject: func(_ int64, r record.Rejected) {
			all = append(all, iotest.Emitted{Partition: int(r.Partition), Offset: r.Offset, Before: record.NoTime, Event: iotest.Event{Bad: true}})
		},
	})
	switch {
	case p.dead.Load():
		return nil, errDied
	case err != nil && !errors.Is(err, ErrHandedOver):
		return nil, err
	}
	p.at = tracked.at
	return all, nil
}

func (p *kafkaReader) State() []byte    { return encodeRestriction(p.at) }
func (p *kafkaReader) Watermark() int64 { return p.at.Watermark }
func (p *kafkaReader) Done() bool       { return p.at.done() }
func (p *kafkaReader) Close()           { p.reader.Close() }
