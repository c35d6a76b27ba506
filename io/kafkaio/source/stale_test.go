package source

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/io/kafkaio/internal/kafkatest"
)

// TestReadsWhatCameMeanwhile: what a client had fetched before a call says where the log ended then. The call reads what has
// come since all the same, if the broker answers soon, which it does not each time.
func TestReadsWhatCameMeanwhile(t *testing.T) {
	t.Setenv("TRIBUTARY_KAFKA", "")
	b := kafkatest.NewBroker(t)
	topic := b.Topic(1)
	r := readingOf(b, topic)
	r.Stop, r.PollBudget = Stop{}, time.Second
	s := newSession(t, r, 0)
	b.Produce(topic, 0, kafkatest.At(1_000))
	s.until(func() bool { return s.counted == 1 })
	for range 100 {
		before := s.counted
		b.Produce(topic, 0, kafkatest.At(1_000))
		require.Eventually(t, func() bool { return s.reader.parts[0].link.client.BufferedFetchRecords() == 1 }, time.Minute, time.Millisecond)
		b.Produce(topic, 0, kafkatest.At(1_000))
		require.NoError(t, s.slice())
		if s.counted == before+2 {
			require.False(t, s.reader.Behind())
			return
		}
		s.until(func() bool { return s.counted == before+2 })
	}
	t.Fatal("no call has read more than was fetched before it")
}

// TestBehind: a call that ends at its deadline says that it has left records.
func TestBehind(t *testing.T) {
	t.Setenv("TRIBUTARY_KAFKA", "")
	b := kafkatest.NewBroker(t)
	topic := b.Topic(1)
	b.Produce(topic, 0, kafkatest.At(1_000))
	r := readingOf(b, topic)
	r.Stop, r.PollBudget = Stop{}, time.Nanosecond
	s := newSession(t, r, 0)
	s.until(func() bool { return s.counted == 1 })
	require.False(t, s.reader.Behind())
	s.reader.parts[0].end++ // as a broker would say that has more
	require.NoError(t, s.slice())
	require.True(t, s.reader.Behind())
}
