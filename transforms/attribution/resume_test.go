package attribution

import (
	"cmp"
	"maps"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/io/record"
	"tributary/transforms/attribution/rules"
)

// drawOrdered draws the whole log of a join whose partitions all have an order.
func drawOrdered(t *rapid.T) (p *rules.Params, origin int64, log []*rec) {
	origin = drawOrigin(t)
	p = drawParams(t, origin)
	p.From, p.To = math.MinInt64, rules.NoLogEnd
	for i := range p.Inputs {
		p.Inputs[i].Ordered = true
	}
	log = drawLog(t, p, origin)
	for _, r := range log {
		r.ordered = true
	}
	return p, origin, log
}

// TestResumedJoin joins the rest of a log after all buckets before one were joined, reading
// each partition from anywhere before the first record that Lookback says may matter, over
// another number of shards from some bucket on: samples and orphans are those of an
// undisturbed run from that bucket on, and what is late is late again.
func TestResumedJoin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, origin, log := drawOrdered(t)
		whole := runInMemory(t, p, log, 1)

		q := *p
		q.Since = p.Bucket * (p.BucketOf(origin) + rapid.Int64Range(1, 300/p.Bucket+1).Draw(t, "since"))
		q.Earlier = []rules.Layout{{Until: q.Since + p.Bucket*rapid.Int64Range(0, 3).Draw(t, "until"), Shards: p.Shards}}
		q.Shards = rapid.IntRange(1, 9).Draw(t, "new shards")
		from := map[int32]int64{}
		passed := map[int32]bool{}
		for _, r := range log {
			passed[r.partition] = passed[r.partition] || r.time >= q.Since-p.Lookback()
			if !passed[r.partition] && rapid.IntRange(0, 9).Draw(t, "skipped") > 0 {
				from[r.partition] = r.offset + 1
			}
		}
		rest := runFrom(t, &q, log, from, rapid.Int64().Draw(t, "seed"))

		wantEncoded := []string{}
		for i, s := range whole.samples {
			if s.Time >= q.Since {
				wantEncoded = append(wantEncoded, whole.encoded[i])
			}
		}
		require.Equal(t, wantEncoded, append([]string{}, rest.encoded...), "log:\n%s", describe(log))
		want := maps.Clone(whole.refused)
		for _, r := range log {
			if r.offset < from[r.partition] {
				for _, reason := range []record.Reason{record.ReasonLate, record.ReasonPartlyLate} {
					delete(want, refusal(reason, r))
				}
			}
			if !r.view && p.BucketOf(p.SpanOf(r.kind, r.time, r.viewTime).FoundTo)*p.Bucket < q.Since {
				delete(want, refusal(record.ReasonOrphan, r))
			}
		}
		require.Equal(t, want, rest.refused, "log:\n%s", describe(log))
	})
}

// TestJoinUntil joins the beginning of a log as far as all of its partitions have come: what it
// decides is what an undisturbed run decides, whatever the rest of the log holds, and nothing
// of later buckets is told.
func TestJoinUntil(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, _, log := drawOrdered(t)
		stop, clocks := map[int32]int64{}, map[int32]record.Clock{}
		for _, r := range log {
			clocks[r.partition] = record.NoClock
			if rapid.IntRange(0, 9).Draw(t, "beyond") == 0 {
				stop[r.partition] = min(r.offset, cmp.Or(stop[r.partition], math.MaxInt64))
			}
		}
		var begun []*rec
		for _, r := range log {
			if at, ok := stop[r.partition]; ok && r.offset >= at {
				continue
			}
			begun = append(begun, r)
			c := clocks[r.partition]
			c.Add(r.time)
			clocks[r.partition] = c
		}
		watermark := int64(math.MaxInt64)
		for _, c := range clocks {
			if reached := c.Time(p.MaxFutureSkew); reached == record.NoTime {
				watermark = record.NoTime
			} else {
				watermark = min(watermark, reached-p.OutOfOrderness)
			}
		}
		if len(clocks) == 0 {
			watermark = record.NoTime
		}
		whole := runInMemory(t, p, log, 1)
		q := *p
		q.Until = p.ClosedBy(watermark)
		first := runFrom(t, &q, begun, nil, rapid.Int64().Draw(t, "seed"))
		wantEncoded := []string{}
		for i, s := range whole.samples {
			if s.Time < q.Until {
				wantEncoded = append(wantEncoded, whole.encoded[i])
			}
		}
		require.Equal(t, wantEncoded, append([]string{}, first.encoded...), "until %d, log:\n%s", q.Until, describe(log))
		for refused := range first.refused {
			require.Equal(t, whole.refused[refused], first.refused[refused], "until %d: %s", q.Until, refused)
		}
		for _, r := range begun {
			if orphan := refusal(record.ReasonOrphan, r); !r.view && p.BucketOf(p.SpanOf(r.kind, r.time, r.viewTime).FoundTo)*p.Bucket < q.Until {
				require.Equal(t, whole.refused[orphan], first.refused[orphan], "until %d: %s", q.Until, orphan)
			}
		}
	})
}
