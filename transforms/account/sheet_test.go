package account

import (
	"math"
	"reflect"
	"testing"

	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/direct" //nolint:staticcheck // a bounded pipeline without state
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// balanced draws ledgers that balance, by adding up views and engagements one by one.
func balanced() *rapid.Generator[*Sheet] {
	return rapid.Custom(func(t *rapid.T) *Sheet {
		l := New("click", "like")
		l.From = rapid.Int64Range(0, 100).Draw(t, "from")
		l.To = l.From + rapid.Int64Range(0, 100).Draw(t, "length")
		v := &l.Views
		for range rapid.IntRange(0, 20).Draw(t, "views") {
			v.N[Read]++
			switch rapid.IntRange(0, 5).Draw(t, "fate") {
			case 0:
				v.N[SampledOut]++
			case 1:
				v.N[Duplicates]++
				v.N[DuplicatesDiffering] += rapid.Int64Range(0, 1).Draw(t, "differing")
			case 2:
				v.N[Late]++
			case 3:
				v.N[Dead]++
			default:
				sample(t, l)
			}
		}
		for _, e := range l.Engagements {
			counts := []*int64{&e.N[Outside], &e.N[Orphans], &e.N[Duplicates], &e.N[Late], &e.N[Dead]}
			for range rapid.IntRange(0, 20).Draw(t, "engagements") {
				e.N[Read]++
				*counts[rapid.IntRange(0, 4).Draw(t, "fate")]++
			}
			e.N[PartlyLate] = rapid.Int64Range(0, e.N[Read]).Draw(t, "partly")
			e.N[Filtered] = rapid.Int64Range(0, 5).Draw(t, "filtered")
		}
		stages(t, l)
		l.Bytes = Bytes{In: v.N[Read], Records: 2 * v.N[Read], Blocks: v.N[Read], Samples: v.N[Samples], Out: v.N[Samples], JSON: 9 * v.N[Samples]}
		return l
	})
}

// stages adds what stages made of the views that all of them have to account for.
func stages(t *rapid.T, l *Sheet) {
	for _, name := range []string{"10s", "1m"} {
		s := l.StageOf(name)
		for range l.Views.N[Read] - l.Views.N[Late] - l.Views.N[Dead] {
			s.N[Read]++
			switch rapid.IntRange(0, 4).Draw(t, "of a stage") {
			case 0:
				s.N[SampledOut]++
				s.N[Withdrawn] += rapid.Int64Range(0, 1).Draw(t, "withdrawn")
			case 1:
				s.N[Duplicates]++
			case 2:
				s.N[Late]++
			case 3:
				s.N[Open]++
			default:
				s.N[Samples]++
				if rapid.Bool().Draw(t, "given") {
					s.N[Given]++
					s.Correct(rapid.SampledFrom([]string{"click", "like"}).Draw(t, "corrected"))
				}
			}
		}
	}
}

func sample(t *rapid.T, l *Sheet) {
	l.Views.N[Samples]++
	l.Views.N[Immature] += rapid.Int64Range(0, 1).Draw(t, "immature")
	start := rapid.SampledFrom([]int64{0, 300_000, 600_000}).Draw(t, "bucket")
	interval := l.Timeline[start]
	if interval == nil {
		interval = &Interval{Positives: map[string]int64{}}
		l.Timeline[start] = interval
	}
	interval.Samples++
	positive := int64(0)
	for _, kind := range []string{"click", "like"} {
		if !rapid.Bool().Draw(t, kind) {
			continue
		}
		positive = 1
		e := l.Engagements[kind]
		e.N[Read]++
		e.N[Matched]++
		e.N[Positives]++
		e.Delay.Record(delays().Draw(t, "delay"))
		interval.Positives[kind]++
	}
	l.Views.N[Positives] += positive
}

// full is a balanced ledger of one kind in which every count is above 0 and every
// part as large as its whole allows, so that no change of one goes unseen.
func full() *Sheet {
	return &Sheet{
		From: 1000, To: 2000, Fingerprint: "a1b2", Files: []File{{Output: "samples", Size: 7, Version: "9", Hash: "0a"}},
		Origin: Origin{Step: StepRead, Input: 1, Partition: 1 << 20, First: 300, Last: 1 << 40, MaxTime: math.MinInt64, SecondTime: -7, AfterIdle: true, Shard: -1, Shards: 7, Time: 1_700_000_000_000},
		Views: Views{
			N: Values{
				Read: 26, Samples: 10, SampledOut: 6, Duplicates: 4, Late: 3, Dead: 2, Open: 1,
				DuplicatesDiffering: 4, Positives: 7, Immature: 10, DuplicatesChained: 4, Resent: 16, Damages: 1, LateAfterIdle: 3, Filtered: 9, Tombstones: 8,
			}.Counts(),
			Reasons: map[string]*Reason{"late": {Count: 3, Example: "late"}, "time … is no time": {Count: 2, Example: "time 5 is no time"}},
		},
		Engagements: map[string]*Engagements{"like": {
			N: Values{
				Read: 32, Matched: 8, Outside: 7, Orphans: 6, Duplicates: 5, Late: 3, Dead: 2, Open: 1,
				PartlyLate: 32, LateAfterIdle: 32, Filtered: 4, Tombstones: 3, Positives: 7,
				Matches: 9, WithoutID: 32, WithoutValue: 32, BadValues: 32, Overflows: 1, OrphansLikeFloats: 6, Damages: 2,
			}.Counts(),
			Delay:   histogramOf(1, 2, 3, 4, 5, 6, 7),
			Reasons: map[string]*Reason{"no view": {Count: 6, Example: "no view"}},
		}},
		Inputs: map[string]*Input{"views.inputs.0": {N: Values{Read: 26, Late: 3, Dead: 2, Filtered: 1, Tombstones: 6}.Counts()}},
		Stages: map[string]*Stage{"10s": {
			N:         Values{Read: 21, Samples: 8, SampledOut: 4, Duplicates: 3, Late: 5, Open: 1, Positives: 8, Given: 8, Withdrawn: 4}.Counts(),
			Corrected: map[string]int64{"like": 3},
		}},
		Bytes: Bytes{In: 1, Records: 2, Blocks: 3, Samples: 4, Out: 5, JSON: 6},
		Timeline: map[int64]*Interval{
			1000: {Samples: 4, Positives: map[string]int64{"like": 3}},
			1500: {Samples: 6, Positives: map[string]int64{"like": 4}},
		},
	}
}

func text(t require.TestingT, l *Sheet) string {
	content, err := l.Encode()
	require.NoError(t, err)
	return string(content)
}

func merged(ledgers ...*Sheet) *Sheet {
	all := New()
	for _, l := range ledgers {
		all.Merge(l)
	}
	return all
}

func TestMergeIsAssociativeAndCommutative(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := balanced().Draw(t, "a"), balanced().Draw(t, "b"), balanced().Draw(t, "c")
		before := text(t, a) + text(t, b) + text(t, c)

		inOrder := text(t, merged(a, b, c))
		assert.Equal(t, inOrder, text(t, merged(merged(a, b), c)))
		assert.Equal(t, inOrder, text(t, merged(a, merged(b, c))), "associative")
		assert.Equal(t, inOrder, text(t, merged(c, a, b)), "commutative")
		assert.NoError(t, merged(a, b, c).Check(), "merging keeps the balance")
		assert.Equal(t, before, text(t, a)+text(t, b)+text(t, c), "what is merged is left alone")
	})
}

// Every number must arrive: the merge of two equal sheets has each twice.
func TestMergeSumsEveryField(t *testing.T) {
	l := merged(full(), full())
	for s, pair := range map[Subject][2]Counts{
		OfViews:       {l.Views.N, full().Views.N},
		OfEngagements: {l.Engagements["like"].N, full().Engagements["like"].N},
		OfInput:       {l.Inputs["views.inputs.0"].N, full().Inputs["views.inputs.0"].N},
		OfStage:       {l.Stages["10s"].N, full().Stages["10s"].N},
	} {
		for _, count := range All(s, Beside, Whole, Part) {
			require.True(t, pair[1][count] != 0 || count == resold, "full() must set %s", count.Row().Key)
			assert.Equal(t, 2*pair[1][count], pair[0][count], count.Row().Key)
		}
	}
	sum, one := reflect.ValueOf(l.Bytes), reflect.ValueOf(full().Bytes)
	for i := range sum.NumField() {
		assert.Equal(t, 2*one.Field(i).Int(), sum.Field(i).Int(), sum.Type().Field(i).Name)
	}
	assert.Empty(t, l.Fingerprint, "it stands for one interval")
	assert.Empty(t, l.Files, "they are of one interval")
	assert.Equal(t, map[string]int64{"like": 6}, l.Stages["10s"].Corrected)
	assert.EqualValues(t, 14, l.Engagements["like"].Delay.Count())
	assert.Equal(t, &Interval{Samples: 8, Positives: map[string]int64{"like": 6}}, l.Timeline[1000])
}

func TestMergeWidensTheTime(t *testing.T) {
	at := func(from, to int64) *Sheet { return &Sheet{From: from, To: to} }
	for _, c := range []struct {
		name     string
		l        *Sheet
		from, to int64
	}{
		{"apart", merged(at(10, 20), at(30, 40)), 10, 40},
		{"inside", merged(at(10, 40), at(20, 30)), 10, 40},
		{"the empty one says nothing", merged(at(10, 20), at(0, 0)), 10, 20},
		{"before the epoch of the empty one", merged(at(0, 0), at(10, 20)), 10, 20},
	} {
		assert.Equal(t, [2]int64{c.from, c.to}, [2]int64{c.l.From, c.l.To}, c.name)
	}
}

func TestJSONRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := balanced().Draw(t, "ledger")
		back, err := Decode([]byte(text(t, l)))
		require.NoError(t, err)
		assert.Equal(t, text(t, l), text(t, back))
	})
}

// No field is lost on the way; one that is added must be set in full(). The origin travels
// beside the text.
func TestJSONKeepsEveryField(t *testing.T) {
	l := full()
	for i := range reflect.TypeFor[Sheet]().NumField() {
		require.False(t, reflect.ValueOf(*l).Field(i).IsZero(), "full() must set %s", reflect.TypeFor[Sheet]().Field(i).Name)
	}
	coded, err := EncodeSheet(*l)
	require.NoError(t, err)
	back, err := DecodeSheet(coded)
	require.NoError(t, err)
	assert.Equal(t, *l, back)
	_, err = DecodeSheet(coded[:4])
	assert.ErrorContains(t, err, "cut short")
	l.Origin = Origin{}
	bare, err := Decode([]byte(text(t, l)))
	require.NoError(t, err)
	assert.Equal(t, l, bare)
}

// How the work was split must not show in the file.
func TestJSONOfEqualAccountsIsIdentical(t *testing.T) {
	bare := &Sheet{Engagements: map[string]*Engagements{"like": {}}}
	padded := New("like")
	padded.Timeline[5] = &Interval{Positives: map[string]int64{"like": 0}}
	assert.Equal(t, text(t, bare), text(t, padded))
	assert.NotEqual(t, text(t, bare), text(t, full()))
}

func TestFileFormat(t *testing.T) {
	l := New("like")
	l.From, l.To = 1000, 2000
	l.Views = Views{N: Values{Read: 2, Samples: 2, Positives: 1}.Counts()}
	like := l.Engagements["like"]
	like.N[Read], like.N[Matched], like.N[Positives] = 1, 1, 1
	like.Delay.Record(250)
	l.Timeline[1000] = &Interval{Samples: 2, Positives: map[string]int64{"like": 1}}
	require.NoError(t, l.Check())
	got := text(t, l)
	assert.Contains(t, got, "\"delay_ms\": [\n        [250, 1]\n      ]")
	assert.JSONEq(t, `{
		"from_ms": 1000, "to_ms": 2000,
		"views": {"read": 2, "samples": 2, "sampled_out": 0, "duplicates": 0, "late": 0, "dead": 0,
			"duplicates_differing": 0, "positives": 1, "immature": 0},
		"engagements": {"like": {"read": 1, "matched": 1, "outside_window": 0, "orphans": 0, "duplicates": 0, "late": 0, "dead": 0,
			"partly_late": 0, "filtered": 0, "positives": 1, "delay_ms": [[250,1]]}},
		"bytes": {"in": 0, "records": 0, "blocks": 0, "samples": 0, "out": 0, "json_estimate": 0},
		"timeline": {"1000": {"samples": 2, "positives": {"like": 1}}}}`, got)
}

func TestDecodeRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"not JSON":      {`views`, "invalid character"},
		"another file":  {`{"views": {}}`, "no views or no engagements"},
		"a list":        {`[]`, "array"},
		"null account":  {`{"views": {}, "engagements": {"like": null}}`, "engagements.like is null"},
		"null input":    {`{"views": {}, "engagements": {}, "inputs": {"a": null}}`, "inputs.a is null"},
		"null reason":   {`{"views": {"reasons": {"r": null}}, "engagements": {}}`, "views.reasons.r is null"},
		"its reason":    {`{"views": {}, "engagements": {"like": {"reasons": {"r": null}}}}`, "engagements.like.reasons.r is null"},
		"null stage":    {`{"views": {}, "engagements": {}, "stages": {"10s": null}}`, "stages.10s is null"},
		"null interval": {`{"views": {}, "engagements": {}, "timeline": {"5": null}}`, "timeline.5 is null"},
		"text count":    {`{"views": {"read": "5"}, "engagements": {}}`, "read"},
	} {
		_, err := Decode([]byte(c.text))
		assert.ErrorContains(t, err, c.want, name)
	}
}
