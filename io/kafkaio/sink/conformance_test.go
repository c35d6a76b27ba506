package sink

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tributary/io/iotest"
	"tributary/io/kafkaio/internal/kafkatest"
)

// TestConformance runs the suite for sinks, on kfake in virtual time or on the broker at
// $TRIBUTARY_KAFKA.
func TestConformance(t *testing.T) {
	for name, open := range map[string]func(*kafkaProcess){"exactly once": (*kafkaProcess).transacts, "at least once": (*kafkaProcess).delivers} {
		t.Run(name, func(t *testing.T) {
			s := iotest.Sink{
				New:         func(t testing.TB) iotest.Target { return newKafkaTarget(t, open) },
				AtLeastOnce: name == "at least once",
				Largest:     1_040_000, TooLarge: 1_100_000, Virtual: true,
			}
			if os.Getenv("TRIBUTARY_KAFKA") != "" {
				s.Virtual, s.Every = false, 5
			}
			iotest.RunSink(t, s)
		})
	}
}

// kafkaTarget is a topic of one partition, so that there is an order, and a commit log of two shards.
type kafkaTarget struct {
	*writeRig
	open func(*kafkaProcess)
}

func newKafkaTarget(t testing.TB, open func(*kafkaProcess)) *kafkaTarget {
	r := &kafkaTarget{open: open}
	if os.Getenv("TRIBUTARY_KAFKA") != "" {
		r.writeRig = newWriteRig(t, 2)
	} else {
		r.writeRig = newVirtualRig(t, 2)
	}
	r.w.Topic += "-ordered"
	forever := "-1"
	r.Create(r.w.Topic, 1, map[string]*string{"retention.ms": &forever})
	return r
}

func (r *kafkaTarget) Read(testing.TB) (all []iotest.Record) {
	for _, rec := range r.CommittedRecords(r.w.Topic) {
		all = append(all, iotest.Record{Key: string(rec.Key), Value: string(rec.Value)})
	}
	return all
}

func (r *kafkaTarget) Open(_ testing.TB, steps *iotest.Steps) iotest.Process {
	p := &kafkaProcess{target: r, wire: &kafkatest.Wire{Dial: r.Dial}, died: make(chan struct{})}
	p.wire.SetFault(func(key kmsg.Key) kafkatest.Fate { return p.fate(key, steps) })
	r.open(p)
	return p
}

// kafkaProcess is a process that writes. Its steps are its requests, but for those that find the way.
type kafkaProcess struct {
	target *kafkaTarget
	wire   *kafkatest.Wire
	died   chan struct{}
	// write writes groups; close ends clients.
	write func(ctx context.Context, groups []iotest.Group) (acknowledged int, refused []iotest.Record, err error)
	close func()
}

var findsTheWay = []kmsg.Key{kmsg.ApiVersions, kmsg.Metadata, kmsg.FindCoordinator}

func (p *kafkaProcess) fate(key kmsg.Key, steps *iotest.Steps) kafkatest.Fate {
	if slices.Contains(findsTheWay, key) {
		return kafkatest.Fate{}
	}
	const cut = 200 * time.Millisecond
	switch fate := steps.Next(); fate {
	case iotest.Refused:
		return kafkatest.Fate{Lose: true, Cut: cut}
	case iotest.Unanswered:
		return kafkatest.Fate{Cut: cut}
	case iotest.DiesBefore, iotest.DiesAfter:
		defer close(p.died)
		return kafkatest.Fate{Lose: fate == iotest.DiesBefore, Die: true}
	case iotest.Slow:
		return kafkatest.Fate{Hold: time.Second}
	case iotest.Done:
	}
	return kafkatest.Fate{}
}

var errDied = errors.New("the process has ended")

func (p *kafkaProcess) Write(ctx context.Context, groups []iotest.Group) (int, []iotest.Record, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(chan struct{})
	defer close(done)
	go func() {
		select {
		case <-p.died:
			cancel(errDied)
		case <-done:
		}
	}()
	return p.write(ctx, groups)
}

func (p *kafkaProcess) Close() { p.close() }

func (p *kafkaProcess) opts() []kgo.Opt { return []kgo.Opt{kgo.Dialer(p.wire.DialContext)} }

// transacts writes groups exactly once.
func (p *kafkaProcess) transacts() {
	w, err := newWriters(p.target.w, append(p.target.Opts(), p.opts()...), newWriterPool())
	require.NoError(p.target.T, err)
	p.close = w.CloseIdle
	p.write = func(ctx context.Context, groups []iotest.Group) (acknowledged int, refused []iotest.Record, err error) {
		bundles := map[int32]*Bundle{}
		for _, g := range groups {
			if bundles[g.Shard] == nil {
				bundles[g.Shard] = &Bundle{}
			}
			part := Group{Shard: g.Shard, ID: g.ID, Last: true}
			for _, r := range g.Records {
				part.Records = AppendRecord(part.Records, []byte(r.Key), []byte(r.Value), NoTimestamp)
			}
			if _, err := bundles[g.Shard].Add(part); err != nil {
				return 0, nil, err
			}
		}
		acks, err := w.Finish(ctx, bundles)
		for _, shard := range acks {
			acknowledged += len(shard)
			for _, a := range shard {
				for _, r := range a.Refused {
					refused = append(refused, iotest.Record{Key: string(r.Key)})
				}
			}
		}
		return acknowledged, refused, err
	}
}

// delivers writes records at least once.
func (p *kafkaProcess) delivers() {
	from := newSenders(p.opts()...)
	p.close = func() { from.CloseIdle(func(senderKey) bool { return true }) }
	p.write = func(ctx context.Context, groups []iotest.Group) (acknowledged int, refused []iotest.Record, err error) {
		d := &Delivery{w: Config{Cluster: p.target.w.Cluster, Topic: p.target.w.Topic}, from: from}
		for _, g := range groups {
			for _, r := range g.Records {
				out, err := d.Send(ctx, Message{Key: []byte(r.Key), Value: []byte(r.Value)})
				if err != nil {
					return 0, nil, err
				}
				if out.Refused != nil {
					refused = append(refused, iotest.Record{Key: string(out.Refused.Key)})
				}
			}
		}
		if err := d.Wait(ctx); err != nil {
			return 0, nil, err
		}
		return len(groups), refused, nil
	}
}
