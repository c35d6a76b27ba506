package source

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/internal/kafkatest"
	"tributary/io/kafkaio/timeindex"
	"tributary/io/record"
)

func testStarts(t *testing.T, b *kafkatest.Broker) {
	topic := b.Topic(2)
	stamp := time.Now().Add(-time.Hour).Truncate(time.Millisecond)
	for i := range 5 {
		record := &kgo.Record{Topic: topic, Value: []byte(kafkatest.At(int64(i))), Timestamp: stamp.Add(time.Duration(i) * time.Minute)}
		require.NoError(t, b.Client.ProduceSync(t.Context(), record).FirstErr())
	}
	committed := kadm.Offsets{}
	committed.AddOffset(topic, 0, 4, -1)
	require.NoError(t, b.Admin.CommitAllOffsets(t.Context(), topic, committed))
	first, second := cluster.Partition{Topic: topic}, cluster.Partition{Topic: topic, Partition: 1}
	tests := []struct {
		name          string
		start         Start
		first, second int64
		maxTime       int64
	}{
		{"earliest", Start{}, 0, 0, record.NoTime},
		{"latest", Start{At: AtLatest}, 5, 0, record.NoTime},
		{"a time between records", Start{At: AtTime, Time: stamp.Add(90 * time.Second)}, 2, 0, record.NoTime},
		{"the time of a record", Start{At: AtTime, Time: stamp.Add(time.Minute)}, 1, 0, record.NoTime},
		{"a time after all records", Start{At: AtTime, Time: time.Now()}, 5, 0, record.NoTime},
		{"committed, and the earliest where nothing is", Start{At: AtCommitted}, 4, 0, record.NoTime},
		{"offsets", Start{At: AtOffsets, Offsets: map[cluster.Partition]timeindex.Position{first: positionAt(3, 77)}}, 3, 0, 77},
		{"offsets of both", Start{At: AtOffsets, Offsets: map[cluster.Partition]timeindex.Position{first: positionAt(1, 5), second: positionAt(0, record.NoTime)}}, 1, 0, 5},
	}
	for _, tt := range tests {
		r := readingOf(b, topic)
		r.Start, r.Group = tt.start, topic
		s := newSession(t, r, 0)
		got := s.at.Partitions
		require.Equal(t, []int64{tt.first, tt.second}, []int64{got[0].Next, got[1].Next}, tt.name)
		require.Equal(t, tt.maxTime, got[0].Clock.Largest, tt.name)
		s.finish()
		require.Len(t, kafkatest.Records(t, s.batches), 5-int(tt.first), tt.name)
	}
}

func testStops(t *testing.T, b *kafkatest.Broker) {
	topic := b.Topic(2)
	stamp := time.Now().Add(-time.Hour).Truncate(time.Millisecond)
	for i := range 5 {
		record := &kgo.Record{Topic: topic, Value: []byte(kafkatest.At(int64(i))), Timestamp: stamp.Add(time.Duration(i) * time.Minute)}
		require.NoError(t, b.Client.ProduceSync(t.Context(), record).FirstErr())
	}
	tests := []struct {
		name string
		stop Stop
		want int
	}{
		{"the end", Stop{At: StopAtEnd}, 5},
		{"a time", Stop{At: StopAtTime, Time: stamp.Add(90 * time.Second)}, 2},
		{"a time after all records", Stop{At: StopAtTime, Time: time.Now()}, 5},
		{"offsets", Stop{At: StopAtOffsets, Offsets: map[cluster.Partition]int64{{Topic: topic}: 3}}, 3},
		{"no offset of any partition", Stop{At: StopAtOffsets}, 0},
	}
	for _, tt := range tests {
		r := readingOf(b, topic)
		r.Stop = tt.stop
		s := newSession(t, r, 0)
		b.Produce(topic, 1, kafkatest.At(9)) // behind the end as it was
		s.finish()
		var first int
		for _, rec := range kafkatest.Records(t, s.batches) {
			if rec.Partition == 0 {
				first++
			}
		}
		require.Equal(t, tt.want, first, tt.name)
	}
	r := readingOf(b, topic)
	r.Stop = Stop{At: StopAtTime, Time: time.Now().Add(time.Hour)}
	_, err := r.Initial(t.Context(), 0)
	require.ErrorContains(t, err, "has not come yet")
}

// TestBounds: an open transaction hides what lies behind it from a run that ends, before the time
// that it ends at, too.
func TestBounds(t *testing.T) {
	listed := func(offset int64) kadm.ListedOffsets { return kadm.ListedOffsets{"t": {0: {Offset: offset}}} }
	c := &clusterOffsets{start: listed(2), end: listed(5), from: listed(3), until: listed(7)}
	for _, tt := range []struct {
		name        string
		start       Start
		stop        Stop
		next, until int64
	}{
		{"all there is", Start{}, Stop{}, 2, noStop},
		{"to the end", Start{}, Stop{At: StopAtEnd}, 2, 5},
		{"to a time behind the end", Start{}, Stop{At: StopAtTime}, 2, 5},
		{"from a time", Start{At: AtTime}, Stop{At: StopAtEnd}, 3, 5},
		{"from the end", Start{At: AtLatest}, Stop{}, 5, noStop},
		{"to offsets that do not name it", Start{}, Stop{At: StopAtOffsets}, 2, 2},
	} {
		next, until, clock, err := c.bounds(&Config{Start: tt.start, Stop: tt.stop}, Topic{Name: "t"}, 0)
		require.NoError(t, err, tt.name)
		require.Equal(t, []int64{tt.next, tt.until}, []int64{next, until}, tt.name)
		require.Equal(t, record.NoClock, clock, tt.name)
	}
	_, _, _, err := c.bounds(&Config{}, Topic{Name: "t"}, 1)
	require.ErrorContains(t, err, "the cluster tells no offset of it")
}
