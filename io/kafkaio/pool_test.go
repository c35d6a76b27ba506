package kafkaio

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/io/kafkaio/internal/kafkatest"
)

func TestShare(t *testing.T) {
	tests := []struct {
		name                string
		readers, processors int
		want                time.Duration
	}{
		{"alone", 1, 2, 2 * time.Second},
		{"one a processor", 2, 2, 2 * time.Second},
		{"two rounds", 4, 2, time.Second},
		{"an odd one", 5, 2, 2 * time.Second / 3},
		{"never too short", 100, 2, shortestSlice},
	}
	for _, tt := range tests {
		require.Equal(t, tt.want, share(2*time.Second, tt.readers, tt.processors), tt.name)
	}
}

// TestFetchedButNotClaimed: what a reader has fetched when the rest is handed over, it reads again
// when the rest comes back to it.
func TestFetchedButNotClaimed(t *testing.T) {
	t.Setenv("TRIBUTARY_KAFKA", "")
	b := kafkatest.NewBroker(t)
	topic := b.Topic(1)
	b.Produce(topic, 0, at(1_000))
	r := readingOf(b, topic)
	r.Stop, r.SliceTime = Stop{}, time.Minute // it ends once something has come
	s := newSession(t, r, 0)
	s.at.Watermark, s.at.Partitions[0].Idle = 500, true // so it claims before it takes anything
	s.claims = 0
	require.ErrorIs(t, s.slice(), errHandedOver)
	require.EqualValues(t, 1, s.reader.parts[0].end, "it had come")
	s.claims, s.reading.SliceTime = math.MaxInt, 50*time.Millisecond
	for range 20 {
		require.NoError(t, s.slice())
	}
	require.Len(t, records(t, s.batches), 1)
}
