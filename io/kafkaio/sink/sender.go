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

// senders are those of this process. A bundle takes one for a message
// at a time, so all bundles share one; it is idle for longer than deliveryTime before it is closed.
var senders = &pool.Pool[senderKey, *sender]{Idle: restTime, Close: func(s *sender) { s.client.Close() }, Single: true}

// withSender has a sender of w do something that does not take long.
func withSender(ctx context.Context, w Config, do func(*sender) error) error {
	writing, err := json.Marshal(w)
	if err != nil {
		return fmt.Errorf("write to %s: %w", w.Topic, err)
	}
	key := senderKey{w.Topic, string(writing)}
	s, err := senders.Take(ctx, key, func() (*sender, error) { return newSender(ctx, w) })
	if err != nil {
		return fmt.Errorf("write to %s: %w", w.Topic, err)
	}
	defer senders.Give(key, s)
	return do(s)
}

// forgetSenders has whoever writes next to a topic open a new sender.
func forgetSenders(topic string) {
	senders.CloseIdle(func(k senderKey) bool { return k.topic == topic })
}

func newSender(ctx context.Context, w Config) (*sender, error) {
	asking, err := w.Cluster.Connect(ctx)
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
	s.client, err = kgo.NewClient(append(opts,
		kgo.DefaultProduceTopic(w.Topic),
		kgo.ProducerBatchMaxBytes(s.largest), // or a whole batch is refused for one record
		kgo.ProducerBatchCompression(codecs[w.Compression]),
		kgo.AlwaysRetryEOF(),
		kgo.DisableClientMetrics(),
	)...)
	return s, err
}
