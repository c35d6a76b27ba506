package kafkaio

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func newTestPool() *pool {
	return &pool{kept: map[readerKey]*keptReader{}, busy: map[readerKey]int{}}
}

func TestPoolKeepsReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, made := newTestPool(), 0
		key, other := readerKey{"job", 1}, readerKey{"another job", 1}
		take := func(key readerKey) *reader {
			r, err := p.take(key, func() (*reader, error) { made++; return &reader{}, nil })
			require.NoError(t, err)
			return r
		}
		closed := func(r *reader) bool {
			synctest.Wait()
			p.mu.Lock()
			defer p.mu.Unlock()
			return r.stale
		}
		first := take(key)
		p.give(key, first, false)
		require.Same(t, first, take(key))
		require.NotSame(t, first, take(other), "jobs of a process do not share readers")
		second := take(key) // an attempt that was given up still holds the first
		require.NotSame(t, first, second)
		p.give(key, second, false)
		p.give(key, first, false)
		require.True(t, closed(second), "of two the one given first is closed")
		time.Sleep(keptFor / 2)
		require.Same(t, first, take(key))
		p.give(key, first, false)
		time.Sleep(keptFor / 2)
		require.False(t, closed(first), "its minute began anew")
		time.Sleep(keptFor / 2)
		require.True(t, closed(first), "closed, since nobody calls")
		require.Equal(t, 3, made, "calls of take that found none")
		third := take(key)
		require.NotSame(t, first, third)
		p.give(key, third, true)
		require.True(t, closed(third), "it has read all")
		require.NotSame(t, third, take(key))
	})
}

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
		p := newTestPool()
		for i := range tt.readers {
			_, err := p.take(readerKey{"job", i}, func() (*reader, error) { return &reader{}, nil })
			require.NoError(t, err)
		}
		p.busy[readerKey{"another", 0}] = 1
		require.Equal(t, tt.want, p.share(2*time.Second, "job", tt.processors), tt.name)
	}
}

// TestFetchedButNotClaimed: what a reader has fetched when the rest is handed over, it reads again
// when the rest comes back to it.
func TestFetchedButNotClaimed(t *testing.T) {
	t.Setenv("TRIBUTARY_KAFKA", "")
	b := newBroker(t)
	topic := b.topic(1)
	b.produce(topic, 0, at(1_000))
	r := b.reading(topic)
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
