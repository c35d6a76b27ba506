package attribution

import (
	"fmt"
	"math/rand"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"tributary/io/event"
	"tributary/transforms/sample"
)

// A bucket in a test is written as lines, and what the join makes of it as lines too:
//
//	view v@1000 x=1              the view v at 1000 ms, with payload "1"
//	stub v@1000 x=1              the same, of an earlier bucket or slice
//	like v@1500 value=3 id=e     an engagement of kind like: its label's field, its own id
//	like v@1500 vt=1000 floor=9  with its view's time; read when views at or before 9 had closed
//
// Records stand in the log in the order of the lines. What comes out:
//
//	v@1000 like=1+500            a sample: label and delay of each kind; "like=0" if nothing counts
//	duplicate, duplicate differs a view that was there before
//	sampled out                  a negative that was not kept
//	like v@1500: matched, final  what the bucket saw of the engagement (see Sighting)

// coreCase is one such bucket. Its params are coreParams, changed by change.
type coreCase struct {
	name   string
	change func(p *Params)
	bucket int64 // index
	in     string
	want   string
}

// coreParams: likes count for 1 s, shares for 3 s; buckets of 10 s; twins within 100 ms.
func coreParams() *Params {
	return &Params{
		Kinds: []Kind{
			{Name: "like", Window: 1000, Label: sample.Count, Credit: CreditAll},
			{Name: "share", Window: 3000, Label: sample.Binary, Credit: CreditAll},
		},
		DuplicatesWithin: 100, Bucket: 10_000, Shards: 1, Keep: 1, LogEnd: NoLogEnd, From: 0, To: NoLogEnd,
	}
}

// onlyLike leaves one kind with that label and credit.
func onlyLike(f sample.Func, credit Credit) func(*Params) {
	return func(p *Params) { p.Kinds = []Kind{{Name: "like", Window: 1000, Label: f, Credit: credit}} }
}

func withSkew(p *Params)      { p.ClockSkew = 50 }
func likesOnly(p *Params)     { p.Kinds = p.Kinds[:1] }
func shortBucket(p *Params)   { p.Bucket = 1000; p.Kinds = p.Kinds[:1] }
func outOfOrder(p *Params)    { p.OutOfOrderness = 500; p.Kinds = p.Kinds[:1] }
func logEndsAt3000(p *Params) { p.LogEnd = 3000 }

var windowCases = []coreCase{
	{
		name: "a view that nobody engages with is a negative",
		in:   `view v@1000`,
		want: `v@1000 like=0 share=0`,
	},
	{
		name: "an engagement at the view's own millisecond counts",
		in: `view v@1000
		     like v@1000`,
		want: `v@1000 like=1+0 share=0
		       like v@1000: matched, home, final`,
	},
	{
		name: "a millisecond before the view does not count",
		in: `view v@1000
		     like v@999`,
		want: `v@1000 like=0 share=0
		       like v@999: nothing, home`,
	},
	{
		name: "the last millisecond of the window counts",
		in: `view v@1000
		     like v@1999`,
		want: `v@1000 like=1+999 share=0
		       like v@1999: matched, home, final`,
	},
	{
		name: "at the window's end it does not, and its view is known",
		in: `view v@1000
		     like v@2000`,
		want: `v@1000 like=0 share=0
		       like v@2000: outside, home`,
	},
	{
		name: "each kind has its own window",
		in: `view v@1000
		     like v@3999
		     share v@3999
		     share v@4000`,
		want: `v@1000 like=0 share=1+2999
		       like v@3999: outside, home, final
		       share v@3999: matched, home, final
		       share v@4000: nothing, home, final`,
	},
	{
		name:   "an engagement may precede its view by the clock skew, with no delay",
		change: withSkew,
		in: `view v@1000
		     like v@950`,
		want: `v@1000 like=1+0 share=0
		       like v@950: matched, home, final`,
	},
	{
		name:   "by a millisecond more it is outside",
		change: withSkew,
		in: `view v@1000
		     like v@949`,
		want: `v@1000 like=0 share=0
		       like v@949: outside, home`,
	},
	{
		name:   "the clock skew does not lengthen the window",
		change: withSkew,
		in: `view v@1000
		     like v@2000`,
		want: `v@1000 like=0 share=0
		       like v@2000: outside, home`,
	},
	{
		name:   "skew far beyond the window: the engagement may come long before",
		change: func(p *Params) { p.ClockSkew = 5000; p.Kinds = p.Kinds[:1] },
		in: `view v@9000
		     like v@4000
		     like v@3999`,
		want: `v@9000 like=1+0
		       like v@3999: outside
		       like v@4000: matched`,
	},
	{
		name: "an engagement counts for the view it names alone",
		in: `view v@1000
		     view w@1000
		     like w@1500`,
		want: `v@1000 like=0 share=0
		       w@1000 like=1+500 share=0
		       like w@1500: matched, home, final`,
	},
	{
		name: "views of one id that lie apart each have the engagement in their windows",
		in: `view v@1000
		     view v@1500
		     like v@1600`,
		want: `v@1000 like=1+600 share=0
		       v@1500 like=1+100 share=0
		       like v@1600: matched, home, final`,
	},
	{
		name: "by its view's time it counts for that one alone",
		in: `view v@1000
		     view v@1500
		     like v@1600 vt=1500`,
		want: `v@1000 like=0 share=0
		       v@1500 like=1+100 share=0
		       like v@1600: matched, home, final`,
	},
	{
		name:   "a view's time may be off by the clock skew and no more",
		change: func(p *Params) { p.ClockSkew = 50; p.DuplicatesWithin = 0 },
		in: `view v@1000
		     view v@1001
		     view v@1101
		     view v@1102
		     like v@1600 vt=1051`,
		want: `v@1000 like=0 share=0
		       v@1001 like=1+599 share=0
		       v@1101 like=1+499 share=0
		       v@1102 like=0 share=0
		       like v@1600: matched, home, final`,
	},
}

var creditCases = []coreCase{
	{
		name: "all that count are credited, in order of time",
		in: `view v@1000
		     like v@1700
		     like v@1500
		     like v@1900`,
		want: `v@1000 like=3+500 share=0
		       like v@1500: matched, home, final
		       like v@1700: matched, home, final
		       like v@1900: matched, home, final`,
	},
	{
		name:   "the first alone",
		change: onlyLike(sample.Sum, CreditFirst),
		in: `view v@1000
		     like v@1700 value=7
		     like v@1500 value=5`,
		want: `v@1000 like=5+500
		       like v@1500: matched, home, final
		       like v@1700: matched, home, final`,
	},
	{
		name:   "the last alone, and the delay is its own",
		change: onlyLike(sample.Sum, CreditLast),
		in: `view v@1000
		     like v@1700 value=7
		     like v@1500 value=5`,
		want: `v@1000 like=7+700
		       like v@1500: matched, home, final
		       like v@1700: matched, home, final`,
	},
	{
		name:   "the last in the window, not the last of all",
		change: onlyLike(sample.Sum, CreditLast),
		in: `view v@1000
		     like v@1500 value=5
		     like v@2000 value=9`,
		want: `v@1000 like=5+500
		       like v@1500: matched, home, final
		       like v@2000: nothing, home, final`,
	},
	{
		name:   "of two at one time the first in the log is first",
		change: onlyLike(sample.First, CreditAll),
		in: `view v@1000
		     like v@1500 value=8
		     like v@1500 value=2`,
		want: `v@1000 like=8+500
		       like v@1500: matched, home, final
		       like v@1500: matched, home, final`,
	},
	{
		name:   "and the last in the log is last",
		change: onlyLike(sample.Last, CreditAll),
		in: `view v@1000
		     like v@1500 value=8
		     like v@1500 value=2`,
		want: `v@1000 like=2+500
		       like v@1500: matched, home, final
		       like v@1500: matched, home, final`,
	},
	{
		name:   "the partition goes before the offset",
		change: onlyLike(sample.First, CreditAll),
		in: `view v@1000
		     like v@1500 value=8 p=2
		     like v@1500 value=2 p=1`,
		want: `v@1000 like=2+500
		       like v@1500: matched, home, final
		       like v@1500: matched, home, final`,
	},
	{
		name: "credit is given within a kind: the kinds do not compete",
		change: func(p *Params) {
			p.Kinds = []Kind{{Name: "like", Window: 1000, Label: sample.Count, Credit: CreditLast}, {Name: "share", Window: 1000, Label: sample.Count, Credit: CreditFirst}}
		},
		in: `view v@1000
		     like v@1100
		     share v@1200
		     like v@1300
		     share v@1400`,
		want: `v@1000 like=1+300 share=1+200
		       like v@1100: matched, home, final
		       like v@1300: matched, home, final
		       share v@1200: matched, home, final
		       share v@1400: matched, home, final`,
	},
}

// labelCases: what each function makes of no engagement, and of these, of which the field of
// two is no number.
func labelCases() (cases []coreCase) {
	const mixed = `view v@1000
		like v@1600 value=2.5
		like v@1500 value="many"
		like v@1700 value=-4
		like v@1800`
	for f, labels := range map[sample.Func][3]string{
		//                  nothing, the mixed ones, a single one without a number
		sample.Binary:      {"0", "1+500", "1+500"},
		sample.Count:       {"0", "4+500", "1+500"},
		sample.TimeToFirst: {"null", "500+500", "500+500"},
		sample.Sum:         {"0", "-1.5+500", "0+500"},
		sample.Min:         {"null", "-4+500", "null+500"},
		sample.Max:         {"null", "2.5+500", "null+500"},
		sample.First:       {"null", `"many"+500`, `"many"+500`},
		sample.Last:        {"null", "null+500", `"many"+500`},
	} {
		const counted = ": matched, home, final\n"
		cases = append(
			cases,
			coreCase{string(f) + " of nothing", onlyLike(f, CreditAll), 0, `view v@1000`, "v@1000 like=" + labels[0]},
			coreCase{
				string(f) + " of numbers and others", onlyLike(f, CreditAll), 0, mixed,
				"v@1000 like=" + labels[1] + "\nlike v@1500" + counted + "like v@1600" + counted + "like v@1700" + counted + "like v@1800" + counted,
			},
			coreCase{
				string(f) + " of one without a number", onlyLike(f, CreditAll), 0, "view v@1000\nlike v@1500 value=\"many\"",
				"v@1000 like=" + labels[2] + "\nlike v@1500" + counted,
			},
		)
	}
	// Text that reads as a number is one: CSV has no others.
	return append(cases, coreCase{
		"sum of numbers in text", onlyLike(sample.Sum, CreditAll), 0, "view v@1000\nlike v@1500 value=\"2.5\"\nlike v@1501 value=true",
		"v@1000 like=3.5+500\nlike v@1500: matched, home, final\nlike v@1501: matched, home, final",
	})
}

var duplicateCases = []coreCase{
	{
		name: "of two copies of a view the first in the log is kept",
		in: `view v@1000 x=same
		     view v@1000 x=same`,
		want: `v@1000 like=0 share=0
		       duplicate`,
	},
	{
		name: "a copy with another content is counted as such",
		in: `view v@1000 x=first
		     view v@1000 x=second`,
		want: `v@1000 like=0 share=0 x=first
		       duplicate differs`,
	},
	{
		name: "the earlier view is kept, wherever it stands in the log",
		in: `view v@1050 x=later
		     view v@1000 x=earlier`,
		want: `v@1000 like=0 share=0 x=earlier
		       duplicate differs`,
	},
	{
		name: "views just within reach are one",
		in: `view v@1000
		     view v@1100`,
		want: `v@1000 like=0 share=0
		       duplicate`,
	},
	{
		name: "a millisecond more and they are two",
		in: `view v@1000
		     view v@1101`,
		want: `v@1000 like=0 share=0
		       v@1101 like=0 share=0`,
	},
	{
		name: "each is held against the one before it, be it a duplicate itself",
		in: `view v@1000
		     view v@1090
		     view v@1180
		     view v@1281`,
		want: `v@1000 like=0 share=0
		       v@1281 like=0 share=0
		       duplicate
		       duplicate`,
	},
	{
		name:   "with no reach only the same millisecond is a duplicate",
		change: func(p *Params) { p.DuplicatesWithin = 0 },
		in: `view v@1000
		     view v@1000
		     view v@1001`,
		want: `v@1000 like=0 share=0
		       v@1001 like=0 share=0
		       duplicate`,
	},
	{
		name: "a duplicate view has no labels of its own, though an engagement lies in its window alone",
		in: `view v@1000
		     view v@1100
		     like v@2050`,
		want: `v@1000 like=0 share=0
		       duplicate
		       like v@2050: outside, home`,
	},
	{
		name: "a view of an earlier bucket makes one here a duplicate", bucket: 1,
		in: `stub v@9950 x=a
		     view v@10050 x=b`,
		want: `duplicate differs`,
	},
	{
		name: "with the same content, the same", bucket: 1,
		in: `stub v@9950 x=a
		     view v@10050 x=a`,
		want: `duplicate`,
	},
	{
		name: "one that is too far back does not", bucket: 1,
		in: `stub v@9949
		     view v@10050`,
		want: `v@10050 like=0 share=0`,
	},
	{
		name: "a stub of another slice gives no sample, but accounts for engagements",
		in: `stub v@1000
		     like v@1500`,
		want: `like v@1500: matched, home, final`,
	},
	{
		name: "an engagement is judged by a stub of an earlier bucket there, not here", bucket: 1,
		in: `stub v@9950
		     like v@10500`,
		want: `like v@10500: nothing, home`,
	},
	{
		name: "an engagement told twice counts once",
		in: `view v@1000
		     like v@1500 id=e
		     like v@1500 id=e`,
		want: `v@1000 like=1+500 share=0
		       like v@1500: duplicate, home
		       like v@1500: matched, home, final`,
	},
	{
		name: "by its own id even at another time, the earlier one",
		in: `view v@1000
		     like v@1600 id=e
		     like v@1500 id=e`,
		want: `v@1000 like=1+500 share=0
		       like v@1500: matched, home, final
		       like v@1600: duplicate, home`,
	},
	{
		name: "beyond reach the same id is another event",
		in: `view v@1000
		     like v@1500 id=e
		     like v@1601 id=e`,
		want: `v@1000 like=2+500 share=0
		       like v@1500: matched, home, final
		       like v@1601: matched, home, final`,
	},
	{
		name: "own ids that differ are two events, alike as they are",
		in: `view v@1000
		     like v@1500 id=e
		     like v@1500 id=f`,
		want: `v@1000 like=2+500 share=0
		       like v@1500: matched, home, final
		       like v@1500: matched, home, final`,
	},
	{
		name: "without an own id the same time and value is the same event",
		in: `view v@1000
		     like v@1500 value=1
		     like v@1500 value=1
		     like v@1500 value=2
		     like v@1501 value=1`,
		want: `v@1000 like=3+500 share=0
		       like v@1500: duplicate, home
		       like v@1500: matched, home, final
		       like v@1500: matched, home, final
		       like v@1501: matched, home, final`,
	},
	{
		name: "one id in two kinds is two events",
		in: `view v@1000
		     like v@1500 id=e
		     share v@1500 id=e`,
		want: `v@1000 like=1+500 share=1+500
		       like v@1500: matched, home, final
		       share v@1500: matched, home, final`,
	},
	{
		name: "one id on two views is two events",
		in: `view v@1000
		     view w@1000
		     like v@1500 id=e
		     like w@1500 id=e`,
		want: `v@1000 like=1+500 share=0
		       w@1000 like=1+500 share=0
		       like v@1500: matched, home, final
		       like w@1500: matched, home, final`,
	},
	{
		name:   "a duplicate stays one even if it alone lies in the window",
		change: likesOnly,
		in: `view v@1000
		     like v@990 id=e
		     like v@1010 id=e`,
		want: `v@1000 like=0
		       like v@1010: duplicate, home, final
		       like v@990: nothing, home`,
	},
}

var lateCases = []coreCase{
	{
		name: "an engagement counts for no view that had closed when it was read",
		in: `view v@1000
		     view v@1500
		     like v@1600 floor=1000`,
		want: `v@1000 like=0 share=0
		       v@1500 like=1+100 share=0
		       like v@1600: matched, home, final`,
	},
	{
		name: "a view a millisecond younger was open",
		in: `view v@1001
		     like v@1600 floor=1000`,
		want: `v@1001 like=1+599 share=0
		       like v@1600: matched, home, final`,
	},
	{
		name: "one that is late for the view does not make another a duplicate",
		in: `view v@1000
		     like v@1500 id=e floor=1000
		     like v@1510 id=e`,
		want: `v@1000 like=1+510 share=0
		       like v@1500: nothing, home, final
		       like v@1510: matched, home, final`,
	},
	{
		name: "one that came in time makes a late one a duplicate",
		in: `view v@1000
		     like v@1500 id=e
		     like v@1510 id=e floor=1000`,
		want: `v@1000 like=1+500 share=0
		       like v@1500: matched, home, final
		       like v@1510: duplicate, home, final`,
	},
	{
		name: "final, because all other views it might name had closed", change: likesOnly,
		in: `view v@5000
		     like v@6000 floor=4900`,
		want: `v@5000 like=0
		       like v@6000: nothing, home, final`,
	},
}

var homeCases = []coreCase{
	{
		name: "its home is the bucket of the last view that may be its own", change: shortBucket, bucket: 1,
		in: `view v@1500
		     like v@1600`,
		want: `v@1500 like=1+100
		       like v@1600: matched, home, final`,
	},
	{
		name: "another bucket tells only of what it saw", change: shortBucket, bucket: 1,
		in: `view v@1500
		     like v@2100
		     like w@2100`,
		want: `v@1500 like=1+600
		       like v@2100: matched`,
	},
	{
		name: "a duplicate is told of at home alone", change: shortBucket, bucket: 1,
		in: `view v@1500
		     like v@2100 id=e
		     like v@2110 id=e`,
		want: `v@1500 like=1+600
		       like v@2100: matched`,
	},
	{
		name: "at home an orphan is told of, for other buckets to gainsay", change: shortBucket, bucket: 2,
		in:   `like v@2100`,
		want: `like v@2100: nothing, home`,
	},
	{
		name: "with its view's time it has one bucket, which says the last word",
		in: `view v@1000
		     like v@1500 vt=1000
		     like w@1500 vt=1000`,
		want: `v@1000 like=1+500 share=0
		       like v@1500: matched, home, final
		       like w@1500: nothing, home, final`,
	},
	{
		name: "the out-of-orderness is a margin in which a view is still known", change: outOfOrder,
		in: `view v@3000
		     like v@4499
		     like v@4500
		     like v@2500
		     like v@2499`,
		want: `v@3000 like=0
		       like v@2499: nothing, home, final
		       like v@2500: outside, home, final
		       like v@4499: outside, home, final
		       like v@4500: nothing, home, final`,
	},
}

var maturityCases = []coreCase{
	{
		name: "a log that goes on lets every view mature",
		in:   `view v@1000`, want: `v@1000 like=0 share=0 mature=3000`,
	},
	{
		name: "where the log ends before the window does, the label is immature", change: logEndsAt3000,
		in: `view v@1000
		     view w@0
		     view x@3000`,
		want: `v@1000 like=0 share=0 mature=2000
		       w@0 like=0 share=0 mature=3000
		       x@3000 like=0 share=0 mature=0`,
	},
	{
		name: "a view after the end of the log has seen nothing", change: logEndsAt3000,
		in: `view v@3001`, want: `v@3001 like=0 share=0 mature=0`,
	},
}

func TestJoin(t *testing.T) {
	for group, cases := range map[string][]coreCase{
		"window": windowCases, "credit": creditCases, "label": labelCases(), "duplicates": duplicateCases,
		"late": lateCases, "home": homeCases, "maturity": maturityCases,
	} {
		for _, c := range cases {
			t.Run(group+"/"+c.name, func(t *testing.T) {
				p := coreParams()
				if c.change != nil {
					c.change(p)
				}
				b := readBucket(t, p, c.bucket, c.in)
				want := linesOf(c.want)
				slices.Sort(want)
				joiner := NewJoiner(p)
				// The order in a bucket is that of its blocks, which means nothing.
				random := rand.New(rand.NewSource(1))
				for range 4 {
					require.Equal(t, want, joinLines(t, p, joiner, b, group == "maturity", strings.Contains(c.want, " x=")))
					random.Shuffle(len(b.Views), func(i, j int) { b.Views[i], b.Views[j] = b.Views[j], b.Views[i] })
					random.Shuffle(len(b.Engagements), func(i, j int) {
						b.Engagements[i], b.Engagements[j] = b.Engagements[j], b.Engagements[i]
					})
				}
			})
		}
	}
}

// TestSamplesComeInOrder: by time, then id, byte by byte.
func TestSamplesComeInOrder(t *testing.T) {
	p := coreParams()
	b := readBucket(t, p, 0, "view b@2\nview a@2\nview z@1\nview ab@2\nview a@500")
	var order []string
	NewJoiner(p).Join(b, &lineOutput{t: t, p: p, sample: func(s *sample.Sample) {
		order = append(order, fmt.Sprintf("%s@%d", s.ViewID, s.ViewTime))
	}})
	require.Equal(t, []string{"z@1", "a@2", "ab@2", "b@2", "a@500"}, order)
}

// TestNegativesAreSampled: positives all stay with weight 1, negatives at about the rate with
// its inverse for a weight; whether one stays follows from its id alone.
func TestNegativesAreSampled(t *testing.T) {
	p := coreParams()
	p.Keep = 0.25
	var lines []string
	const n = 4000
	for i := range n {
		lines = append(lines, fmt.Sprintf("view v%d@%d", i, i))
		if i%10 == 0 {
			lines = append(lines, fmt.Sprintf("like v%d@%d", i, i))
		}
	}
	kept := func(lines []string) (negatives []string, positives, out int) {
		o := &lineOutput{t: t, p: p}
		o.sample = func(s *sample.Sample) {
			if s.Positive {
				positives++
				require.Equal(t, []float64{1, 1}, []float64{s.Rate, s.Weight})
				return
			}
			require.Equal(t, []float64{0.25, 4}, []float64{s.Rate, s.Weight})
			negatives = append(negatives, string(s.ViewID))
		}
		NewJoiner(p).Join(readBucket(t, p, 0, strings.Join(lines, "\n")), o)
		return negatives, positives, o.sampledOut
	}
	negatives, positives, out := kept(lines)
	require.Equal(t, n/10, positives)
	require.Equal(t, n-n/10, len(negatives)+out)
	require.InDelta(t, 0.25*(n-n/10), len(negatives), 110, "four standard deviations")

	// A quarter of them by themselves, at other times: the same ones stay.
	var some []string
	for _, id := range negatives {
		some = append(some, "view "+id+"@77")
	}
	again, _, out := kept(some)
	slices.Sort(again)
	slices.Sort(negatives)
	require.Equal(t, negatives, again)
	require.Zero(t, out)
}

// TestKeepsNests: what a rate keeps every higher rate keeps, and shards have no say in it.
func TestKeepsNests(t *testing.T) {
	perShard := make([]int, 8)
	for i := range 20_000 {
		h := hashID([]byte(strconv.Itoa(i)))
		if keeps(h, 0.1) {
			require.True(t, keeps(h, 0.2))
			perShard[h%8]++
		}
		require.True(t, keeps(h, 1))
	}
	for _, n := range perShard {
		require.InDelta(t, 250, n, 65)
	}
}

// TestJoinerKeepsNothing: a bucket joined after others gives what it gives by itself.
func TestJoinerKeepsNothing(t *testing.T) {
	p := coreParams()
	used := NewJoiner(p)
	random := rand.New(rand.NewSource(3))
	for range 50 {
		var lines []string
		for range random.Intn(60) {
			kind := []string{"view", "stub", "like", "share"}[random.Intn(4)]
			lines = append(lines, fmt.Sprintf("%s v%d@%d", kind, random.Intn(20), random.Intn(5000)))
		}
		in := strings.Join(lines, "\n")
		want := joinLines(t, p, NewJoiner(p), readBucket(t, p, 0, in), true, true)
		require.Equal(t, want, joinLines(t, p, used, readBucket(t, p, 0, in), true, true))
	}
}

// TestManyIDs fills the index far beyond its first size, with ids that all fall in one shard.
func TestManyIDs(t *testing.T) {
	p := coreParams()
	var b Bucket
	for i := 0; len(b.Views) < 5000; i++ {
		id := []byte(strconv.Itoa(i))
		if hash := hashID(id); hash%64 == 5 {
			b.Views = append(b.Views, View{ID: id, Hash: hash, Time: 1000, Offset: int64(i)})
			b.Engagements = append(b.Engagements, Engagement{Kind: 0, ViewID: id, Hash: hash, Time: 1500, ViewTime: event.NoTime, Floor: event.NoTime, Offset: int64(i)})
			orphan := append([]byte("no"), id...)
			b.Engagements = append(b.Engagements, Engagement{Kind: 0, ViewID: orphan, Hash: hashID(orphan), Time: 1500, ViewTime: event.NoTime, Floor: event.NoTime, Offset: int64(i), Partition: 1})
		}
	}
	positives := 0
	o := &lineOutput{t: t, p: p, quiet: true, sample: func(s *sample.Sample) {
		require.Equal(t, int64(1), s.Labels[0].Count)
		positives++
	}}
	NewJoiner(p).Join(&b, o)
	require.Equal(t, 5000, positives)
	require.Equal(t, map[Seen]int{SeenMatched: 5000, SeenNothing: 5000}, o.seen)
}

// TestHashesThatCollide: ids are told apart by themselves where their hashes are the same.
func TestHashesThatCollide(t *testing.T) {
	p := coreParams()
	b := readBucket(t, p, 0, "view v@1000\nview w@1000\nview u@1000\nlike w@1500\nlike x@1500")
	for i := range b.Views {
		b.Views[i].Hash = 42
	}
	for i := range b.Engagements {
		b.Engagements[i].Hash = 42
	}
	require.Equal(t, []string{
		"like w@1500: matched, home, final", "like x@1500: nothing, home",
		"u@1000 like=0 share=0", "v@1000 like=0 share=0", "w@1000 like=1+500 share=0",
	}, joinLines(t, p, NewJoiner(p), b, false, false))
}

// readBucket makes a bucket of the lines described at the top of this file.
func readBucket(t *testing.T, p *Params, index int64, text string) *Bucket {
	t.Helper()
	b := &Bucket{Index: index}
	for offset, line := range linesOf(text) {
		words := strings.Fields(line)
		id, at, ok := strings.Cut(words[1], "@")
		require.True(t, ok, line)
		time, err := strconv.ParseInt(at, 10, 64)
		require.NoError(t, err, line)
		fields := map[string]string{}
		for _, w := range words[2:] {
			name, value, ok := strings.Cut(w, "=")
			require.True(t, ok, line)
			fields[name] = value
		}
		number := func(name string, otherwise int64) int64 {
			if fields[name] == "" {
				return otherwise
			}
			v, err := strconv.ParseInt(fields[name], 10, 64)
			require.NoError(t, err, line)
			return v
		}
		if words[0] == "view" || words[0] == "stub" {
			v := View{ID: []byte(id), Hash: hashID([]byte(id)), Time: time, Offset: int64(offset), Payload: []byte(fields["x"])}
			if words[0] == "stub" {
				hash := v.payloadHash()
				v.Stub, v.PayloadHash, v.Payload = true, hash, nil
			}
			b.Views = append(b.Views, v)
			continue
		}
		kind := slices.IndexFunc(p.Kinds, func(k Kind) bool { return k.Name == words[0] })
		require.GreaterOrEqual(t, kind, 0, line)
		g := Engagement{
			Kind: kind, ViewID: []byte(id), Hash: hashID([]byte(id)), Time: time, Offset: int64(offset), Partition: int32(number("p", 0)),
			Floor: number("floor", event.NoTime), ViewTime: number("vt", event.NoTime),
		}
		if fields["id"] != "" {
			g.EventID = []byte(fields["id"])
		}
		switch v := gjson.Parse(fields["value"]); {
		case v.Type == gjson.String:
			g.Value = event.Value{Kind: event.String, Text: []byte(v.String())}
		case v.Type == gjson.True:
			g.Value = event.Value{Kind: event.Bool, Int: 1}
		case v.Type == gjson.Number && strings.Contains(v.Raw, "."):
			g.Value = event.Value{Kind: event.Float, Float: v.Num}
		case v.Type == gjson.Number:
			g.Value = event.Value{Kind: event.Int, Int: v.Int()}
		}
		b.Engagements = append(b.Engagements, g)
	}
	return b
}

// joinLines joins b and returns what came out as sorted lines.
func joinLines(t *testing.T, p *Params, j *Joiner, b *Bucket, maturity, payload bool) []string {
	t.Helper()
	o := &lineOutput{t: t, p: p, maturity: maturity, payload: payload}
	j.Join(b, o)
	slices.Sort(o.lines)
	return o.lines
}

// lineOutput writes down what a Joiner hands out.
type lineOutput struct {
	t                 *testing.T
	p                 *Params
	maturity, payload bool
	quiet             bool                 // no lines
	sample            func(*sample.Sample) // instead of a line

	lines      []string
	sampledOut int
	seen       map[Seen]int
}

func (o *lineOutput) Sample(s *sample.Sample) {
	if o.sample != nil {
		o.sample(s)
		return
	}
	encoder := sample.Encoder{JSONViews: true}
	for _, k := range o.p.Kinds {
		encoder.Columns = append(encoder.Columns, sample.Column{Kind: k.Name, Func: k.Label})
	}
	read := gjson.Parse(sampleJSON(o.t, o.p, encoder.Append(nil, s)))
	line := fmt.Sprintf("%s@%d", read.Get("view_id"), read.Get("view_time").Int())
	anyDelay := false
	for _, k := range o.p.Kinds {
		line += " " + k.Name + "=" + read.Get("labels."+k.Name).Raw
		if delay := read.Get("delay_ms." + k.Name); delay.Type != gjson.Null {
			line += "+" + delay.Raw
			anyDelay = true
		}
	}
	require.Equal(o.t, anyDelay, s.Positive, "a positive is one for which something counts")
	if o.maturity {
		line += " mature=" + read.Get("maturity_ms").Raw
	}
	if o.payload {
		line += " x=" + read.Get("view").String()
	}
	o.lines = append(o.lines, line)
}

func (o *lineOutput) SampledOut() { o.sampledOut++ }

func (o *lineOutput) DuplicateView(differing bool) {
	line := "duplicate"
	if differing {
		line += " differs"
	}
	o.lines = append(o.lines, line)
}

func (o *lineOutput) Sighting(g *Engagement, s Sighting) {
	if o.seen == nil {
		o.seen = map[Seen]int{}
	}
	o.seen[s.Seen]++
	if o.quiet {
		return
	}
	names := []string{SeenNothing: "nothing", SeenDuplicate: "duplicate", SeenOutside: "outside", SeenMatched: "matched"}
	line := fmt.Sprintf("%s %s@%d: %s", o.p.Kinds[g.Kind].Name, g.ViewID, g.Time, names[s.Seen])
	if s.Home {
		line += ", home"
	}
	if s.Final {
		line += ", final"
	}
	o.lines = append(o.lines, line)
}

func linesOf(text string) (lines []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}
