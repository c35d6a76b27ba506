package bucket

import (
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/io/record"
	"tributary/transforms/attribution/attributiontest"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/label"
	"tributary/transforms/sample"
)

// TestOneIDForEverything: a producer that gives one id to all it has costs no look at every
// engagement for every view, sorted anew each time: that would be hours.
func TestOneIDForEverything(t *testing.T) {
	const n = 20_000
	for _, own := range []bool{false, true} {
		for _, late := range []bool{false, true} {
			t.Run(fmt.Sprintf("own ids %v, late %v", own, late), func(t *testing.T) {
				p := attributiontest.Params()
				p.Bucket, p.DedupWindow = 30*24*3_600_000, 10_000
				p.Kinds[0].Window, p.Kinds[1].Window = 60_000, 60_000
				var b Bucket
				b.Reset(0)
				id := []byte("unknown")
				for i := range int64(n) {
					b.Views = append(b.Views, View{ID: id, Hash: rules.HashID(id), Time: i * 11_000, Offset: i})
					g := Engagement{ViewID: id, Hash: rules.HashID(id), Time: i * 11_000, Offset: i, Partition: 1, ClosedThrough: record.NoTime, ViewTime: record.NoTime}
					if own {
						g.EventID = fmt.Append(nil, i*7919%n) // in another order than in time
					}
					if late && i == n-1 {
						g.ClosedThrough = 5 // the first view had closed when this was read
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
				require.Equal(t, map[Outcome]int{OutcomeMatched: n}, o.seen)
			})
		}
	}
}

// TestOneIDIsNLogN: what one id costs grows as n log n even if every window holds all that there
// is, for every label and credit.
func TestOneIDIsNLogN(t *testing.T) {
	// few views of many engagements, and the other way round, cost no more
	for _, size := range [][2]int{{2_000, 40_000}, {20_000, 100_000}, {100_000, 200_000}, {20, 50_000}, {3, 50_000}, {100_000, 20}} {
		for _, own := range []bool{false, true} {
			for _, twice := range []bool{false, true} {
				if size[0] == 100_000 && own != twice {
					continue // takes long, and differs in nothing
				}
				t.Run(fmt.Sprintf("%d views, %d engagements, own ids %v, twice %v", size[0], size[1], own, twice), func(t *testing.T) {
					p := attributiontest.Params()
					p.Kinds = nil
					for i, label := range attributiontest.Labels {
						credit := []rules.Count{rules.CountAll, rules.CountFirst, rules.CountAll, rules.CountAll, rules.CountAll, rules.CountAll, rules.CountLast, rules.CountAll}[i]
						p.Kinds = append(p.Kinds, rules.Kind{Name: string(label), Window: 30 * 86_400_000, Label: label, Count: credit})
					}
					p.Bucket, p.DedupWindow = 30*86_400_000, 10_000
					b := oneID(p, size[0], size[1], own, twice)
					j := NewJoiner(p)
					samples := 0
					j.Join(b, &lineOutput{t: t, p: p, quiet: true, sample: func(*sample.Sample) { samples++ }})
					require.Equal(t, size[0], samples)
					n := int64(len(b.Views) + len(b.Engagements))
					require.Less(t, j.steps, 5*n*int64(bits.Len64(uint64(n))))
				})
			}
		}
	}
}

// TestOneKeyIsNLogN: no more does a key that many views share, whichever of them have its engagements.
func TestOneKeyIsNLogN(t *testing.T) {
	for _, size := range [][2]int{{2_000, 40_000}, {20_000, 100_000}, {100_000, 20}} {
		for _, credit := range []rules.Credit{rules.CreditLast, rules.CreditFirst, rules.CreditEven, "after"} {
			t.Run(fmt.Sprintf("%d views, %d engagements, %s", size[0], size[1], credit), func(t *testing.T) {
				p := attributiontest.Params()
				p.Inputs = []rules.Input{{Kind: rules.Views, ID: "id", Key: []string{"key"}}}
				p.Kinds = nil
				for _, f := range []label.Func{label.Sum, label.BinaryParts} {
					p.Kinds = append(p.Kinds, rules.Kind{Name: string(f), Window: 30 * 86_400_000, Label: f, Count: rules.CountAll, Credit: credit})
				}
				if credit == "after" {
					first, then := &p.Kinds[0], &p.Kinds[1]
					first.Credit, then.Credit, then.After, then.Otherwise = rules.CreditFirst, rules.CreditLast, first.Name, true
				}
				p.Bucket, p.DedupWindow = 30*86_400_000, 10_000
				b := oneID(p, size[0], size[1], false, true)
				for i := range b.Views {
					v := &b.Views[i]
					v.Key, v.ID, v.ClosedThrough = v.ID, fmt.Append(nil, i), record.NoTime
				}
				j := NewJoiner(p)
				j.Join(b, &lineOutput{t: t, p: p, quiet: true, sample: func(*sample.Sample) {}})
				n := int64(len(b.Views) + len(b.Engagements))
				require.Less(t, j.steps, 5*n*int64(bits.Len64(uint64(n))))
			})
		}
	}
}

// oneID makes a bucket of views 11 s apart, and of engagements evenly spread over the same time.
func oneID(p *rules.Params, views, engagements int, own, twice bool) *Bucket {
	b := &Bucket{}
	id := []byte("unknown")
	for i := range int64(views) {
		b.Views = append(b.Views, View{ID: id, Hash: rules.HashID(id), Time: i * 11_000, Offset: i})
	}
	for i := range int64(engagements) {
		g := Engagement{
			ViewID: id, Hash: rules.HashID(id), Kind: int(i) % len(p.Kinds), Time: i * int64(views) * 11_000 / int64(engagements), Offset: i, Partition: 1,
			ClosedThrough: record.NoTime, ViewTime: record.NoTime, Value: record.Value{Kind: record.Float, Float: float64(i) / 10},
		}
		if own {
			g.EventID = fmt.Append(nil, i*7919%int64(engagements)) // in another order than in time
		}
		b.Engagements = append(b.Engagements, g)
		if twice {
			g.Partition = 2
			b.Engagements = append(b.Engagements, g)
		}
	}
	return b
}

// TestHeavyIsAsLight: an id is joined alike whether it is heavy or not, to the last bit: that
// depends on how much of it falls into a bucket.
func TestHeavyIsAsLight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := attributiontest.Params()
		p.ClockSkew = rapid.Int64Range(0, 20).Draw(t, "skew")
		p.DedupWindow = rapid.Int64Range(0, 100).Draw(t, "duplicates within")
		p.Kinds = nil
		for range rapid.IntRange(1, 3).Draw(t, "kinds") {
			p.Kinds = append(p.Kinds, rules.Kind{
				Name: string(rune('a' + len(p.Kinds))), Window: rapid.Int64Range(1, 2000).Draw(t, "window"),
				Label: rapid.SampledFrom(attributiontest.Labels).Draw(t, "label"), Count: rapid.SampledFrom([]rules.Count{rules.CountAll, rules.CountFirst, rules.CountLast}).Draw(t, "credit"),
			})
			for i := range rapid.IntRange(0, 3).Draw(t, "several labels") {
				k := &p.Kinds[len(p.Kinds)-1]
				k.Labels = append(k.Labels, rules.Label{Name: fmt.Sprint(k.Name, i), Func: rapid.SampledFrom(attributiontest.Labels).Draw(t, "label")})
			}
		}
		b := &Bucket{}
		id := []byte("v")
		for i := range rapid.Int64Range(1, 30).Draw(t, "views") {
			b.Views = append(b.Views, View{ID: id, Hash: rules.HashID(id), Time: rapid.Int64Range(0, 3000).Draw(t, "view"), Offset: i})
		}
		for i := range rapid.Int64Range(1, 60).Draw(t, "engagements") {
			b.Engagements = append(b.Engagements, drawHeavyEngagement(t, p, id, i))
		}
		join := func(heavyFrom int) *bytesOutput {
			j := NewJoiner(p)
			j.HeavyFrom = heavyFrom
			o := newBytesOutput(p)
			j.Join(b, o)
			return o
		}
		require.Equal(t, join(math.MaxInt), join(1))
	})
}

func drawHeavyEngagement(t *rapid.T, p *rules.Params, id []byte, offset int64) Engagement {
	g := Engagement{
		ViewID: id, Hash: rules.HashID(id), Kind: rapid.IntRange(0, len(p.Kinds)-1).Draw(t, "kind"), Time: rapid.Int64Range(0, 4000).Draw(t, "time"),
		Offset: offset, Partition: 1, ClosedThrough: record.NoTime, ViewTime: record.NoTime,
	}
	if rapid.Bool().Draw(t, "late") {
		g.ClosedThrough = rapid.Int64Range(0, 3000).Draw(t, "closed through")
	}
	if rapid.IntRange(0, 4).Draw(t, "has view time") == 0 {
		g.ViewTime = rapid.Int64Range(0, 3000).Draw(t, "view time")
	}
	if rapid.Bool().Draw(t, "own id") {
		g.EventID = []byte(rapid.SampledFrom([]string{"e", "f", "g"}).Draw(t, "event id"))
	}
	if labels := p.Kinds[g.Kind].Labels; labels != nil {
		var values []record.Value
		for _, l := range labels {
			values = append(values, drawHeavyValue(t, l.Func))
		}
		g.Value = Pack(values, nil)
	} else {
		g.Value = drawHeavyValue(t, p.Kinds[g.Kind].Label)
	}
	return g
}

func drawHeavyValue(t *rapid.T, label label.Func) record.Value {
	switch rapid.IntRange(0, 4).Draw(t, "value") {
	case 0:
	case 1:
		return record.Value{Kind: record.Int, Int: rapid.Int64Range(-3, 3).Draw(t, "int")}
	case 2:
		if label.Exact() {
			n := big.NewInt(rapid.Int64Range(0, 1000).Draw(t, "unscaled"))
			return record.Value{Kind: record.Decimal, Int: rapid.Int64Range(0, 5).Draw(t, "scale"), Text: append([]byte{0}, n.Bytes()...)}
		}
	default:
		return record.Value{Kind: record.Float, Float: drawDouble(t)}
	}
	return record.Value{}
}

// bytesOutput keeps all that a Joiner hands out.
type bytesOutput struct {
	encoder   *sample.Encoder
	Samples   [][]byte
	Sightings []string
	Overflows map[int]int64
}

func newBytesOutput(p *rules.Params) *bytesOutput {
	o := &bytesOutput{encoder: &sample.Encoder{JSONViews: true}, Overflows: map[int]int64{}}
	o.encoder.Columns = p.Columns()
	return o
}

func (o *bytesOutput) Sample(s *sample.Sample, _ bool) {
	o.Samples = append(o.Samples, o.encoder.Append(nil, s))
}
func (o *bytesOutput) SampledOut()                   {}
func (o *bytesOutput) Withdraw(*sample.Sample)       {}
func (o *bytesOutput) Corrected(int)                 {}
func (o *bytesOutput) DuplicateView(_, _ bool)       {}
func (o *bytesOutput) ResentView()                   {}
func (o *bytesOutput) Overflow(kind int, sums int64) { o.Overflows[kind] += sums }
func (o *bytesOutput) PartialOutcome(g *Engagement, s PartialOutcome) {
	o.Sightings = append(o.Sightings, fmt.Sprint(g.Offset, s))
}
