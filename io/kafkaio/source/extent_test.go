package source

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/timeindex"
	"tributary/io/record"
)

// logRig is topics of JSON records {"t": ms} on a broker.
type logRig struct {
	t       *testing.T
	client  *kgo.Client
	reading Config
}

func newLogRig(t *testing.T, partitions int32, topics ...string) *logRig {
	t.Helper()
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	r := &logRig{t: t}
	r.client, err = kgo.NewClient(kgo.SeedBrokers(fake.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, err)
	t.Cleanup(r.client.Close)
	r.reading = Config{
		Job: t.Name(), Clusters: []cluster.Config{{Brokers: fake.ListenAddrs()}}, OutOfOrderness: 10 * time.Millisecond, MaxAhead: 50 * time.Millisecond,
		Stop: Stop{At: StopAtEnd},
	}
	_, err = kadm.NewClient(r.client).CreateTopics(t.Context(), partitions, 1, nil, topics...)
	require.NoError(t, err)
	for i, topic := range topics {
		r.reading.Topics = append(r.reading.Topics, Topic{Name: topic, Format: JSON, Time: Field{Path: "t", Unit: record.UnitEpochMs}, Inputs: []int32{int32(i)}})
	}
	return r
}

// put writes records, stamped by their producer.
func (r *logRig) put(topic string, partition int32, stamp time.Time, values ...string) {
	r.t.Helper()
	for _, v := range values {
		require.NoError(r.t, r.client.ProduceSync(r.t.Context(), &kgo.Record{Topic: topic, Partition: partition, Value: []byte(v), Timestamp: stamp}).FirstErr())
	}
}

func (r *logRig) extent(all bool) Extent {
	r.t.Helper()
	resolved, err := r.reading.Resolve(r.t.Context())
	require.NoError(r.t, err)
	e, err := resolved.Extent(r.t.Context(), all)
	require.NoError(r.t, err)
	return e
}

// TestExtent tells how far logs have come that hold all kinds of records.
func TestExtent(t *testing.T) {
	a := func(n int32) *cluster.Partition { return &cluster.Partition{Topic: "a", Partition: n} }
	now := time.Now()
	r := newLogRig(t, 2, "a")
	clocks, zero, none := func(all ...record.Clock) []record.Clock { return all }, record.Clock{Largest: 1040, Second: 1000}, record.NoClock
	require.Equal(t, Extent{Watermark: record.NoTime, Clocks: clocks(none, none), Holder: a(0)}, r.extent(false), "nothing is there")
	r.put("a", 0, now, `{"t":1000}`, `{"t":1040}`, `{"t":900}`, `garbage`, `{}`)
	require.Equal(t, Extent{Watermark: record.NoTime, Clocks: clocks(zero, none), Holder: a(1)}, r.extent(false), "a partition is empty")
	r.put("a", 1, now, `{}`)
	require.Equal(t, Extent{Watermark: record.NoTime, Clocks: clocks(zero, none), Holder: a(1)}, r.extent(false), "it holds nothing with a time")
	r.put("a", 1, now, `{"t":1020}`)
	require.Equal(t, Extent{Watermark: 1010, Clocks: clocks(zero, record.Clock{Largest: 1020, Second: 1020}), Holder: a(1)}, r.extent(false))
	r.put("a", 1, now, `{"t":5000}`)
	require.Equal(t, Extent{Watermark: 1010, Clocks: clocks(zero, record.Clock{Largest: 5000, Second: 1020}), Holder: a(1)}, r.extent(true), "one record alone moves nothing")
	r.put("a", 1, now, `{"t":4990}`)
	require.Equal(t, Extent{Watermark: 1030, Clocks: clocks(zero, record.Clock{Largest: 5000, Second: 4990}), Holder: a(0)}, r.extent(true), "two do")

	// Neither what is written later, nor what is too far ahead of its writing.
	resolved, err := r.reading.Resolve(t.Context())
	require.NoError(t, err)
	r.put("a", 0, time.UnixMilli(100), `{"t":6000}`, `{"t":6000}`)
	got, err := resolved.Extent(t.Context(), false)
	require.NoError(t, err)
	require.EqualValues(t, 1030, got.Watermark)
	require.EqualValues(t, 1030, r.extent(false).Watermark)

	// From a place in the middle, with the clock there.
	middle := resolved
	middle.Start = Start{At: AtOffsets, Offsets: map[cluster.Partition]timeindex.Position{
		*a(0): {Offset: 3, Clock: record.Clock{Largest: 1040, Second: 1000}}, *a(1): {Offset: 4, Clock: record.Clock{Largest: 2000, Second: 2000}},
	}}
	got, err = middle.Extent(t.Context(), false)
	require.NoError(t, err)
	require.Equal(t, Extent{Watermark: 1030, Clocks: clocks(zero, record.Clock{Largest: 2000, Second: 2000}), Holder: a(0)}, got)
	// And where a log is to be read farther than it goes.
	middle.Stop.Offsets[*a(0)] = 100
	got, err = middle.Extent(t.Context(), false)
	require.NoError(t, err)
	require.True(t, got.Ahead)
}

// TestExtentOfIdle: a partition to which nothing was written for long enough holds nothing
// back, and where none does, the clock counts.
func TestExtentOfIdle(t *testing.T) {
	r := newLogRig(t, 1, "a", "b", "c")
	r.reading.IdleAfter = time.Minute
	now := time.Now()
	ms := func(d time.Duration) string { return `{"t":` + strconv.FormatInt(now.Add(d).UnixMilli(), 10) + `}` }
	r.put("a", 0, now.Add(-2*time.Minute), ms(-time.Hour))
	r.put("b", 0, now, ms(-time.Second))
	got := r.extent(false)
	require.Equal(t, now.Add(-time.Second-10*time.Millisecond).UnixMilli(), got.Watermark)
	require.Equal(t, []cluster.Partition{{Topic: "a"}, {Topic: "c"}}, got.Idle)
	require.Equal(t, &cluster.Partition{Topic: "b"}, got.Holder)

	r = newLogRig(t, 1, "a")
	r.reading.IdleAfter = time.Minute
	r.put("a", 0, now.Add(-2*time.Minute), ms(-time.Hour))
	got = r.extent(false)
	require.Nil(t, got.Holder)
	require.InDelta(t, now.Add(-time.Minute-10*time.Millisecond).UnixMilli(), got.Watermark, 60_000)

	// Nothing is left of it, and the place to read from is its end.
	_, err := kadm.NewClient(r.client).DeleteRecords(t.Context(), kadm.Offsets{"a": {0: {Topic: "a", Partition: 0, At: 1}}})
	require.NoError(t, err)
	require.Equal(t, []cluster.Partition{{Topic: "a"}}, r.extent(false).Idle)
}

// TestExtentFarBack looks farther back where the last records have no time.
func TestExtentFarBack(t *testing.T) {
	r := newLogRig(t, 1, "a")
	r.put("a", 0, time.Now(), `{"t":1000}`)
	var records []*kgo.Record
	for range tailRecords + 10 {
		records = append(records, &kgo.Record{Topic: "a", Value: []byte(`{}`)})
	}
	require.NoError(t, r.client.ProduceSync(t.Context(), records...).FirstErr())
	require.EqualValues(t, 990, r.extent(false).Watermark)
}

// TestResolve: what "latest" and "end" mean is decided once.
func TestResolve(t *testing.T) {
	r := newLogRig(t, 2, "a")
	r.put("a", 1, time.Now(), `{"t":1}`, `{"t":2}`)
	r.reading.Start = Start{At: AtLatest}
	resolved, err := r.reading.Resolve(t.Context())
	require.NoError(t, err)
	zero, one := cluster.Partition{Topic: "a"}, cluster.Partition{Topic: "a", Partition: 1}
	require.Equal(t, Start{At: AtOffsets, Begins: true, Offsets: map[cluster.Partition]timeindex.Position{zero: {Clock: record.NoClock}, one: {Offset: 2, Clock: record.NoClock}}}, resolved.Start)
	require.Equal(t, Stop{At: StopAtOffsets, Offsets: map[cluster.Partition]int64{zero: 0, one: 2}}, resolved.Stop)
	r.put("a", 1, time.Now(), `{"t":3}`)
	again, err := resolved.Resolve(t.Context())
	require.NoError(t, err)
	require.Equal(t, resolved, again)
	at, err := resolved.Normal().initialAll(t)
	require.NoError(t, err)
	require.Equal(t, []position{{Stop: 0, Clock: record.NoClock}, {Partition: 1, Next: 2, Stop: 2, Clock: record.NoClock}}, at)

	r.reading.Start, r.reading.Stop = Start{}, Stop{}
	resolved, err = r.reading.Resolve(t.Context())
	require.NoError(t, err)
	require.Equal(t, r.reading, resolved, "the earliest may move")
}

func (r Config) initialAll(t *testing.T) ([]position, error) {
	t.Helper()
	at, _, err := r.whole(t.Context())
	return at.Partitions, err
}

// TestExtentBehindABomb: a batch that unpacks to more than is taken holds nothing up.
func TestExtentBehindABomb(t *testing.T) {
	r := newLogRig(t, 1, "a")
	r.put("a", 0, time.Now(), `{"t":1000}`)
	bomber, err := kgo.NewClient(kgo.SeedBrokers(r.reading.Clusters[0].Brokers...), kgo.ProducerBatchMaxBytes(1<<28), kgo.BrokerMaxWriteBytes(1<<29), kgo.ProducerBatchCompression(kgo.GzipCompression()))
	require.NoError(t, err)
	defer bomber.Close()
	bomb := func() {
		require.NoError(t, bomber.ProduceSync(t.Context(), &kgo.Record{Topic: "a", Value: make([]byte, maxBatchBytes+1)}).FirstErr())
	}
	bomb()
	r.put("a", 0, time.Now(), `{"t":1010}`)
	require.EqualValues(t, 1000, r.extent(true).Watermark)
	bomb()
	require.EqualValues(t, 1000, r.extent(true).Watermark)
}

// TestExtentEndsAtTheStop: where the last record before the stop was compacted away, the one at
// the stop comes in its place, and does not count.
func TestExtentEndsAtTheStop(t *testing.T) {
	opened, err := newTopic(t.Context(), Topic{Name: "t", Format: JSON, Time: Field{Path: "t", Unit: record.UnitEpochMs}, Inputs: []int32{0}}, 0)
	require.NoError(t, err)
	e := &extent{now: time.UnixMilli(1_000)}
	p := &tail{topic: opened, at: position{Next: 2, Stop: 5}, clock: record.NoClock}
	for offset, want := range []int64{1: record.NoTime, 2: 102, 3: 103, 5: 103} {
		if want == 0 {
			continue
		}
		record := &kgo.Record{Offset: int64(offset), Value: []byte(`{"t":` + strconv.Itoa(100+offset) + `}`), Timestamp: time.UnixMilli(int64(offset))}
		require.NoError(t, e.take(t.Context(), p, record))
		require.Equal(t, want, p.clock.Largest, "record %d", offset)
	}
	require.EqualValues(t, 3, p.written.UnixMilli())
}
