package attribution

import (
	"math"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/io/record"
	"tributary/transforms/account"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/label"
)

// drawShared draws views of two keys in much disorder, so that many are read after others have closed, and few engagements
// that come in time. Times are of milliseconds, or of half days: a bucket then holds views of months.
func drawShared(t *rapid.T) (*rules.Params, []*rec) {
	const origin = 1_767_225_600_000
	p := &rules.Params{
		OutOfOrderness: rapid.Int64Range(0, 10).Draw(t, "out of orderness"), ClockSkew: rapid.Int64Range(0, 8).Draw(t, "clock skew"),
		DedupWindow: rapid.Int64Range(0, 10).Draw(t, "duplicates within"), Bucket: rapid.Int64Range(1, 60).Draw(t, "bucket"), Shards: 2, Keep: 1,
		From: math.MinInt64, To: rules.NoLogEnd, LogEnd: rules.NoLogEnd,
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "kinds") {
		k := rules.Kind{
			Name: string(rune('a' + i)), Window: rapid.Int64Range(10, 60).Draw(t, "window"), Count: rules.CountAll,
			Label:  rapid.SampledFrom([]label.Func{label.Count, label.Sum, label.TimeToFirst}).Draw(t, "label"),
			Credit: rapid.SampledFrom([]rules.Credit{rules.CreditFirst, rules.CreditLast, rules.CreditEven}).Draw(t, "share"),
		}
		if k.Credit == rules.CreditEven {
			k.Label = rapid.SampledFrom([]label.Func{label.BinaryParts, label.CountParts, label.Sum}).Draw(t, "label of parts")
		}
		p.Kinds = append(p.Kinds, k)
	}
	if rapid.Bool().Draw(t, "short and long") {
		// What one kind counts after comes when others' views have nothing of it any more.
		p.Kinds = append(p.Kinds[:1], p.Kinds[0])
		short, long := &p.Kinds[0], &p.Kinds[1]
		long.Name, long.After, long.Otherwise = "b", "a", rapid.Bool().Draw(t, "else any")
		long.Credit, long.Label = rapid.SampledFrom([]rules.Credit{rules.CreditFirst, rules.CreditLast}).Draw(t, "share of the long one"), label.Count
		if short.Credit == rules.CreditEven && long.Credit == rules.CreditFirst {
			short.Credit, short.Label = rules.CreditFirst, label.Count // so that often all count for the first view
		}
		short.Window, long.Window = rapid.Int64Range(3, 20).Draw(t, "short"), rapid.Int64Range(30, 60).Draw(t, "long")
	} else {
		drawAfter(t, p)
	}
	unit := rapid.SampledFrom([]int64{1, 43_200_000}).Draw(t, "unit")
	millis := func(path string) rules.Field { return rules.Field{Path: path, Unit: record.UnitEpochMs} }
	ordered := rapid.Bool().Draw(t, "engagements in order")
	for kind := rules.Views; kind < len(p.Kinds); kind++ {
		in := rules.Input{Kind: kind, ID: "id", Time: millis("t"), Ordered: ordered || kind == rules.Views}
		if kind == rules.Views {
			in.Key = []string{"k"}
		} else {
			in.ViewTime, in.EventID, in.Value = millis("vt"), "eid", "value"
		}
		p.Inputs = append(p.Inputs, in)
	}
	if rapid.Bool().Draw(t, "stages") {
		drawStages(t, p)
	}
	stretch(p, unit)
	require.NoError(t, p.Validate())
	// The largest times that have closed something are drawn with the views that come after them.
	var log []*rec
	reach := p.LongestWindow() + p.OutOfOrderness
	for i := range rapid.IntRange(2, 14).Draw(t, "views") {
		r := &rec{view: true, kind: rules.Views, ordered: true, offset: int64(i), viewTime: record.NoTime, time: origin + rapid.Int64Range(0, 100).Draw(t, "time")*unit}
		if i == 0 || rapid.IntRange(0, 3).Draw(t, "ahead") == 0 {
			r.time = origin + rapid.Int64Range(0, 2*reach).Draw(t, "time ahead")
		}
		r.id = rapid.SampledFrom([]string{"u", "u", "u", "v"}).Draw(t, "key")
		r.nameView(p, rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"}).Draw(t, "own id"))
		log = append(log, r)
	}
	for i := range rapid.IntRange(1, 9).Draw(t, "engagements") {
		kind := rapid.IntRange(0, len(p.Kinds)-1).Draw(t, "kind")
		g := &rec{
			partition: int32(kind + 1), kind: kind, id: rapid.SampledFrom([]string{"u", "u", "v"}).Draw(t, "key named"), offset: int64(i), viewTime: record.NoTime,
			time: origin + rapid.Int64Range(0, 100).Draw(t, "engagement's time")*unit, value: rapid.Int64Range(0, 9).Draw(t, "value"),
			eventID: rapid.SampledFrom([]string{"", "e", "f"}).Draw(t, "event id"), ordered: ordered,
		}
		if ordered && rapid.IntRange(0, 4).Draw(t, "ahead") == 0 {
			g.time = origin + rapid.Int64Range(0, 2*reach).Draw(t, "engagement's time ahead")
		}
		log = append(log, g)
	}
	return p, log
}

// stretch makes all lengths of time so many times as long.
func stretch(p *rules.Params, unit int64) {
	p.OutOfOrderness, p.ClockSkew, p.DedupWindow, p.Bucket = p.OutOfOrderness*unit, p.ClockSkew*unit, p.DedupWindow*unit, p.Bucket*unit
	for i := range p.Kinds {
		p.Kinds[i].Window *= unit
	}
	for i := range p.Stages {
		s := &p.Stages[i]
		s.After, s.Bucket, s.OutOfOrderness = s.After*unit, s.Bucket*unit, s.OutOfOrderness*unit
	}
}

// drawAfter lets kinds that count for one view count after others.
func drawAfter(t *rapid.T, p *rules.Params) {
	for i := range p.Kinds {
		k := &p.Kinds[i]
		after := p.Kinds[rapid.IntRange(0, len(p.Kinds)-1).Draw(t, "after")].Name
		if after != k.Name && (k.Credit == rules.CreditFirst || k.Credit == rules.CreditLast) && rapid.Bool().Draw(t, "counts after") {
			k.After, k.Otherwise = after, rapid.Bool().Draw(t, "otherwise")
		}
	}
}

// TestSharesEqualReference: which views of a key an engagement counts for is what the reference finds, at every stage, whatever a bucket
// holds beside; none counts for more views than it may.
func TestSharesEqualReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, log := drawShared(t)
		wanted, ledger := referenceStages(p, log)
		got := runInMemory(t, p, log, rapid.Int64().Draw(t, "seed"))
		for i, s := range append(got.early, got.staged) {
			require.Equal(t, wanted[i], append([]want{}, s.samples...), "stage %d, log:\n%s", i, describe(log))
		}
		requireSameOutcomes(t, ledger, got.sheet, log)
		require.NoError(t, got.sheet.Check())
		for _, k := range p.Kinds {
			if e := got.sheet.Engagements[k.Name]; k.Credit != rules.CreditEven {
				require.Equal(t, e.N[account.Matched], e.N[account.Matches], "an engagement counts for one view")
			}
		}
	})
}

// TestPartsMakeTheWhole: the parts of what is shared evenly add up to it, where nothing is late and nothing is twice.
func TestPartsMakeTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, log := drawShared(t)
		p.Stages, p.Stage, p.DedupWindow = nil, 0, 0
		p.Kinds[0].Credit, p.Kinds[0].Label = rules.CreditEven, label.CountParts
		p.Kinds[0].After, p.Kinds[0].Otherwise = "", false
		p.Inputs[0].Ordered = false
		for i, r := range log {
			if r.eventID = string(rune('a' + i)); r.view {
				r.ordered = false
			}
		}
		got := runInMemory(t, p, log, 1)
		parts := 0.0
		for _, s := range got.samples {
			part, err := strconv.ParseFloat(s.Labels[0], 64)
			require.NoError(t, err)
			parts += part
		}
		require.InDelta(t, got.sheet.Engagements["a"].N[account.Matched], parts, 1e-9)
	})
}

// TestKeyOfItsOwnIsAnID: where every view has a key of its own, engagements that name keys are joined as those that name ids.
func TestKeyOfItsOwnIsAnID(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		origin := drawOrigin(t)
		p := drawParams(t, origin)
		p.Inputs = slices.Clone(p.Inputs)
		for i := range p.Inputs {
			p.Inputs[i].Key = nil
		}
		for i := range p.Kinds {
			if k := &p.Kinds[i]; k.Credit == rules.CreditEven {
				k.Label = label.Sum
			}
			p.Kinds[i].Credit, p.Kinds[i].After, p.Kinds[i].Otherwise = rules.CreditAll, "", false
		}
		log := drawLog(t, p, origin)
		byID := runInMemory(t, p, log, 1)
		q := *p
		q.Inputs = slices.Clone(p.Inputs)
		for i := range q.Inputs {
			if q.Inputs[i].Kind == rules.Views {
				q.Inputs[i].Key = []string{"id"}
			}
		}
		byKey := runInMemory(t, &q, log, 2)
		require.Equal(t, byID.encoded, byKey.encoded)
		for _, sheet := range []*account.Sheet{byID.sheet, byKey.sheet} {
			for _, e := range sheet.Engagements {
				e.Reasons = nil // which say id and key
			}
		}
		requireSameOutcomes(t, byID.sheet, byKey.sheet, log)
	})
}
