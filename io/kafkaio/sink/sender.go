package sink

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
	"tributary/io/pool"
)

// deliveryTime bounds how long a record is tried, longer than a broker's restart. The client's
// own timeout counts from a record's timestamp, which may be old.
const deliveryTime = 2 * time.Minute

// sender is a client for writing at least once.
type sender struct {
	client *kgo.Client
	// largest is what the topic takes at most, in bytes.
	largest int32
}

// senderKey names a sender among all of a process: writing is its Config as JSON.
type senderKey struct{ topic, writing string }

// senders keeps senders between bundles. A client serves many at once, so whoever uses one gives it back
// at once, for the next: it is closed when nobody has asked for it for restTime, which is longer than
// senderFor and deliveryTime.
type senders struct {
	pool.Pool[senderKey, *sender]
	// reach are options for clients beyond those of the cluster.
	reach []kgo.Opt
}

func newSenders(reach ...kgo.Opt) *senders {
	return &senders{
		Pool:  pool.Pool[senderKey, *sender]{Idle: restTime, Close: func(s *sender) { s.client.Close() }, Single: true},
		reach: reach,
	}
}

// sharedSenders are those of this process.
var sharedSenders = newSenders()

// senderFor is for how long whoever has got a sender may begin to send by it.
const senderFor = time.Minute

// get returns a sender of w.
func (p *senders) get(ctx context.Context, w Config) (*sender, error) {
	writing, err := json.Marshal(w)
	if err != nil {
		return nil, fmt.Errorf("write to %s: %w", w.Topic, err)
	}
	key := senderKey{w.Topic, string(writing)}
	s, err := p.Take(ctx, key, func() (*sender, error) { return p.open(ctx, w) })
	if err != nil {
		return nil, fmt.Errorf("write to %s: %w", w.Topic, err)
	}
	p.Give(key, s)
	return s, nil
}

// forget has whoever writes next to a topic open a new sender.
func (p *senders) forget(topic string) {
	p.CloseIdle(func(k senderKey) bool { return k.topic == topic })
}

func (p *senders) open(ctx context.Context, w Config) (*sender, error) {
	asking, err := w.Cluster.Connect(ctx, p.reach...)
	if err != nil {
		return nil, err
	}
	defer asking.Close()
	within, cancel := context.WithTimeout(ctx, deliveryTime)
	defer cancel()
	limits, _, err := cluster.TopicSettings(within, kadm.NewClient(asking), w.Topic)
	if err != nil {
		return nil, err
	}
	opts, err := w.Cluster.Options()
	if err != nil {
		return nil, err
	}
	s := &sender{largest: limits.Of(w.Topic)}
	opts = append(opts, p.reach...)
	s.client, err = kgo.NewClient(append(opts,
		kgo.DefaultProduceTopic(w.Topic),
		kgo.ProducerBatchMaxBytes(s.largest), // or a whole batch is refused for one record
		kgo.ProducerBatchCompression(codecs[w.Compression]),
		kgo.AlwaysRetryEOF(),
		kgo.DisableClientMetrics(),
	)...)
	return s, err
}
