package source

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/internal/kafkatest"
)

// TestCompactionGaps: offsets that compaction took away are no gaps in the reading. Only the
// broker in this process compacts when told to.
func TestCompactionGaps(t *testing.T) {
	t.Setenv("TRIBUTARY_KAFKA", "")
	b := kafkatest.NewBroker(t)
	topic := b.Topic(1, "cleanup.policy", "compact", "segment.bytes", "2000", "min.cleanable.dirty.ratio", "0")
	for i := range 200 {
		key := fmt.Append(nil, i%7)
		if i == 0 {
			key = []byte("kept, so that the log still begins there")
		}
		record := &kgo.Record{Topic: topic, Key: key, Value: []byte(kafkatest.At(int64(1_000+i), i))}
		require.NoError(t, b.Client.ProduceSync(t.Context(), record).FirstErr())
	}
	b.Fake.Compact()
	want := kafkatest.LogOf(b, topic)
	require.Less(t, len(want), 150, "the log has gaps")
	s := newSession(t, readingOf(b, topic), 0)
	s.finish()
	require.Equal(t, want, kafkatest.Records(t, s.batches))
	require.EqualValues(t, 200, s.at.Partitions[0].Next)
	// Going on in the middle of what is gone is fine, too.
	s = newSession(t, readingOf(b, topic), 0)
	s.at.Partitions[0].Next, s.at.Partitions[0].Clock = 3, kafkatest.ClockAt(kafkatest.TimeIn(want[0].Value))
	s.finish()
	require.Equal(t, want[1:], kafkatest.Records(t, s.batches))
}
