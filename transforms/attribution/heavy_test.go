package attribution

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/io/event"
	"tributary/transforms/sample"
)

// TestOneIDForEverything: a producer that gives one id to all it has costs no look at every
// engagement for every view, sorted anew each time: that would be hours.
func TestOneIDForEverything(t *testing.T) {
	const n = 20_000
	for _, own := range []bool{false, true} {
		for _, late := range []bool{false, true} {
			t.Run(fmt.Sprintf("own ids %v, late %v", own, late), func(t *testing.T) {
				p := coreParams()
				p.Bucket, p.DuplicatesWithin = 30*24*3_600_000, 10_000
				p.Kinds[0].Window, p.Kinds[1].Window = 60_000, 60_000
				var b Bucket
				b.Reset(0)
				id := []byte("unknown")
				for i := range int64(n) {
					b.Views = append(b.Views, View{ID: id, Hash: hashID(id), Time: i * 11_000, Offset: i})
					g := Engagement{ViewID: id, Hash: hashID(id), Time: i * 11_000, Offset: i, Partition: 1, Floor: event.NoTime, ViewTime: event.NoTime}
					if own {
						g.EventID = fmt.Append(nil, i*7919%n) // in another order than in time
					}
					if late && i == n-1 {
						g.Floor = 5 // the first view had closed when this was read
					}
					b.Engagements = append(b.Engagements, g)
				}
				labels := map[int64]int{}
				o := &lineOutput{t: t, p: p, quiet: true, sample: func(s *sample.Sample) { labels[s.Labels[0].Count]++ }}
				began := time.Now()
				NewJoiner(p).Join(&b, o)
				t.Log(time.Since(began))
				require.Less(t, time.Since(began), time.Minute)
				require.Equal(t, map[int64]int{6: n - 5, 5: 1, 4: 1, 3: 1, 2: 1, 1: 1}, labels)
				require.Equal(t, map[Seen]int{SeenMatched: n}, o.seen)
			})
		}
	}
}
