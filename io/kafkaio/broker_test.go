package kafkaio

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"

	"tributary/io/record"
)

// broker is a cluster to test against: in this process, or the one that TRIBUTARY_KAFKA
// names.
type broker struct {
	t       testing.TB
	cluster Cluster
	client  *kgo.Client
	admin   *kadm.Client
	fake    *kfake.Cluster // nil for a real one
}

func newBroker(t testing.TB) *broker {
	t.Helper()
	b := &broker{t: t, cluster: Cluster{Brokers: strings.Split(os.Getenv("TRIBUTARY_KAFKA"), ",")}}
	if b.cluster.Brokers[0] == "" {
		b.fake = kfake.MustCluster(kfake.NumBrokers(2), kfake.BrokerConfigs(map[string]string{"message.max.bytes": "16777216"}))
		t.Cleanup(b.fake.Close)
		b.cluster.Brokers = b.fake.ListenAddrs()
	}
	b.client = b.writer()
	b.admin = kadm.NewClient(b.client)
	return b
}

func (b *broker) connect(opts ...kgo.Opt) *kgo.Client {
	b.t.Helper()
	client, err := b.cluster.Connect(b.t.Context(), opts...)
	require.NoError(b.t, err)
	b.t.Cleanup(client.Close)
	return client
}

// writer returns a client that writes where records say; it knows of partitions that there
// are now.
func (b *broker) writer() *kgo.Client {
	b.t.Helper()
	return b.connect(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchMaxBytes(16<<20))
}

var topicsMade atomic.Int64

// topic makes a topic of its own for the test.
func (b *broker) topic(partitions int32, configs ...string) string {
	b.t.Helper()
	name := fmt.Sprintf("read-%d-%d", time.Now().UnixNano(), topicsMade.Add(1))
	settings := map[string]*string{"retention.ms": kadm.StringPtr("-1"), "max.message.bytes": kadm.StringPtr("16777216")}
	for i := 0; i < len(configs); i += 2 {
		settings[configs[i]] = &configs[i+1]
	}
	_, err := b.admin.CreateTopic(b.t.Context(), partitions, 1, settings, name)
	require.NoError(b.t, err)
	// A broker may not know it yet that answers next.
	require.Eventually(b.t, func() bool {
		starts, err := b.admin.ListStartOffsets(b.t.Context(), name)
		return err == nil && starts.Error() == nil && len(starts[name]) == int(partitions)
	}, 10*time.Second, 20*time.Millisecond)
	b.t.Cleanup(func() {
		_, err := b.admin.DeleteTopics(context.WithoutCancel(b.t.Context()), name)
		require.NoError(b.t, err) // tells nothing of topics that the test has deleted
	})
	return name
}

// produce writes values to a partition; nil makes a tombstone.
func (b *broker) produce(topic string, partition int32, values ...string) {
	b.t.Helper()
	var records []*kgo.Record
	for _, v := range values {
		records = append(records, &kgo.Record{Topic: topic, Partition: partition, Value: []byte(v)})
	}
	require.NoError(b.t, b.client.ProduceSync(b.t.Context(), records...).FirstErr())
}

// at is a record with that event time.
func at(ms int64, more ...any) string {
	return fmt.Sprintf(`{"t":%d,"x":%q}`, ms, fmt.Sprint(more...))
}

// reading of topics of JSON, in one reader, from the start to the present end.
func (b *broker) reading(topics ...string) Reading {
	r := Reading{
		Job: fmt.Sprint(b.t.Name(), topicsMade.Add(1)), Clusters: []Cluster{b.cluster}, Readers: 1, OutOfOrderness: 10 * time.Millisecond,
		SliceTime: 2 * time.Second, Rest: time.Millisecond, Stop: Stop{At: StopAtEnd},
	}
	for _, name := range topics {
		r.Topics = append(r.Topics, Topic{Name: name, Format: JSON, Time: Field{Path: "t", Unit: record.UnitEpochMs}, Inputs: []int32{0}})
	}
	return r
}

// session is one reader's reading, as a runner drives it.
type session struct {
	t       testing.TB
	reading Reading
	index   int
	reader  *reader
	at      restriction

	batches    []record.Batch
	times      []int64 // of batches
	rejected   []record.Rejected
	watermarks []int64
	truncated  int64
	// count, if set, is given batches instead of keeping them.
	count   func(record.Batch)
	counted int64
	// claims is after how many claims the runner takes the rest away; it then goes on.
	claims int
}

func newSession(t testing.TB, r Reading, index int) *session {
	t.Helper()
	require.NoError(t, r.Validate())
	s := &session{t: t, reading: r.normal(), index: index, claims: math.MaxInt}
	var err error
	s.at, err = s.reading.initial(t.Context(), index)
	require.NoError(t, err)
	s.restart()
	t.Cleanup(func() { s.reader.close() })
	return s
}

// restart goes on with another reader that knows nothing but the restriction, as encoded.
func (s *session) restart() {
	s.t.Helper()
	if s.reader != nil {
		s.reader.close()
	}
	var err error
	s.reader, err = newReader(s.reading, s.index)
	require.NoError(s.t, err)
	s.at, err = decodeRestriction(encodeRestriction(s.at))
	require.NoError(s.t, err)
}

// slice makes one call.
func (s *session) slice() error {
	tracked, claims := newTracker(s.at), 0
	s.reader.stats = stats{}
	watermark, err := s.reader.slice(s.t.Context(), s.at, time.Now().Add(s.reading.SliceTime), output{
		claim: func(c claim) bool {
			if claims++; claims > s.claims {
				_, _, err := tracked.TrySplit(0)
				require.NoError(s.t, err)
			}
			return tracked.TryClaim(c)
		},
		batch: func(at int64, b record.Batch) {
			if s.counted += int64(b.Count); s.count != nil {
				s.count(b)
				return
			}
			s.batches, s.times = append(s.batches, b), append(s.times, at)
		},
		reject: func(_ int64, r record.Rejected) { s.rejected = append(s.rejected, r) },
	})
	s.truncated += s.reader.stats.truncated
	if err == nil {
		s.watermarks = append(s.watermarks, watermark)
	}
	s.at = tracked.at
	return err
}

// finish makes calls until all is read.
func (s *session) finish() {
	s.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !s.at.done() {
		if err := s.slice(); err != nil {
			require.ErrorIs(s.t, err, errHandedOver)
			s.restart()
		}
		require.True(s.t, time.Now().Before(deadline), "stuck at %+v", s.at)
	}
}

// until makes calls until the condition holds.
func (s *session) until(condition func() bool) {
	s.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !condition() {
		require.NoError(s.t, s.slice())
		require.True(s.t, time.Now().Before(deadline), "stuck at %+v", s.at)
	}
}

// read is a record as it came, with the largest event time before it that its batch tells.
type read struct {
	Partition int32
	Offset    int64
	Before    int64
	Value     string
	Schema    uint64
}

// records takes batches apart.
func records(t require.TestingT, batches []record.Batch) []read {
	var all []read
	for _, b := range batches {
		before, rest := b.MaxTime, b.Records
		for range b.Count {
			distance, record, after, err := record.NextFramed(rest)
			require.NoError(t, err)
			all = append(all, read{b.Partition, b.Offset + distance, before, string(record), b.Schema})
			before, rest = max(before, timeIn(string(record))), after
		}
		require.Empty(t, rest)
	}
	return all
}

// timeIn reads the event time of a test's record the simple way.
func timeIn(value string) int64 {
	var ms int64
	if _, err := fmt.Sscanf(value, `{"t":%d,`, &ms); err != nil {
		return record.NoTime
	}
	return ms
}

// log is what a plain consumer reads from topics, with the largest event time before each
// record: what the source has to say.
func (b *broker) log(topics ...string) []read {
	b.t.Helper()
	slices.Sort(topics)
	var want []read
	ends, err := b.admin.ListEndOffsets(b.t.Context(), topics...)
	require.NoError(b.t, err)
	for rank, topic := range topics {
		for p := range int32(len(ends[topic])) {
			before := int64(record.NoTime)
			for _, r := range b.consume(topic, p, ends[topic][p].Offset) {
				want = append(want, read{int32(rank)<<rankBits | p, r.Offset, before, string(r.Value), 0})
				before = max(before, timeIn(string(r.Value)))
			}
		}
	}
	return want
}

// consume reads a partition up to an offset, committed records only.
func (b *broker) consume(topic string, partition int32, end int64) (all []*kgo.Record) {
	b.t.Helper()
	client := b.connect(kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {partition: kgo.NewOffset().AtStart()}}))
	for next := int64(0); next < end; {
		fetches := client.PollFetches(b.t.Context())
		require.NoError(b.t, fetches.Err())
		fetches.EachRecord(func(r *kgo.Record) {
			next = r.Offset + 1
			if !r.Attrs.IsControl() {
				all = append(all, r)
			}
		})
	}
	return all
}

func sorted(all []read) []read {
	slices.SortStableFunc(all, func(a, b read) int {
		return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset))
	})
	return all
}

// clockAt is the clock of a partition whose records have come to that event time.
func clockAt(ms int64) record.Clock {
	c := record.NoClock
	c.Add(ms)
	return c
}

// positionAt is a place in a log whose records have come to that event time.
func positionAt(offset, ms int64) Position { return Position{Offset: offset, Clock: clockAt(ms)} }

// disorder makes n records whose event times go back now and then.
func disorder(seed, n int) []string {
	times := rapid.Custom(func(t *rapid.T) []string {
		var out []string
		for i := range n {
			ms := int64(1_000+i*3) - rapid.Int64Range(0, 40).Draw(t, "back")
			if rapid.IntRange(0, 30).Draw(t, "kind") == 0 {
				out = append(out, `{"no":"time"}`)
				continue
			}
			out = append(out, at(ms, seed, i))
		}
		return out
	})
	return times.Example(seed)
}
