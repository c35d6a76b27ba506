package kafkaio

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/event"
)

// TestTakeOnlyWhatIsNext: brokers answer with whole batches of their log, which may begin
// before the offset that was asked for and end behind the stop.
func TestTakeOnlyWhatIsNext(t *testing.T) {
	opened, err := newTopic(Topic{Name: "t", Format: JSON, Time: Field{Path: "t", Unit: event.UnitEpochMs}, Inputs: []int32{0}}, 0, nil)
	require.NoError(t, err)
	var got []event.Batch
	at := restriction{Partitions: []position{{Next: 3, Stop: 5, Clock: clockAt(7)}}}
	b := batcher{topic: opened, now: time.Now}
	b.reset(at.Partitions[0], event.NoTime, output{
		claim: func(c claim) bool { c(&at); return true },
		batch: func(_ int64, batch event.Batch) { got = append(got, batch) },
	})
	for _, offset := range []int64{1, 2, 3, 3, 2, 6, 4} {
		require.NoError(t, b.take(t.Context(), &kgo.Record{Offset: offset, Value: []byte(`{"t":9,"x":""}`)}))
	}
	require.NoError(t, b.flush())
	require.Equal(t, []read{{0, 3, 7, `{"t":9,"x":""}`, 0}}, records(t, got))
	require.EqualValues(t, 5, at.Partitions[0].Next, "the log went on behind the stop: nothing else is to come")
}

// TestChaptersAreApart: where a chapter of the log begins, so does a batch, wherever reading began.
func TestChaptersAreApart(t *testing.T) {
	opened, err := newTopic(Topic{Name: "t", Format: JSON, Time: Field{Path: "t", Unit: event.UnitEpochMs}, Inputs: []int32{0}}, 0, nil)
	require.NoError(t, err)
	next := event.ChapterStart(3)
	for _, from := range []int64{next - 700, next - 1, next} {
		var firsts []int64
		at := restriction{Partitions: []position{{Next: from, Stop: next + 100}}}
		b := batcher{topic: opened, now: time.Now}
		b.reset(at.Partitions[0], event.NoTime, output{
			claim: func(c claim) bool { c(&at); return true },
			batch: func(_ int64, batch event.Batch) { firsts = append(firsts, batch.Offset) },
		})
		for offset := from; offset < next+50; offset++ {
			require.NoError(t, b.take(t.Context(), &kgo.Record{Offset: offset, Value: []byte(`{"t":9}`)}))
		}
		require.NoError(t, b.flush())
		require.Contains(t, firsts, next, "from %d", from)
	}
}
