package pool

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// client is something that is costly to open.
type client struct {
	number int
	users  atomic.Int32
	closed atomic.Bool
}

// shop opens clients and knows how many it has opened.
type shop struct {
	Pool[string, *client]
	opened atomic.Int32
}

func newShop(single bool) *shop {
	return &shop{Pool: Pool[string, *client]{Idle: time.Minute, Single: single, Close: func(c *client) { c.closed.Store(true) }}}
}

func (s *shop) open() (*client, error) {
	return &client{number: int(s.opened.Add(1))}, nil
}

func (s *shop) take(t testing.TB, key string) *client {
	t.Helper()
	c, err := s.Take(t.Context(), key, s.open)
	require.NoError(t, err)
	require.False(t, c.closed.Load(), "client %d is closed, and was given out", c.number)
	return c
}

func is(key string) func(string) bool { return func(k string) bool { return k == key } }

func TestTakenAgain(t *testing.T) {
	s := newShop(false)
	first := s.take(t, "a")
	s.Give("a", first)
	require.Same(t, first, s.take(t, "a"))
	require.NotSame(t, first, s.take(t, "b"), "keys do not share")
	second := s.take(t, "a")
	require.NotSame(t, first, second, "the first is still in use")
	s.Give("a", second)
	s.Give("a", first)
	require.Same(t, first, s.take(t, "a"), "the one given back last")
	require.Same(t, second, s.take(t, "a"))
	require.EqualValues(t, 3, s.opened.Load())
}

func TestClosedWhenIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(false)
		c := s.take(t, "a")
		time.Sleep(time.Hour)
		require.False(t, c.closed.Load(), "in use")
		s.Give("a", c)
		time.Sleep(40 * time.Second)
		require.Same(t, c, s.take(t, "a"))
		s.Give("a", c)
		time.Sleep(40 * time.Second)
		require.False(t, c.closed.Load(), "its minute began again")
		time.Sleep(20 * time.Second)
		synctest.Wait()
		require.True(t, c.closed.Load())
		require.Zero(t, s.Count(is("a")))
		require.NotSame(t, c, s.take(t, "a"))
	})
}

// TestExpiresAsItIsTaken: the time of a value is over, and somebody is faster than its timer.
func TestExpiresAsItIsTaken(t *testing.T) {
	s := newShop(false)
	c := s.take(t, "a")
	s.Give("a", c)
	idle := s.keys["a"].idle[0]
	require.Same(t, c, s.take(t, "a"))
	s.expire("a", idle)
	require.False(t, c.closed.Load())
	s.Give("a", c)
	require.Same(t, c, s.take(t, "a"))
}

func TestDiscard(t *testing.T) {
	s := newShop(false)
	c := s.take(t, "a")
	s.Discard("a", c)
	require.True(t, c.closed.Load())
	require.Zero(t, s.Count(is("a")))
	require.NotSame(t, c, s.take(t, "a"))
}

func TestCloseIdle(t *testing.T) {
	s := newShop(false)
	idle, used, other := s.take(t, "a"), s.take(t, "a"), s.take(t, "b")
	s.Give("a", idle)
	s.Give("b", other)
	s.CloseIdle(is("a"))
	require.True(t, idle.closed.Load())
	require.False(t, used.closed.Load(), "in use")
	require.False(t, other.closed.Load(), "of another key")
	s.Give("a", used)
	require.Same(t, used, s.take(t, "a"))
}

func TestCount(t *testing.T) {
	s := newShop(false)
	all := func(string) bool { return true }
	a, _, b := s.take(t, "a"), s.take(t, "a"), s.take(t, "b")
	s.Give("a", a)
	s.Give("b", b)
	require.Equal(t, 2, s.Count(all), "keys, whether in use or not")
	require.Equal(t, 1, s.Count(is("b")))
	s.CloseIdle(all)
	require.Equal(t, 1, s.Count(all), "one of a is in use")
}

func TestUsed(t *testing.T) {
	s := newShop(false)
	used := func() int { return s.Used(func(key string) bool { return key != "other" }) }
	a, b := s.take(t, "a"), s.take(t, "b")
	s.take(t, "other")
	require.Equal(t, 2, used())
	s.Give("a", a)
	require.Equal(t, 1, used())
	s.Discard("b", b)
	require.Zero(t, used())
}

func TestOpenFails(t *testing.T) {
	s := newShop(true)
	broken := errors.New("broken")
	_, err := s.Take(t.Context(), "a", func() (*client, error) { return nil, broken })
	require.ErrorIs(t, err, broken)
	require.Panics(t, func() {
		_, _ = s.Take(t.Context(), "a", func() (*client, error) { panic("broken") })
	})
	s.take(t, "a") // does not wait for either
}

func TestSingleWaits(t *testing.T) {
	for name, back := range map[string]func(*shop, *client){
		"given back": func(s *shop, c *client) { s.Give("a", c) },
		"discarded":  func(s *shop, c *client) { s.Discard("a", c) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newShop(true)
				c := s.take(t, "a")
				s.take(t, "b") // another key does not wait
				got := make(chan *client)
				go func() { got <- s.take(t, "a") }()
				synctest.Wait()
				select {
				case <-got:
					t.Fatal("two users of one value")
				default:
				}
				back(s, c)
				require.Equal(t, !c.closed.Load(), <-got == c)
			})
		})
	}
}

func TestSingleWaitsNoLongerThanItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(true)
		c := s.take(t, "a")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := s.Take(ctx, "a", s.open)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		s.Give("a", c)
		require.Same(t, c, s.take(t, "a"), "who gave up takes nothing away")
	})
}

// TestManyUsers: whatever happens at once, a value has one user, is not closed under it, and of a
// Single pool there is one a key.
func TestManyUsers(t *testing.T) {
	for _, single := range []bool{false, true} {
		s := newShop(single)
		s.Idle = time.Microsecond // timers fire while values are taken
		var alive [3]atomic.Int32
		var wg sync.WaitGroup
		for user := range 8 {
			wg.Go(func() {
				for i := range 500 {
					key := string(rune('a' + (user+i)%3))
					c := s.take(t, key)
					if c.users.Add(1) != 1 || c.closed.Load() {
						t.Errorf("client %d: in use by two, or closed", c.number)
					}
					if n := alive[key[0]-'a'].Add(1); single && n != 1 {
						t.Errorf("%d values of %s are in use", n, key)
					}
					alive[key[0]-'a'].Add(-1)
					c.users.Add(-1)
					switch i % 7 {
					case 0:
						s.Discard(key, c)
					case 1:
						s.Give(key, c)
						s.CloseIdle(is(key))
					default:
						s.Give(key, c)
					}
				}
			})
		}
		wg.Wait()
	}
}
