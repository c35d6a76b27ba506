package outcome

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/record"
	"tributary/transforms/account"
	"tributary/transforms/attribution/attributiontest"
	"tributary/transforms/attribution/bucket"
	"tributary/transforms/attribution/rules"
)

// outcomeParams: a like looks for its view over 3 buckets of 1 s and a little.
func outcomeParams() *rules.Params {
	return &rules.Params{
		Kinds:  []rules.Kind{{Name: "like", Window: 3000}, {Name: "share", Window: 1000}},
		Inputs: []rules.Input{{Kind: rules.Views}, {Kind: 1}, {Kind: 0}},
		Bucket: 1000, Shards: 1, Keep: 1, To: rules.NoLogEnd, Orphans: true,
	}
}

func like(offset int64) *bucket.Engagement {
	return &bucket.Engagement{ViewID: []byte("v"), Time: 5000, Partition: 2, Offset: offset, ClosedThrough: record.NoTime, ViewTime: record.NoTime}
}

// TestTally brings together what several buckets saw of one engagement, in every order.
func TestTally(t *testing.T) {
	owner := func(s bucket.Outcome) bucket.PartialOutcome { return bucket.PartialOutcome{Owner: true, Outcome: s} }
	away := func(s bucket.Outcome) bucket.PartialOutcome { return bucket.PartialOutcome{Outcome: s} }
	late := like(7)
	late.ClosedThrough = 2001 // of the views it might count for, from 2001 on, the first had closed
	for _, c := range []struct {
		name       string
		engagement *bucket.Engagement
		partials   []bucket.PartialOutcome
		want       account.Engagements
		orphan     bool
	}{
		{"nobody saw its view", like(7), []bucket.PartialOutcome{owner(bucket.OutcomeNone)}, account.Engagements{N: account.Values{account.Orphans: 1}.Counts()}, true},
		{"another bucket has its view", like(7), []bucket.PartialOutcome{owner(bucket.OutcomeNone), away(bucket.OutcomeMatched)}, account.Engagements{N: account.Values{account.Matched: 1}.Counts()}, false},
		{"another has one outside the window", like(7), []bucket.PartialOutcome{owner(bucket.OutcomeNone), away(bucket.OutcomeOutside)}, account.Engagements{N: account.Values{account.Outside: 1}.Counts()}, false},
		{"matched outranks outside", like(7), []bucket.PartialOutcome{owner(bucket.OutcomeOutside), away(bucket.OutcomeMatched), away(bucket.OutcomeOutside)}, account.Engagements{N: account.Values{account.Matched: 1}.Counts()}, false},
		{"duplicate outranks outside", like(7), []bucket.PartialOutcome{owner(bucket.OutcomeDuplicate), away(bucket.OutcomeOutside)}, account.Engagements{N: account.Values{account.Duplicates: 1}.Counts()}, false},
		{"a duplicate without a view is one", like(7), []bucket.PartialOutcome{owner(bucket.OutcomeDuplicate)}, account.Engagements{N: account.Values{account.Duplicates: 1}.Counts()}, false},
		{"matched by two", like(7), []bucket.PartialOutcome{away(bucket.OutcomeMatched), away(bucket.OutcomeMatched), owner(bucket.OutcomeNone)}, account.Engagements{N: account.Values{account.Matched: 1}.Counts()}, false},
		{"partly late, and its view not found", late, []bucket.PartialOutcome{owner(bucket.OutcomeNone)}, account.Engagements{N: account.Values{account.Late: 1}.Counts()}, false},
		{"partly late, and matched all the same", late, []bucket.PartialOutcome{owner(bucket.OutcomeNone), away(bucket.OutcomeMatched)}, account.Engagements{N: account.Values{account.Matched: 1}.Counts()}, false},
		{"of another interval: nothing in the owner bucket", like(7), []bucket.PartialOutcome{away(bucket.OutcomeMatched)}, account.Engagements{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := outcomeParams()
			for turn := range c.partials {
				merger := NewMerger(p)
				for i := range c.partials {
					s := c.partials[(i+turn)%len(c.partials)]
					require.NoError(t, merger.Add(begun(p).Append(p, c.engagement, s)))
				}
				sheet := p.NewSheet()
				var orphans []record.Rejected
				merger.Merge(sheet, func(r record.Rejected) { orphans = append(orphans, r) })
				got := *sheet.Engagements["like"]
				reasons := int64(0)
				for _, r := range got.Reasons {
					reasons += r.Count
				}
				require.Equal(t, got.N[account.Orphans]+got.N[account.Late], reasons, "each has its reason")
				got.Delay, got.Reasons = nil, nil
				require.Equal(t, c.want, got)
				if !c.orphan {
					require.Empty(t, orphans)
					continue
				}
				require.Equal(t, []record.Rejected{{
					Reason: record.ReasonOrphan, Detail: `no view with the id "v" in reach`, Input: 2, Partition: 2, Offset: 7, Count: 1,
					EventTime: 5000, Watermark: record.NoTime, Record: []byte("v"),
				}}, orphans)
			}
		})
	}
}

// TestTallyTellsApart: the position in the log and the kind make an engagement.
func TestTallyTellsApart(t *testing.T) {
	p := outcomeParams()
	p.Orphans = false
	other := like(7)
	other.Partition = 3
	share := like(7)
	share.Kind = 1
	partials := begun(p)
	for _, g := range []*bucket.Engagement{like(7), like(8), other, share} {
		partials = partials.Append(p, g, bucket.PartialOutcome{Owner: true})
	}
	partials = partials.Append(p, like(8), bucket.PartialOutcome{Outcome: bucket.OutcomeMatched})
	merger, sheet := NewMerger(p), p.NewSheet()
	require.NoError(t, merger.Add(partials))
	merger.Merge(sheet, func(record.Rejected) { t.Error("orphans are not wanted") })
	require.Equal(t, []int64{2, 1}, []int64{sheet.Engagements["like"].N[account.Orphans], sheet.Engagements["like"].N[account.Matched]})
	require.Equal(t, int64(1), sheet.Engagements["share"].N[account.Orphans])

	// And a merger begins anew for the next bucket.
	sheet = p.NewSheet()
	merger.Merge(sheet, nil)
	require.Zero(t, sheet.Engagements["like"].N[account.Orphans])
}

// begun are no partial outcomes yet.
func begun(p *rules.Params) Partials { return NewPartials(p.Meaning().Fingerprint()) }

func TestTallyRefuses(t *testing.T) {
	p := outcomeParams()
	whole := begun(p).Append(p, like(300), bucket.PartialOutcome{Owner: true}).encoded
	for n := 1; n < len(whole); n++ {
		if n == len(begun(p).encoded) {
			continue // there may be none
		}
		require.EqualError(t, NewMerger(p).Add(Partials{whole[:n]}), "partial outcomes: it ends within a record", "cut to %d of %d bytes", n, len(whole))
	}
	unknown := like(7)
	unknown.Kind = 2
	q := outcomeParams()
	q.Kinds = append(q.Kinds, rules.Kind{Name: "click", Window: 1})
	require.EqualError(t, NewMerger(p).Add(begun(p).Append(q, unknown, bucket.PartialOutcome{Owner: true})), "partial outcomes: kind 2 of 2")
	require.ErrorIs(t, NewMerger(p).Add(begun(q).Append(q, like(7), bucket.PartialOutcome{Owner: true})), rules.ErrMeaning)
}

func FuzzPartials(f *testing.F) {
	p := outcomeParams()
	two := begun(p).Append(p, like(300), bucket.PartialOutcome{Owner: true}).Append(p, like(2), bucket.PartialOutcome{Outcome: bucket.OutcomeMatched}).encoded
	f.Add(two)
	f.Add(two[:len(two)-1])
	f.Add(append(begun(p).encoded, 0, 0, 0xff, 9, 0, 0))
	f.Add(append(begun(p).encoded, 0, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1))
	f.Fuzz(func(t *testing.T, data []byte) {
		merger, sheet := NewMerger(p), p.NewSheet()
		if err := merger.Add(Partials{data}); err != nil {
			return
		}
		orphans := int64(0)
		merger.Merge(sheet, func(record.Rejected) { orphans++ })
		total := int64(0)
		for _, e := range sheet.Engagements {
			total += e.N[account.Matched] + e.N[account.Outside] + e.N[account.Orphans] + e.N[account.Duplicates] + e.N[account.Late]
		}
		require.LessOrEqual(t, orphans, total)
		require.LessOrEqual(t, total*4, int64(len(data)), "a partial outcome takes four bytes")
	})
}

func TestOrphansLikeFloats(t *testing.T) {
	e := &account.Engagements{}
	for _, id := range []string{"123.0", "-1.00", "123", "1.5", "v1.0"} {
		rejectOrphan(attributiontest.Params(), e, recordID{kind: 0}, 0, []byte(id), nil)
	}
	require.Equal(t, int64(2), e.N[account.OrphansLikeFloats])
	require.Equal(t, int64(5), e.Reasons["no view with the id … in reach"].Count)
	require.True(t, strings.HasSuffix(e.Reasons["no view with the id … in reach"].Example, `"-1.00" in reach`))
}
