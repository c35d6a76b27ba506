package report

import (
	"math"
	"time"

	"tributary/transforms/account"
)

var day = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// addSamples adds the samples of a day to l: perBucket views in each bucket, of which a
// share that swings with the hour is positive.
func addSamples(l *account.Sheet, bucket time.Duration, perBucket int64, kind string, rate, median, window float64) {
	e := l.Engagements[kind]
	step := 0
	for at := day; at.Before(day.Add(24 * time.Hour)); at = at.Add(bucket) {
		start := at.UnixMilli()
		if l.Timeline[start] == nil {
			l.Timeline[start] = &account.Interval{Positives: map[string]int64{}}
			l.Timeline[start].Samples = perBucket
			l.Views.N[account.Samples] += perBucket
		}
		swing := 1 - 0.6*math.Cos(2*math.Pi*(at.Sub(day).Hours()-3)/24)
		n := int64(float64(perBucket) * rate * swing)
		l.Timeline[start].Positives[kind] = n
		e.N[account.Positives] += n
		for range n {
			step++ // a low-discrepancy walk through the delays: no random numbers
			_, u := math.Modf(float64(step) * math.Phi)
			e.Delay.Record(int64(min(median*math.Pow(u/(1-u), 0.8), window)))
		}
	}
}

// calm is a join in which nothing is wrong.
func calm() *Report {
	l := account.New("click", "like")
	l.From, l.To = day.UnixMilli(), day.Add(24*time.Hour).UnixMilli()
	addSamples(l, 5*time.Minute, 3_000, "click", 0.04, 40_000, 1_700_000)
	addSamples(l, 5*time.Minute, 3_000, "like", 0.011, 300_000, 6_000_000)
	v := &l.Views
	v.N[account.Positives] = l.Engagements["click"].N[account.Positives] + 900
	v.N[account.SampledOut], v.N[account.Duplicates] = 120_000, 512
	v.N[account.Read] = v.N[account.Samples] + v.N[account.SampledOut] + v.N[account.Duplicates]
	for _, e := range l.Engagements {
		e.N[account.Matched], e.N[account.Outside], e.N[account.Orphans], e.N[account.Duplicates] = e.N[account.Positives]+310, e.N[account.Positives]/90, 41, 77
		e.N[account.Read] = e.N[account.Matched] + e.N[account.Outside] + e.N[account.Orphans] + e.N[account.Duplicates]
	}
	l.Bytes = account.Bytes{In: 41 << 20, Records: 110 << 20, Blocks: 84 << 20, Samples: 97 << 20, Out: 31 << 20, JSON: 402 << 20}
	return &Report{
		Spec: "testdata/join.yaml", Version: 3, Accounts: l, Intervals: 24,
		Windows: map[string]time.Duration{"click": 30 * time.Minute, "like": 2 * time.Hour},
		Elapsed: 1876 * time.Millisecond, Events: 1_030_000, MaxRSS: 412 << 20,
		Outputs: []Output{
			{Name: "samples", Path: "out/samples", Count: v.N[account.Samples]},
			{Name: "late", Path: "out/late"},
			{Name: "dead letters", Path: "out/dead"},
			{Name: "accounts", Path: "out/accounts", Count: 24},
		},
	}
}

// troubled is a join in which everything that a note speaks of is the case.
func troubled() *Report {
	r := calm()
	l := r.Accounts
	v := &l.Views
	v.N[account.Dead], v.N[account.Late], v.N[account.Immature], v.N[account.DuplicatesDiffering] = 12, 2_300, 3_000, 9
	v.N[account.Read] += 12 + 2_300
	like := l.Engagements["like"]
	like.N[account.Late], like.N[account.Orphans], like.N[account.Dead], like.N[account.PartlyLate], like.N[account.Filtered] = 130, 2_041, 3, 55, 40_000
	like.N[account.Read] += 130 + 2_000 + 3
	like.N[account.Outside] += 1_500
	like.N[account.Read] += 1_500
	l.Engagements["purchase"] = &account.Engagements{N: account.Values{account.Read: 800, account.Orphans: 800}.Counts(), Delay: &account.Histogram{}}
	l.Engagements["share"] = &account.Engagements{Delay: &account.Histogram{}}
	for _, detail := range []string{`field ts: "yesterday" is not a time`, `field ts: "today" is not a time`} {
		v.AddReason(detail, 5)
	}
	v.AddReason("field view_id: no such field", 2)
	v.AddReason("closed by the watermark of partition 4 for 12.5 s", 2_300)
	v.AddReason("line 7: not a JSON object, {...} on one line", 1)
	like.AddReason("no view with the id \"v12\" in reach", 2_041)
	l.InputOf("views.inputs.0").N[account.Read] = v.N[account.Read]
	l.InputOf("engagements.like.inputs.0").N[account.Read], l.InputOf("engagements.like.inputs.1").N[account.Filtered] = like.N[account.Read], 40_000
	v.N[account.LateAfterIdle], like.N[account.LateAfterIdle] = 3, 4
	v.N[account.Resent], v.N[account.Damages], like.N[account.Damages] = 20, 1, 2
	like.N[account.Matches], like.N[account.WithoutID], like.N[account.BadValues], like.N[account.Overflows], like.N[account.OrphansLikeFloats] = like.N[account.Matched]+17, like.N[account.Read], 5, 1, 1_999
	r.Kinds = []string{"like", "share", "purchase", "click"}
	r.Windows["like"] = 100 * time.Minute
	r.Windows["purchase"], r.Windows["share"] = 24*time.Hour, time.Hour
	return r
}

// unbalanced has lost a view and an engagement.
func unbalanced() *Report {
	r := calm()
	r.Accounts.Views.N[account.Read]++
	r.Accounts.Engagements["click"].N[account.Matched]--
	return r
}

// small is short enough for its JSON to be read.
func small() *Report {
	l := account.New("like")
	l.From, l.To = day.UnixMilli(), day.Add(time.Hour).UnixMilli()
	l.Views = account.Views{N: account.Values{account.Read: 10, account.Samples: 7, account.SampledOut: 2, account.Duplicates: 1, account.Positives: 2, account.Immature: 1}.Counts()}
	like := l.Engagements["like"]
	like.N[account.Read], like.N[account.Matched], like.N[account.Outside], like.N[account.Positives] = 4, 3, 1, 2
	like.Delay.Record(1_500)
	like.Delay.Record(60_000)
	l.Bytes = account.Bytes{In: 900, Records: 1_800, Blocks: 1_000, Samples: 1_200, Out: 600, JSON: 4_000}
	l.Timeline[l.From] = &account.Interval{Samples: 4, Positives: map[string]int64{"like": 2}}
	l.Timeline[l.From+300_000] = &account.Interval{Samples: 3}
	return &Report{
		Spec: "join.yaml", Version: 1, Accounts: l, Intervals: 1, Windows: map[string]time.Duration{"like": 30 * time.Minute},
		Elapsed: 250 * time.Millisecond, Events: 14, MaxRSS: 64 << 20, Outputs: []Output{{Name: "samples", Path: "out/samples", Count: 7}},
	}
}

// opened is a stream that goes on.
func opened() *Report {
	r := small()
	r.Intervals, r.Elapsed, r.Events, r.MaxRSS, r.Accounts.Bytes = 0, 0, 0, 0, account.Bytes{}
	r.Accounts.Views.N[account.Read], r.Accounts.Views.N[account.Open], r.Accounts.Views.N[account.Immature] = 14, 4, 0
	like := r.Accounts.Engagements["like"]
	like.N[account.Read], like.N[account.Open] = 6, 2
	return r
}

// staged is a join with stages, most of which have something to say.
func staged() *Report {
	r := small()
	r.Accounts.Views.N[account.Read], r.Accounts.Views.N[account.Dead] = 11, 1
	r.Accounts.Stages = map[string]*account.Stage{
		"10s": {N: account.Values{account.Read: 10, account.Samples: 6, account.SampledOut: 2, account.Duplicates: 1, account.Late: 1, account.Given: 6, account.Positives: 1}.Counts()},
		"1m": {
			N:         account.Values{account.Read: 10, account.Samples: 7, account.SampledOut: 2, account.Duplicates: 1, account.Given: 2, account.Positives: 2, account.Withdrawn: 1}.Counts(),
			Corrected: map[string]int64{"like": 1},
		},
		"30m": {N: account.Values{account.Read: 10, account.Samples: 7, account.SampledOut: 2, account.Duplicates: 1, account.Positives: 2}.Counts()},
	}
	return r
}

// bare is what is left if nothing but accounts are known, and not all of that.
func bare() *Report {
	l := account.New("like")
	l.Views = account.Views{N: account.Values{account.Read: 3, account.Dead: 3}.Counts()}
	return &Report{Spec: "out/accounts/20260101T000000Z.json", Accounts: l}
}
