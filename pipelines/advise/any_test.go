package advise

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/pipelines/job/batch"
	"tributary/pipelines/spec"
)

// begin is when the logs of tests begin.
var begin = time.Date(2026, 1, 2, 10, 0, 0, 0, time.UTC).UnixMilli()

// madeView and madeEngagement are records of a log that a test has made.
type madeView struct {
	id, key string
	time    int64
}

type madeEngagement struct {
	kind, id, name string
	time, viewTime int64
	value          int
}

// madeLog is a random log: ids that come again, clocks that are behind and ahead, records out of order, sent again, and of no view.
type madeLog struct {
	views       []madeView
	engagements []madeEngagement
}

func makeLog(r *rand.Rand, keyed bool) (l madeLog) {
	ids, keys := 10+r.IntN(30), 3+r.IntN(6)
	now := begin
	for range 20 + r.IntN(80) {
		now += r.Int64N(20_000)
		v := madeView{id: fmt.Sprintf("v%d", r.IntN(ids)), key: fmt.Sprintf("k%d", r.IntN(keys)), time: now - behind(r)}
		if r.IntN(40) == 0 {
			v.time += 50_000 // a clock that is ahead
		}
		l.views = append(l.views, v)
		for range r.IntN(3) {
			e := madeEngagement{kind: []string{"like", "buy"}[r.IntN(2)], id: fmt.Sprintf("e%d", r.IntN(60)), name: v.id, time: v.time + r.Int64N(1+r.Int64N(200_000)) - 1500, viewTime: v.time, value: r.IntN(2)}
			if keyed {
				e.name = v.key
			}
			if r.IntN(8) == 0 {
				e.name = "nobody"
			}
			if r.IntN(8) == 0 {
				e.viewTime += r.Int64N(4000) - 2000
			}
			l.engagements = append(l.engagements, e)
			if r.IntN(5) == 0 {
				e.time += r.Int64N(2) * r.Int64N(20_000)
				l.engagements = append(l.engagements, e)
			}
		}
		if r.IntN(8) == 0 {
			v.time += r.Int64N(2) * r.Int64N(20_000)
			l.views = append(l.views, v)
		}
	}
	if r.IntN(2) == 0 { // so that times meet
		for i := range l.views {
			l.views[i].time -= l.views[i].time % 5000
		}
		for i := range l.engagements {
			l.engagements[i].time -= l.engagements[i].time % 5000
			l.engagements[i].viewTime -= l.engagements[i].viewTime % 5000
		}
	}
	slices.SortStableFunc(l.engagements, func(a, b madeEngagement) int { return int(a.time + a.viewTime%7000 - b.time - b.viewTime%7000) })
	return l
}

func behind(r *rand.Rand) int64 {
	if r.IntN(6) == 0 {
		return r.Int64N(90_000)
	}
	return r.Int64N(3000)
}

// write writes the log as files of JSON lines, each a partition.
func (l *madeLog) write(t *testing.T, dir string, r *rand.Rand, withID bool) {
	t.Helper()
	files := map[string]*strings.Builder{}
	put := func(name string, format string, args ...any) {
		if files[name] == nil {
			files[name] = &strings.Builder{}
		}
		fmt.Fprintf(files[name], format+"\n", args...)
	}
	put("views0.jsonl", `{"id":"first","key":"k0","ts":%d}`, begin)
	put("acts0.jsonl", `{"kind":"none","id":"e","name":"x","ts":%d}`, begin)
	for _, v := range l.views {
		put(fmt.Sprintf("views%d.jsonl", r.IntN(2)), `{"id":%q,"key":%q,"ts":%d}`, v.id, v.key, v.time)
	}
	for _, e := range l.engagements {
		id := ""
		if withID && r.IntN(6) > 0 {
			id = fmt.Sprintf(`"id":%q,`, e.id)
		}
		put(fmt.Sprintf("acts%d.jsonl", r.IntN(2)), `{"kind":%q,%s"name":%q,"ts":%d,"vts":%d,"value":%d}`, e.kind, id, e.name, e.time, e.viewTime, e.value)
	}
	for name, text := range files {
		require.NoError(t, os.WriteFile(dir+"/"+name, []byte(text.String()), 0o600))
	}
}

// anySpec is a random spec of such a log.
func anySpec(t *testing.T, r *rand.Rand) (*spec.Spec, madeLog, bool) {
	t.Helper()
	dir := t.TempDir()
	keyed, viewTime, withID := r.IntN(3) == 0, r.IntN(3) == 0, r.IntN(2) == 0
	l := makeLog(r, keyed)
	l.write(t, dir, r, withID)
	var b strings.Builder
	const at = "time: {field: ts, unit: epoch-millis}"
	order := []string{"file", "file", "file", "none"}[r.IntN(4)]
	key, named := "", "view: name"
	if keyed {
		key, named = ", key: key", "key: name"
	}
	if viewTime {
		named += ", view_time: {field: vts, unit: epoch-millis}"
	}
	if withID {
		named += ", id: id"
	}
	if keyed && r.IntN(4) > 0 {
		named += ", credit: " + []string{"last", "first", "all", "even"}[r.IntN(4)]
	}
	fmt.Fprintf(&b, "views: {inputs: [{path: views*.jsonl, order: %s}], id: id%s, %s, dedup_window: %ds}\nengagements:\n", order, key, at, r.IntN(30))
	for _, kind := range []string{"like", "buy"} {
		fmt.Fprintf(&b, "  %s: {inputs: [{path: acts*.jsonl, order: %s}], where: {kind: %s}, %s, %s, window: %ds, label: {sum: value}}\n", kind, order, kind, named, at, 5+r.IntN(150))
	}
	fmt.Fprintf(&b, "out_of_orderness: %ds\nclock_skew: %ds\noutputs: {samples: {path: out, format: json}}\n", r.IntN(40), r.IntN(3))
	s, err := spec.Parse(dir+"/spec.yaml", []byte(b.String()))
	require.NoError(t, err, b.String())
	return s, l, keyed
}

// whole makes whole steps of most times, and just less of some.
func whole(r *rand.Rand, n int64) int64 {
	switch r.IntN(4) {
	case 0:
		return n
	case 1:
		return max(1, (n+4999)/5000*5000-1)
	default:
		return (n + 4999) / 5000 * 5000
	}
}

// TestAnyTimes tries times that nobody would advise on logs that nobody would write: what is said of them is what a join counts.
func TestAnyTimes(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 1))
		s, _, _ := anySpec(t, r)
		in, err := batch.OpenWhole(t.Context(), s, batch.WholeOptions{})
		require.NoError(t, err)
		l, err := read(t.Context(), in, DefaultEvents)
		require.NoError(t, err)
		a := &advisor{log: l, spec: s, horizon: 1000}
		for range 2 {
			other := *s
			other.Engagements = slices.Clone(s.Engagements)
			windows := []int64{}
			for i := range other.Engagements {
				windows = append(windows, whole(r, 1+r.Int64N(200_000)))
				other.Engagements[i].Window = ms(windows[i])
			}
			other.OutOfOrderness = ms(whole(r, r.Int64N(2)*r.Int64N(100_000)))
			one := a.trial(windows, other.OutOfOrderness.Milliseconds())
			require.NoError(t, a.run(t.Context(), []*trial{one}))
			o := one.outcome(l)
			equal(t, fmt.Sprintf("seed %d, %s", seed, other.YAML()), &o, joined(t, &other))
		}
	}
}

// TestHeavyIDs has all views of one id, and all engagements of it, each sent many times: what is judged pair by pair does not end.
func TestHeavyIDs(t *testing.T) {
	const many = 30_000
	for _, viewTime := range []string{"", `,"vts":%[1]d`} {
		dir := t.TempDir()
		var views, likes strings.Builder
		for i := range int64(many) {
			fmt.Fprintf(&views, `{"id":"unknown","ts":%d}`+"\n", begin+10*i)
			fmt.Fprintf(&likes, `{"view":"unknown","id":"e%d","ts":%[2]d`+strings.ReplaceAll(viewTime, "[1]", "[3]")+"}\n", i/50, begin+10*i+5*(i%7), begin+10*i)
		}
		require.NoError(t, os.WriteFile(dir+"/views.jsonl", []byte(views.String()), 0o600))
		require.NoError(t, os.WriteFile(dir+"/likes.jsonl", []byte(likes.String()), 0o600))
		named := "view: view"
		if viewTime != "" {
			named += ", view_time: {field: vts, unit: epoch-millis}"
		}
		const at = "time: {field: ts, unit: epoch-millis}"
		s, err := spec.Parse(dir+"/spec.yaml", []byte("views: {inputs: [{path: views.jsonl, order: file}], id: id, dedup_window: 9ms, "+at+"}\n"+
			"engagements: {like: {inputs: [{path: likes.jsonl, order: file}], "+named+", id: id, "+at+", window: 1m}}\nclock_skew: 100ms\noutputs: {samples: {path: out, format: json}}\n"))
		require.NoError(t, err)
		r, err := Run(t.Context(), s, Options{})
		require.NoError(t, err)
		equal(t, "heavy", &r.Now.Outcome, joined(t, s))
	}
}

// TestSharesByBruteForce counts, in loops over all pairs, the engagements that come within a window of the last view before them, of
// views that are old enough.
func TestSharesByBruteForce(t *testing.T) {
	some := 0
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 2))
		s, made, keyed := anySpec(t, r)
		s.Views.DedupWindow = 0 // the same event twice is two here: which is which the join tells
		for i := range s.Engagements {
			s.Engagements[i].ID, s.Engagements[i].ViewTime = nil, nil
		}
		in, err := batch.OpenWhole(t.Context(), s, batch.WholeOptions{})
		require.NoError(t, err)
		l, err := read(t.Context(), in, DefaultEvents)
		require.NoError(t, err)
		horizon := max(1, (l.end-l.first)/3)
		windows := []int64{1, 1000, 5000, 10_000, 30_000, horizon}
		slices.Sort(windows)
		d := newDelays(l, windows, horizon)
		l.groups(d.take)
		skew := s.ClockSkew.Milliseconds()
		for kind, e := range s.Engagements {
			whole, in := 0, make([]int, len(windows))
			seen := map[string]bool{}
			for _, g := range made.engagements {
				same := fmt.Sprint(g.kind, g.name, g.time, g.value)
				last := int64(math.MinInt64)
				for _, v := range append([]madeView{{"first", "k0", begin}}, made.views...) {
					if (v.id == g.name && !keyed || v.key == g.name && keyed) && v.time <= g.time+skew {
						last = max(last, v.time)
					}
				}
				if g.kind != e.Kind || last == math.MinInt64 || last > l.end-horizon || g.time-last >= horizon || seen[same] {
					continue
				}
				seen[same] = true
				whole++
				for i, w := range windows {
					if g.time < last+w {
						in[i]++
					}
				}
			}
			for i := range windows {
				share := d.kinds[kind].ratios[i].share()
				if whole == 0 {
					require.Nil(t, share)
					continue
				}
				some++
				require.EqualValues(t, whole, share.Of, "seed %d", seed)
				require.InDelta(t, float64(in[i])/float64(whole), share.Value, 1e-12, "seed %d window %d", seed, windows[i])
				require.LessOrEqual(t, share.Low, share.Value)
				require.GreaterOrEqual(t, share.High, share.Value)
			}
		}
	}
	require.Greater(t, some, 100)
}
