package kafkaio

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"sync"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/mtime"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/zeebo/xxh3"

	"tributary/io/dofn"
	"tributary/io/kafkaio/cluster"
	"tributary/io/pool"
)

// TruncatedHeader is the header of a record whose value was cut because the topic does not
// take it whole: the size that it had, in decimal.
const TruncatedHeader = "truncated"

// truncatedBytes is how much of such a value is kept, truncatedKey how much of its key: keys
// that begin alike are told apart by a hash behind that.
const (
	truncatedBytes = 64 << 10
	truncatedKey   = 1 << 10
)

// deliveryTime bounds how long a record is tried, longer than a broker's restart. The client's
// own timeout counts from a record's timestamp, which may be old.
const deliveryTime = 2 * time.Minute

var (
	sentRecords      = beam.NewCounter("kafkaio", "records_sent")
	truncatedRecords = beam.NewCounter("kafkaio", "records_truncated")
)

// Message is a record to be written at least once.
type Message struct {
	Key, Value []byte
	Headers    []Header
	// TimestampMs is in milliseconds since the epoch; 0 is the time of producing.
	TimestampMs int64
}

// Header is a header of a Message.
type Header struct {
	Key   string
	Value []byte
}

// WriteAtLeastOnce writes messages to a topic as they come; of w it takes Cluster, Topic,
// Compression and Cut.
//
// Input: a PCollection<Message>.
// Output: refused, a PCollection<Refused>, see below; sent, a PCollection<int64>: of every
// bundle how many messages it had, after they were acknowledged, with the latest of their
// event times.
//
// Delivery: at least once. The producer is idempotent, so that its own retries do not
// double; a bundle that is replayed does. A bundle ends when the brokers have acknowledged
// all it wrote, and fails if they have not within two minutes, or refuse a message.
// A record that is too large for the topic is left out and returned as refused, or, with
// Cut, its key is cut to 1 KiB and, if need be, its value to 64 KiB and marked (see
// TruncatedHeader): one such record, though it may be a dead letter already, would stop the job
// for ever.
//
// Memory: at most 10,000 messages a process and topic wait for brokers, then writing does.
//
// It panics while the pipeline is built if w is invalid.
func WriteAtLeastOnce(s beam.Scope, w Writing, messages beam.PCollection) (refused, sent beam.PCollection) {
	if err := w.validateTopic(); err != nil {
		panic(fmt.Errorf("kafkaio.WriteAtLeastOnce: %w", err))
	}
	w = Writing{Cluster: w.Cluster, Topic: w.Topic, Compression: w.Compression, Cut: w.Cut}
	return beam.ParDo2(s.Scope("kafkaio.WriteAtLeastOnce"), &sendFn{Writing: w}, messages)
}

// sender is a client for writing at least once.
type sender struct {
	client *kgo.Client
	// largest is what the topic takes at most, in bytes.
	largest int32
}

// senderKey names a sender among all of a process: writing is its Writing as JSON.
type senderKey struct{ topic, writing string }

// senders are those of this process. A bundle takes one for a message
// at a time, so all bundles share one; it is idle for longer than deliveryTime before it is closed.
var senders = &pool.Pool[senderKey, *sender]{Idle: restTime, Close: func(s *sender) { s.client.Close() }, Single: true}

// withSender has a sender of w do something that does not take long.
func withSender(ctx context.Context, w Writing, do func(*sender) error) error {
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

func newSender(ctx context.Context, w Writing) (*sender, error) {
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

// sendFn produces messages and waits for them when the bundle ends.
type sendFn struct {
	Writing Writing

	bundle *delivery
	// sent and latest are the number and the latest event time of the bundle's messages.
	sent   int64
	latest beam.EventTime
}

// delivery is what became of the messages of one bundle.
type delivery struct {
	open sync.WaitGroup

	mu    sync.Mutex
	left  int // of open
	first error
}

func (d *delivery) promise(r *kgo.Record, err error) {
	defer d.open.Done()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left--
	if err != nil && d.first == nil {
		d.first = fmt.Errorf("key %q, %d bytes: %w", r.Key, len(r.Value), err)
	}
}

// wait waits until all messages were acknowledged or refused.
func (d *delivery) wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		d.open.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.first == nil && d.left > 0 {
		return fmt.Errorf("waited for brokers to acknowledge %d records: %w", d.left, ctx.Err())
	}
	return d.first
}

func (f *sendFn) StartBundle(ctx context.Context, _ func(Refused), _ func(beam.EventTime, int64)) error {
	f.bundle, f.sent, f.latest = &delivery{}, 0, mtime.MinTimestamp
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("write to %s: %w", f.Writing.Topic, err)
	}
	return nil
}

func (f *sendFn) ProcessElement(ctx context.Context, at beam.EventTime, m Message, refuse func(Refused), _ func(beam.EventTime, int64)) error {
	f.sent, f.latest = f.sent+1, max(f.latest, at)
	r := &kgo.Record{Key: m.Key, Value: m.Value}
	if m.TimestampMs > 0 {
		r.Timestamp = time.UnixMilli(m.TimestampMs)
	}
	for _, h := range m.Headers {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
	}
	return withSender(ctx, f.Writing, func(s *sender) error {
		limit := int64(s.largest)
		if n := recordBytes(len(r.Key), len(r.Value), r.Headers); n > limit {
			if !f.Writing.Cut {
				refusedRecords.Inc(ctx, 1)
				refuse(Refused{Topic: f.Writing.Topic, Key: r.Key, Bytes: n, Limit: limit})
				return nil
			}
			cut(r, limit)
			truncatedRecords.Inc(ctx, 1)
		}
		f.bundle.produce(ctx, s.client, r)
		sentRecords.Inc(ctx, 1)
		return nil
	})
}

// produce begins to send a message. It waits while as many as a client keeps wait for brokers.
func (d *delivery) produce(ctx context.Context, client *kgo.Client, r *kgo.Record) {
	ctx, cancel := context.WithTimeout(ctx, deliveryTime)
	d.open.Add(1)
	d.mu.Lock()
	d.left++
	d.mu.Unlock()
	client.Produce(ctx, r, func(r *kgo.Record, err error) {
		cancel()
		d.promise(r, err)
	})
}

// cut makes a record as small as it has to be, and says in it what is missing of its value.
func cut(r *kgo.Record, limit int64) {
	if len(r.Key) > truncatedKey {
		r.Key = fmt.Appendf(r.Key[:truncatedKey:truncatedKey], "...%016x", xxh3.Hash(r.Key))
	}
	if recordBytes(len(r.Key), len(r.Value), r.Headers) <= limit {
		return
	}
	r.Headers = append(r.Headers, kgo.RecordHeader{Key: TruncatedHeader, Value: strconv.AppendInt(nil, int64(len(r.Value)), 10)})
	room := limit - recordBytes(len(r.Key), 0, r.Headers)
	r.Value = r.Value[:max(0, min(int64(len(r.Value)), room, truncatedBytes))]
}

func (f *sendFn) FinishBundle(ctx context.Context, _ func(Refused), emit func(beam.EventTime, int64)) error {
	if err := f.flush(ctx); err != nil {
		return err
	}
	if f.sent > 0 {
		emit(f.latest, f.sent)
	}
	return nil
}

// flush waits until everything has been acknowledged or refused.
func (f *sendFn) flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, deliveryTime)
	defer cancel()
	stop := cluster.LogWaiting(ctx, "%s: waiting for brokers to acknowledge what was written to %s", f.Writing.Cluster, f.Writing.Topic)
	defer stop()
	err := f.bundle.wait(ctx)
	if err == nil {
		return nil
	}
	if errors.Is(err, kerr.MessageTooLarge) {
		forgetSenders(f.Writing.Topic) // it takes less than it did
	}
	return fmt.Errorf("write to %s: %w", f.Writing.Topic, err)
}

func encodeMessage(m Message) []byte {
	out := binary.AppendVarint(make([]byte, 0, len(m.Key)+len(m.Value)+32), m.TimestampMs)
	out = binary.AppendUvarint(out, uint64(len(m.Headers)))
	for _, h := range m.Headers {
		out = appendBytes(out, []byte(h.Key))
		out = appendBytes(out, h.Value)
	}
	return append(appendBytes(out, m.Key), m.Value...)
}

func appendBytes(out, b []byte) []byte {
	return append(binary.AppendUvarint(out, uint64(len(b))), b...)
}

func decodeMessage(buf []byte) (Message, error) {
	fail := func(what string, err error) (Message, error) {
		return Message{}, fmt.Errorf("decode message of %d bytes: %s: %w", len(buf), what, err)
	}
	stamp, n := binary.Varint(buf)
	if n <= 0 {
		return fail("timestamp", errShort)
	}
	m, rest := Message{TimestampMs: stamp}, buf[n:]
	count, n := binary.Uvarint(rest)
	if n <= 0 || count > uint64(len(rest)) {
		return fail("headers", errShort)
	}
	rest = rest[n:]
	for range count {
		var h Header
		var key []byte
		var err error
		if key, rest, err = nextBytes(rest); err != nil {
			return fail("header", err)
		}
		if h.Value, rest, err = nextBytes(rest); err != nil {
			return fail("header", err)
		}
		h.Key = string(key)
		m.Headers = append(m.Headers, h)
	}
	var err error
	if m.Key, rest, err = nextBytes(rest); err != nil {
		return fail("key", err)
	}
	if len(m.Key) == 0 {
		m.Key = nil // a record without a key may go to any partition
	}
	m.Value = rest
	return m, nil
}

var errShort = errors.New("too few bytes")

func init() {
	dofn.Register(
		dofn.Method3x1((*sendFn).StartBundle),
		dofn.Method5x1((*sendFn).ProcessElement),
		dofn.Method3x1((*sendFn).FinishBundle),
	)
	register.Emitter1[Refused]()
	register.Emitter2[beam.EventTime, int64]()
	beam.RegisterType(reflect.TypeFor[Message]())
	beam.RegisterCoder(reflect.TypeFor[Message](), encodeMessage, decodeMessage)
}
