package source

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/internal/kafkatest"
	"tributary/io/record"
)

// TestTakeOnlyWhatIsNext: brokers answer with whole batches of their log, which may begin
// before the offset that was asked for and end behind the stop.
func TestTakeOnlyWhatIsNext(t *testing.T) {
	opened, err := newTopic(t.Context(), Topic{Name: "t", Format: JSON, Time: Field{Path: "t", Unit: record.UnitEpochMs}, Inputs: []int32{0}}, 0)
	require.NoError(t, err)
	var got []record.Batch
	at := Restriction{Partitions: []position{{Next: 3, Stop: 5, Clock: kafkatest.ClockAt(7)}}}
	b := batcher{topic: opened, now: time.Now}
	b.reset(at.Partitions[0], record.NoTime, Output{
		Claim: func(c Claim) bool { c(&at); return true },
		Batch: func(_ int64, batch record.Batch) { got = append(got, batch) },
	})
	for _, offset := range []int64{1, 2, 3, 3, 2, 5, 6, 4} {
		require.NoError(t, b.take(t.Context(), &kgo.Record{Offset: offset, Value: []byte(`{"t":9,"x":""}`)}))
	}
	require.NoError(t, b.flush())
	require.Equal(t, []kafkatest.Read{row(0, 3, 7, `{"t":9,"x":""}`)}, kafkatest.Records(t, got))
	require.EqualValues(t, 5, at.Partitions[0].Next, "the log went on behind the stop: nothing else is to come")
}

// TestChaptersAreApart: where a chapter of the log begins, so does a batch, wherever reading began.
func TestChaptersAreApart(t *testing.T) {
	opened, err := newTopic(t.Context(), Topic{Name: "t", Format: JSON, Time: Field{Path: "t", Unit: record.UnitEpochMs}, Inputs: []int32{0}}, 0)
	require.NoError(t, err)
	next := record.ChapterStart(3)
	for _, from := range []int64{next - 700, next - 1, next} {
		var firsts []int64
		at := Restriction{Partitions: []position{{Next: from, Stop: next + 100}}}
		b := batcher{topic: opened, now: time.Now}
		b.reset(at.Partitions[0], record.NoTime, Output{
			Claim: func(c Claim) bool { c(&at); return true },
			Batch: func(_ int64, batch record.Batch) { firsts = append(firsts, batch.Offset) },
		})
		for offset := from; offset < next+50; offset++ {
			require.NoError(t, b.take(t.Context(), &kgo.Record{Offset: offset, Value: []byte(`{"t":9}`)}))
		}
		require.NoError(t, b.flush())
		require.Contains(t, firsts, next, "from %d", from)
	}
}

// TestWake: records without an event time leave a partition idle. The first that has one begins
// a batch of its own, behind the watermark that went on without it, and is judged by that.
func TestWake(t *testing.T) {
	opened, err := newTopic(t.Context(), Topic{Name: "t", Format: JSON, Time: Field{Path: "t", Unit: record.UnitEpochMs}, Inputs: []int32{0}}, 0)
	require.NoError(t, err)
	var got []record.Batch
	var times []int64
	at := Restriction{Partitions: []position{{Stop: noStop, Clock: kafkatest.ClockAt(7), Idle: true}}}
	b := batcher{topic: opened, now: time.Now, outOfOrderness: 10}
	b.reset(at.Partitions[0], 100, Output{
		Claim: func(c Claim) bool { c(&at); return true },
		Batch: func(at int64, batch record.Batch) { got, times = append(got, batch), append(times, at) },
	})
	for offset, value := range []string{`{}`, `{"t":9}`, `{"t":300}`} {
		require.NoError(t, b.take(t.Context(), &kgo.Record{Offset: int64(offset), Value: []byte(value)}))
	}
	require.NoError(t, b.flush())
	require.Equal(t, []kafkatest.Read{row(0, 0, 7, `{}`), row(0, 1, 110, `{"t":9}`), row(0, 2, 110, `{"t":300}`)}, kafkatest.Records(t, got))
	require.Equal(t, []bool{false, true}, []bool{got[0].AfterIdle, got[1].AfterIdle})
	require.Equal(t, []int64{100, 100}, times, "in time for the runner")
	require.False(t, at.Partitions[0].Idle)
}

// TestRaise: a clock that is ahead of the watermark stays as it is, and the log's own is kept
// beside one that is behind it.
func TestRaise(t *testing.T) {
	p := position{Clock: kafkatest.ClockAt(50)}
	p.raise(50, 0)
	p.raise(49, 0)
	require.Equal(t, position{Clock: kafkatest.ClockAt(50)}, p)
	p.raise(60, 0)
	require.Equal(t, position{Clock: kafkatest.ClockAt(60), Raised: true, LogClock: kafkatest.ClockAt(50)}, p)
	p.raise(70, 0)
	require.Equal(t, position{Clock: kafkatest.ClockAt(70), Raised: true, LogClock: kafkatest.ClockAt(50)}, p, "still what the log says")
	p.raise(65, 0)
	require.Equal(t, kafkatest.ClockAt(70), p.Clock)
}
