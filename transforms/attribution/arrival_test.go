package attribution

import (
	"cmp"
	"fmt"
	"math/rand"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/transforms/account"
	"tributary/transforms/attribution/rules"
)

// TestArrivalOrderDoesNotMatter lets the records of every partition arrive in another
// order, as far as the watermark allows it: no record behind one that is later than it by
// more than the out-of-orderness. Nothing is late then, and the samples are the same.
func TestArrivalOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		origin := drawOrigin(t)
		p := drawParams(t, origin)
		for i := range p.Kinds {
			p.Kinds[i].Credit = rules.CreditAll // views of one time are in the order of the log
		}
		log := drawLog(t, p, origin)
		for _, r := range log {
			if r.view {
				// Of views with one id and time the first in the log is kept: they must not differ.
				r.payload = fmt.Sprintf(`{"id":%q,"k":%q,"t":%d}`, cmp.Or(r.own, r.id), r.id, r.time)
			} else {
				// So with engagements that are one event: nothing but their place tells them apart.
				r.value, r.other = r.time%3, ""
			}
		}
		seed := rapid.Int64().Draw(t, "arrival")
		first := runInMemory(t, p, arrive(log, p.OutOfOrderness, 0), 1)
		second := runInMemory(t, p, arrive(log, p.OutOfOrderness, seed), 2)
		require.Equal(t, first.encoded, second.encoded, "log:\n%s", describe(log))
		for _, sheet := range []*account.Sheet{first.sheet, second.sheet} {
			require.Zero(t, sheet.Views.N[account.Late])
			for _, e := range sheet.Engagements {
				require.Zero(t, e.N[account.Late]+e.N[account.PartlyLate])
				// Beyond the longest window, whether the view is still there to be recognised does
				// hang on what came before; that the engagement does not count does not.
				e.N[account.Outside], e.N[account.Orphans], e.Reasons = e.N[account.Outside]+e.N[account.Orphans], 0, nil
			}
		}
		requireSameOutcomes(t, first.sheet, second.sheet, log)
	})
}

// arrive puts records in an order of arrival: by event time, displaced by at most
// outOfOrderness, and numbers them anew in their partitions.
func arrive(log []*rec, outOfOrderness, seed int64) []*rec {
	random := rand.New(rand.NewSource(seed))
	type arrival struct {
		at int64
		r  rec
	}
	arrivals := make([]arrival, len(log))
	for i, r := range log {
		arrivals[i] = arrival{at: r.time + random.Int63n(outOfOrderness+1), r: *r}
	}
	slices.SortStableFunc(arrivals, func(a, b arrival) int { return int(a.at - b.at) })
	out := make([]*rec, len(log))
	next := map[int32]int64{}
	for i := range arrivals {
		r := &arrivals[i].r
		r.offset = next[r.partition]
		next[r.partition]++
		out[i] = r
	}
	return out
}
