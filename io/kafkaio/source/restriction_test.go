package source

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"pgregory.net/rapid"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/internal/kafkatest"
	"tributary/io/record"
)

func drawTime(t *rapid.T, label string) int64 {
	return rapid.OneOf(rapid.Just(int64(record.NoTime)), rapid.Int64Range(record.MinTime, record.MaxTime)).Draw(t, label)
}

func drawClock(t *rapid.T, label string) record.Clock {
	c := kafkatest.ClockAt(drawTime(t, label))
	c.Add(drawTime(t, label+", another"))
	return c
}

func drawRestriction(t *rapid.T) Restriction {
	r := Restriction{Watermark: drawTime(t, "watermark"), Ends: rapid.Bool().Draw(t, "ends")}
	for range rapid.IntRange(0, 3).Draw(t, "ids") {
		r.IDs = append(r.IDs, kadm.TopicID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id")))
	}
	for range rapid.IntRange(0, 6).Draw(t, "partitions") {
		r.Partitions = append(r.Partitions, position{
			Topic: rapid.Int32Range(0, 1<<11-1).Draw(t, "topic"), Partition: rapid.Int32Range(0, 1<<rankBits-1).Draw(t, "partition"),
			Next:  rapid.Int64Range(0, math.MaxInt64/2).Draw(t, "next"),
			Stop:  rapid.OneOf(rapid.Just(int64(noStop)), rapid.Int64Range(0, math.MaxInt64/2)).Draw(t, "stop"),
			Clock: drawClock(t, "clock"), Idle: rapid.Bool().Draw(t, "idle"),
		})
		if p := &r.Partitions[len(r.Partitions)-1]; rapid.Bool().Draw(t, "raised") {
			p.Raised, p.LogClock = true, drawClock(t, "clock by the log")
		}
	}
	return r
}

func TestRestrictionRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRestriction(t)
		encoded := encodeRestriction(r)
		got, err := decodeRestriction(encoded)
		require.NoError(t, err)
		require.Equal(t, r, got)
		for n := range encoded {
			_, err := decodeRestriction(encoded[:n])
			require.Error(t, err, "cut to %d of %d bytes", n, len(encoded))
		}
	})
}

// TestRestrictionIsSmall: runners keep one for every poll.
func TestRestrictionIsSmall(t *testing.T) {
	r := Restriction{Watermark: 1_700_000_000_000}
	for p := range int32(64) {
		r.Partitions = append(r.Partitions, position{Partition: p * 4, Next: 5_000_000 + int64(p)*777, Stop: noStop, Clock: kafkatest.ClockAt(1_700_000_000_000 + int64(p)*31)})
	}
	require.LessOrEqual(t, len(encodeRestriction(r)), 64*11)
}

func FuzzRestriction(f *testing.F) {
	f.Add(encodeRestriction(Restriction{Watermark: record.NoTime, Partitions: []position{{Next: 3, Stop: noStop, Clock: kafkatest.ClockAt(7)}}}))
	f.Add([]byte{restrictionVersion, 0, 0, 0, 1, flagLogTime, 0, 0, 0, 2, 0}) // of none that is raised
	f.Fuzz(func(t *testing.T, buf []byte) {
		if r, err := decodeRestriction(buf); err == nil {
			again, err := decodeRestriction(encodeRestriction(r))
			require.NoError(t, err)
			require.Equal(t, r, again)
		}
	})
}

// TestReached holds the watermark against its definition.
func TestReached(t *testing.T) {
	const none = record.NoTime
	part := func(maxTime int64) position {
		return position{Next: 1, Stop: noStop, Clock: kafkatest.ClockAt(maxTime)}
	}
	idle := func(maxTime int64) position { p := part(maxTime); p.Idle = true; return p }
	done := func(maxTime int64) position { p := part(maxTime); p.Stop = 1; return p }
	tests := []struct {
		name      string
		watermark int64
		parts     []position
		want      int64
		allIdle   bool
	}{
		{"no partition", none, nil, none, true},
		{"one", none, []position{part(100)}, 90, false},
		{"the smallest", none, []position{part(100), part(70), part(80)}, 60, false},
		{"one that nothing was read from", none, []position{part(100), part(none)}, none, false},
		{"one that nothing was read from, later", 50, []position{part(100), part(none)}, 50, false},
		{"an idle one does not hold", none, []position{part(100), idle(70)}, 90, false},
		{"nor one that is empty and idle", none, []position{part(100), idle(none)}, 90, false},
		{"nor one at its stop", none, []position{part(100), done(70)}, 90, false},
		{"it never goes back", 95, []position{part(100)}, 95, false},
		{"all idle", 40, []position{idle(100), done(30)}, 40, true},
	}
	for _, tt := range tests {
		r := Restriction{Watermark: tt.watermark, Partitions: tt.parts}
		require.Equal(t, tt.want, r.reached(10, 0), tt.name)
		require.Equal(t, tt.allIdle, r.allIdle(), tt.name)
	}
}

func TestTracker(t *testing.T) {
	start := Restriction{Ends: true, Watermark: record.NoTime, Partitions: []position{{Stop: 10, Clock: kafkatest.ClockAt(record.NoTime)}}}
	move := func(to int64) Claim { return func(r *Restriction) { r.Partitions[0].Next = to } }
	t.Run("reads to its end", func(t *testing.T) {
		tr := NewTracker(start)
		require.True(t, tr.TryClaim(move(4)))
		require.False(t, tr.IsDone())
		require.True(t, tr.TryClaim(move(10)))
		require.True(t, tr.IsDone())
		_, rest, err := tr.TrySplit(0)
		require.NoError(t, err)
		require.Nil(t, rest)
		require.Zero(t, start.Partitions[0].Next, "what it was made of is not changed")
	})
	t.Run("a checkpoint hands over all the rest", func(t *testing.T) {
		tr := NewTracker(start)
		require.True(t, tr.TryClaim(move(4)))
		_, rest, err := tr.TrySplit(0)
		require.NoError(t, err)
		require.EqualValues(t, 4, rest.(Restriction).Partitions[0].Next)
		require.True(t, tr.IsDone())
		require.False(t, tr.TryClaim(move(5)), "it is somebody else's")
		require.EqualValues(t, 4, tr.GetRestriction().(Restriction).Partitions[0].Next)
		_, again, _ := tr.TrySplit(0)
		require.Nil(t, again, "it cannot be handed over twice")
	})
	t.Run("no part of it is handed over", func(t *testing.T) {
		tr := NewTracker(start)
		_, rest, err := tr.TrySplit(0.5)
		require.NoError(t, err)
		require.Nil(t, rest)
		require.True(t, tr.TryClaim(move(4)))
	})
	t.Run("bounds", func(t *testing.T) {
		require.True(t, NewTracker(start).IsBounded())
		require.False(t, NewTracker(Restriction{}).IsBounded())
		require.False(t, NewTracker(Restriction{}).IsDone(), "partitions may come")
		require.True(t, NewTracker(Restriction{Ends: true}).IsDone(), "a reader without partitions has nothing to read")
	})
	t.Run("a claim of something else is an error", func(t *testing.T) {
		tr := NewTracker(start)
		require.False(t, tr.TryClaim(int64(4)))
		require.EqualError(t, tr.GetError(), "claim of int64")
	})
}

// TestRanks: a rank names the partition that has it, whatever the order of the topics.
func TestRanks(t *testing.T) {
	r := Config{Topics: []Topic{{Cluster: "c", Name: "b"}, {Cluster: "c", Name: "a"}, {Cluster: "b", Name: "z"}}}
	for i, want := range []cluster.Partition{{Cluster: "b", Topic: "z", Partition: 7}, {Cluster: "c", Topic: "a", Partition: 7}, {Cluster: "c", Topic: "b", Partition: 7}} {
		at := position{Topic: int32(i), Partition: 7}
		for _, slots := range []int32{0, 2} {
			r.RanksAfter = slots
			require.Equal(t, want, r.Ranked().Partition(at.rank(slots)))
		}
	}
	require.Zero(t, r.Ranked().Partition(Rank(5, 0)))
	require.Zero(t, r.Ranked().Partition(Rank(1, 7)), "another source's")
	require.Zero(t, r.Ranked().Partition(-1))
}

// TestRaisedUntilTheLogIsThere: a clock that was raised counts until the one by the log has come as
// far, and what comes ahead of it is believed when the log says so, and no later.
func TestRaisedUntilTheLogIsThere(t *testing.T) {
	const leap = 1000
	for _, c := range []struct {
		name   string
		log    record.Clock
		times  []int64
		raised bool
		want   int64
	}{
		{"nothing yet", record.NoClock, nil, true, 10_000},
		{"a new partition begins behind", record.NoClock, []int64{9_000}, true, 10_000},
		{"a new partition begins ahead", record.NoClock, []int64{20_000}, false, 20_000},
		{"one record is ahead", record.Clock{Largest: 8_000, Second: 8_000}, []int64{9_000, 20_000}, true, 10_000},
		{"another one confirms it", record.Clock{Largest: 8_000, Second: 8_000}, []int64{20_000, 20_500}, false, 20_500},
		{"the log comes by steps", record.Clock{Largest: 8_000, Second: 8_000}, []int64{9_500, 10_001}, false, 10_001},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := position{Clock: c.log}
			p.raise(10_000, leap)
			for _, at := range c.times {
				p.add(at, leap)
			}
			require.Equal(t, c.raised, p.Raised)
			require.Equal(t, c.want, p.Clock.Time(leap))
		})
	}
}
