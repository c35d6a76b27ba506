package shuffle

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/record"
	"tributary/transforms/account"
	"tributary/transforms/attribution/attributiontest"
	"tributary/transforms/attribution/rules"
)

// TestLateAfterIdle: what is late only because the clock of its partition was raised while it was
// idle is told apart from what is late by the log, and counted.
func TestLateAfterIdle(t *testing.T) {
	p := attributiontest.Params() // like 1000, share 3000: the longest window
	p.Inputs = []rules.Input{
		{Kind: rules.Views, ID: "id", Time: rules.Field{Path: "t", Unit: record.UnitEpochMs}, Ordered: true},
		{Kind: 0, ID: "id", Time: rules.Field{Path: "t", Unit: record.UnitEpochMs}, Ordered: true},
	}
	p.From = 0
	batch := func(input int32, log record.Clock, records ...string) record.Batch {
		b := record.Batch{
			Input: input, MaxTime: 10_000, SecondTime: 10_000, AfterIdle: true, LogTime: log.Largest, LogSecond: log.Second, Framed: true,
			Count: int32(len(records)),
		}
		for i, r := range records {
			b.Records = record.AppendFramed(b.Records, int64(i), []byte(r))
		}
		return b
	}
	at := func(ms int64) string { return fmt.Sprintf(`{"id":"v","t":%d}`, ms) }
	for _, c := range []struct {
		name  string
		batch record.Batch
		want  string // reason, offset and whether after idleness
		views int64
		likes int64
	}{
		{"nothing was in the log", batch(0, record.NoClock, at(7_000), at(7_001)), "late@0 idle", 1, 0},
		{"the log is where the clock is", batch(0, record.Clock{Largest: 10_000, Second: 10_000}, at(7_000)), "late@0", 0, 0},
		{"some by the log as well", batch(0, record.Clock{Largest: 8_000, Second: 8_000}, at(5_000), at(5_001), at(7_001)), "late@0, late@1 idle", 1, 0},
		{"the log moves on", batch(0, record.NoClock, at(6_000), at(10_500), at(7_500), at(7_501)), "late@0 idle, late@2", 1, 0},
		{"engagements, wholly and partly", batch(1, record.NoClock, at(7_000), at(7_999), at(8_000)), "late@0 idle, partly late@1 idle", 0, 2},
		{"engagements by the log as well", batch(1, record.Clock{Largest: 9_000, Second: 9_000}, at(6_000), at(6_001), at(6_999)), "late@0, late@1 idle, late@2 idle", 0, 2},
		{"not a batch after idleness", func() record.Batch {
			b := batch(0, record.NoClock, at(7_000))
			b.AfterIdle, b.LogTime, b.LogSecond = false, 0, 0
			return b
		}(), "late@0", 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			k := NewPacker(p, func(Place, Block) {}, func(r record.Rejected) {
				text := fmt.Sprintf("%s@%d", r.Reason, r.Offset)
				if r.AfterIdle {
					text += " idle"
				}
				got = append(got, text)
			})
			require.NoError(t, k.Add(c.batch))
			require.Equal(t, c.want, strings.Join(got, ", "))
			sheet := packed(p, k)
			require.Equal(t, c.views, sheet.Views.N[account.LateAfterIdle])
			require.Equal(t, c.likes, sheet.Engagements["like"].N[account.LateAfterIdle])
		})
	}
}

// TestFirstAfterRaise: the first record of a log is believed, as in every reading of it, however far
// it is ahead of where its clock was raised to when the partition was new.
func TestFirstAfterRaise(t *testing.T) {
	p := attributiontest.Params()
	p.MaxFutureSkew, p.From = 1000, 0
	p.Inputs = []rules.Input{{Kind: rules.Views, ID: "id", Time: rules.Field{Path: "t", Unit: record.UnitEpochMs}, Ordered: true}}
	for _, clock := range []record.Clock{record.NoClock, {Largest: 10_000, Second: 10_000}} {
		b := record.Batch{MaxTime: record.NoTime, SecondTime: record.NoTime, Framed: true, Count: 2}
		if clock != record.NoClock {
			b.AfterIdle, b.MaxTime, b.SecondTime, b.LogTime, b.LogSecond = true, clock.Largest, clock.Second, record.NoTime, record.NoTime
		}
		for i, at := range []int64{20_000, 16_999} {
			b.Records = record.AppendFramed(b.Records, int64(i), fmt.Appendf(nil, `{"id":"v%d","t":%d}`, i, at))
		}
		var late []int64
		require.NoError(t, NewPacker(p, func(Place, Block) {}, func(r record.Rejected) { late = append(late, r.Offset) }).Add(b))
		require.Equal(t, []int64{1}, late, "a clock before it of %v", clock)
	}
}
