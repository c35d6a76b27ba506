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
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TruncatedHeader is the header of a record whose value was cut because the topic does not
// take it whole: the size that it had, in decimal.
const TruncatedHeader = "truncated"

// truncatedBytes is how much of such a value is kept.
const truncatedBytes = 64 << 10

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

// WriteAtLeastOnce writes messages to a topic as they come; of w it takes Cluster, Topic and
// Compression.
//
// Input: a PCollection<Message>.
//
// Delivery: at least once. The producer is idempotent, so that its own retries do not
// double; a bundle that is replayed does. A bundle ends when the brokers have acknowledged
// all it wrote, and fails if they have not within two minutes, or refuse a message.
// A value that is too large for the topic is cut to 64 KiB and marked (see
// TruncatedHeader): one such record, though it may be a dead letter already, would stop
// the job for ever.
//
// Memory: at most 10,000 messages a process and topic wait for brokers, then writing does.
//
// It panics while the pipeline is built if w is invalid.
func WriteAtLeastOnce(s beam.Scope, w Writing, messages beam.PCollection) {
	if err := w.validateTopic(); err != nil {
		panic(fmt.Errorf("kafkaio.WriteAtLeastOnce: %w", err))
	}
	w = Writing{Cluster: w.Cluster, Topic: w.Topic, Compression: w.Compression}
	beam.ParDo0(s.Scope("kafkaio.WriteAtLeastOnce"), &sendFn{Writing: w}, messages)
}

// senders are the clients of this process for writing at least once, by the JSON of their
// Writing. They close their connections by themselves when these are idle.
var senders = struct {
	sync.Mutex
	clients map[string]*kgo.Client
}{clients: map[string]*kgo.Client{}}

func sender(ctx context.Context, w Writing) (*kgo.Client, error) {
	key, err := json.Marshal(w)
	if err != nil {
		return nil, fmt.Errorf("write to %s: %w", w.Topic, err)
	}
	opts, err := w.Cluster.Options()
	if err != nil {
		return nil, fmt.Errorf("write to %s: %w", w.Topic, err)
	}
	senders.Lock()
	defer senders.Unlock()
	if c, ok := senders.clients[string(key)]; ok {
		return c, nil
	}
	largest, err := largestBatch(ctx, opts, w.Topic)
	if err != nil {
		return nil, err
	}
	c, err := kgo.NewClient(append(opts,
		kgo.DefaultProduceTopic(w.Topic),
		kgo.ProducerBatchMaxBytes(largest), // or a whole batch is refused for one record
		kgo.ProducerBatchCompression(codecs[w.Compression]),
		kgo.AlwaysRetryEOF(),
		kgo.DisableClientMetrics(),
	)...)
	if err != nil {
		return nil, fmt.Errorf("write to %s: %w", w.Topic, err)
	}
	senders.clients[string(key)] = c
	return c, nil
}

// largestBatch asks for the limit of a topic, and so whether it is there at all.
func largestBatch(ctx context.Context, opts []kgo.Opt, topic string) (int32, error) {
	ctx, cancel := context.WithTimeout(ctx, deliveryTime)
	defer cancel()
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return 0, fmt.Errorf("write to %s: %w", topic, err)
	}
	defer client.Close()
	largest, _, err := settings(ctx, kadm.NewClient(client), topic)
	if err != nil {
		return 0, err
	}
	return largest.of(topic), nil
}

// sendFn produces messages and waits for them when the bundle ends.
type sendFn struct {
	Writing Writing

	client *kgo.Client
	bundle *delivery
}

// delivery is what became of the messages of one bundle.
type delivery struct {
	mu       sync.Mutex
	tooLarge []*kgo.Record
	first    error
}

func (d *delivery) promise(r *kgo.Record, err error) {
	if err == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case errors.Is(err, kerr.MessageTooLarge) && len(r.Value) > truncatedBytes:
		d.tooLarge = append(d.tooLarge, r)
	case d.first == nil:
		d.first = fmt.Errorf("write to %s, key %q, %d bytes: %w", r.Topic, r.Key, len(r.Value), err)
	}
}

// take returns what there is, and begins anew.
func (d *delivery) take() (tooLarge []*kgo.Record, first error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	tooLarge, d.tooLarge = d.tooLarge, nil
	return tooLarge, d.first
}

func (f *sendFn) StartBundle(ctx context.Context) (err error) {
	f.bundle = &delivery{}
	f.client, err = sender(ctx, f.Writing)
	return err
}

func (f *sendFn) ProcessElement(ctx context.Context, m Message) {
	r := &kgo.Record{Key: m.Key, Value: m.Value}
	if m.TimestampMs > 0 {
		r.Timestamp = time.UnixMilli(m.TimestampMs)
	}
	for _, h := range m.Headers {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
	}
	f.send(ctx, r)
	sentRecords.Inc(ctx, 1)
}

func (f *sendFn) send(ctx context.Context, r *kgo.Record) {
	ctx, cancel := context.WithTimeout(ctx, deliveryTime)
	bundle := f.bundle
	f.client.Produce(ctx, r, func(r *kgo.Record, err error) {
		cancel()
		bundle.promise(r, err)
	})
}

func (f *sendFn) FinishBundle(ctx context.Context) error {
	tooLarge, err := f.settle(ctx)
	if err != nil || len(tooLarge) == 0 {
		return err
	}
	for _, r := range tooLarge {
		cut := &kgo.Record{Key: r.Key, Value: r.Value[:truncatedBytes], Timestamp: r.Timestamp}
		cut.Headers = append(cut.Headers, r.Headers...)
		cut.Headers = append(cut.Headers, kgo.RecordHeader{Key: TruncatedHeader, Value: strconv.AppendInt(nil, int64(len(r.Value)), 10)})
		f.send(ctx, cut)
		truncatedRecords.Inc(ctx, 1)
	}
	_, err = f.settle(ctx)
	return err
}

// settle waits until everything has been acknowledged or refused.
func (f *sendFn) settle(ctx context.Context) (tooLarge []*kgo.Record, err error) {
	ctx, cancel := context.WithTimeout(ctx, deliveryTime)
	defer cancel()
	if err := f.client.Flush(ctx); err != nil {
		return nil, fmt.Errorf("write to %s: waited for brokers to acknowledge %d records: %w", f.Writing.Topic, f.client.BufferedProduceRecords(), err)
	}
	return f.bundle.take()
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
	register.DoFn2x0[context.Context, Message](&sendFn{})
	beam.RegisterType(reflect.TypeFor[Message]())
	beam.RegisterCoder(reflect.TypeFor[Message](), encodeMessage, decodeMessage)
}
