package source

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/io/kafkaio/internal/kafkatest"
)

// TestFetchedButNotClaimed: what a reader has fetched when the rest is handed over, it reads again
// when the rest comes back to it.
func TestFetchedButNotClaimed(t *testing.T) {
	t.Setenv("TRIBUTARY_KAFKA", "")
	b := kafkatest.NewBroker(t)
	topic := b.Topic(1)
	b.Produce(topic, 0, kafkatest.At(1_000))
	r := readingOf(b, topic)
	r.Stop, r.PollBudget = Stop{}, time.Minute // it ends once something has come
	s := newSession(t, r, 0)
	s.at.Watermark, s.at.Partitions[0].Idle = 500, true // so it claims before it takes anything
	s.claims = 0
	require.ErrorIs(t, s.slice(), ErrHandedOver)
	require.EqualValues(t, 1, s.reader.parts[0].end, "it had come")
	s.claims, s.config.PollBudget = math.MaxInt, 50*time.Millisecond
	for range 20 {
		require.NoError(t, s.slice())
	}
	require.Len(t, kafkatest.Records(t, s.batches), 1)
}
