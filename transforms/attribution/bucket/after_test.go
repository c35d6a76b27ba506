package bucket

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/transforms/attribution/rules"
)

// event is an engagement of the kind that others count after, for the views at places from from to to.
type event struct {
	from, to int
	closed   int64
}

// chosen is the slow and obvious way: in order, the first view takes it that finds itself to be the one which is to, of all that it
// knows.
func chosen(s *sharing, k *rules.Kind, from, to int, events []event) int {
	for w := from; w <= to; w++ {
		now := s.views[w].Time
		if s.closed[w] == unknown {
			continue
		}
		var known, having []int
		for x := from; x <= to; x++ {
			if !knownAt(s, x, now) {
				continue
			}
			known = append(known, x)
			for _, e := range events {
				if e.from <= x && x <= e.to && e.closed < now {
					having = append(having, x)
					break
				}
			}
		}
		if len(having) == 0 && k.Otherwise {
			having = known
		}
		if len(having) == 0 {
			continue
		}
		if k.Credit == rules.CreditFirst && having[0] == w || k.Credit == rules.CreditLast && having[len(having)-1] == w {
			return w
		}
	}
	return -1
}

// knownAt tells whether views that close at a time take what is at a place for a view.
func knownAt(s *sharing, place int, now int64) bool {
	for _, m := range s.mistaken {
		if m.place == place {
			return m.closed < now && now <= m.until
		}
	}
	return s.closed[place] < now
}

// TestChoiceAfter: what counts after another kind counts for the view that the slow way finds, however late views and engagements were
// read, with duplicates that were taken for views.
func TestChoiceAfter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const none = -math.MaxInt64
		s := newSharing(&rules.Params{}, 1)
		time := int64(0)
		for range rapid.IntRange(1, 12).Draw(t, "views") {
			time += rapid.Int64Range(0, 3).Draw(t, "later by")
			s.views = append(s.views, &View{Time: time})
			closed := int64(none)
			if time > 0 && rapid.Bool().Draw(t, "late") {
				closed = rapid.Int64Range(-1, time-1).Draw(t, "closed")
			}
			switch rapid.IntRange(0, 5).Draw(t, "is") {
			case 0:
				closed = unknown
			case 1: // what it is a duplicate of was read before it closed
				if until := rapid.Int64Range(-1, time).Draw(t, "until"); until < time && closed < until {
					s.mistaken = append(s.mistaken, mistaken{len(s.closed), closed, until})
				}
				closed = unknown
			}
			s.closed = append(s.closed, closed)
		}
		s.seeLater()
		s.having.build(s)
		k := &rules.Kind{Credit: rapid.SampledFrom([]rules.Credit{rules.CreditFirst, rules.CreditLast}).Draw(t, "credit"), Otherwise: rapid.Bool().Draw(t, "otherwise")}
		var events []event
		for range rapid.IntRange(1, 6).Draw(t, "engagements") {
			from := rapid.IntRange(0, len(s.views)-1).Draw(t, "from")
			to := rapid.IntRange(from, len(s.views)-1).Draw(t, "to")
			if rapid.Bool().Draw(t, "before") {
				e := event{from, to, none}
				if first := s.views[from].Time; rapid.Bool().Draw(t, "late") { // it is for views only that had not closed
					e.closed = rapid.Int64Range(-1, first).Draw(t, "closed") - 1
				}
				events = append(events, e)
				s.having.add(e.from, e.to, e.closed)
				continue
			}
			if from = int(s.known[from]); from <= to {
				require.Equal(t, chosen(s, k, from, to, events), s.having.choose(k, from, to), "%+v from %d to %d after %v", k, from, to, events)
			}
		}
	})
}
