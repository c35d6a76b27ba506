package attribution

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/io/record"
	"tributary/transforms/account"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/label"
)

// drawStages draws stages before the whole join, and makes its buckets hold those of the last of them.
func drawStages(t *rapid.T, p *rules.Params) {
	longest := p.LongestWindow()
	if longest < 2 {
		return
	}
	emits := []rules.Emit{rules.EmitAll, rules.EmitChanged, rules.EmitPositives}
	bucket, closes := rapid.Int64Range(1, 20).Draw(t, "first bucket"), int64(0)
	afters := rapid.SliceOfNDistinct(rapid.Int64Range(1, longest-1), 1, 3, rapid.ID[int64]).Draw(t, "afters")
	slices.Sort(afters)
	for i, after := range afters {
		s := rules.Stage{
			Name: string(rune('1' + i)), After: after, Bucket: bucket, Shards: rapid.IntRange(1, 5).Draw(t, "shards of the stage"), Emit: rapid.SampledFrom(emits).Draw(t, "emit"),
			OutOfOrderness: rapid.Int64Range(min(p.OutOfOrderness, max(0, closes-after)), p.OutOfOrderness).Draw(t, "stage's out of orderness"),
		}
		closes = s.After + s.OutOfOrderness
		p.Stages = append(p.Stages, s)
		bucket *= rapid.Int64Range(1, 4).Draw(t, "buckets in one")
	}
	p.Bucket = bucket
	last := rules.Stage{Name: "all", After: longest, Bucket: bucket, Shards: p.Shards, OutOfOrderness: p.OutOfOrderness, Emit: rapid.SampledFrom(emits[:2]).Draw(t, "last emit")}
	p.Stages = append(p.Stages, last)
	p.Stage = len(p.Stages) - 1
	require.NoError(t, p.Validate())
}

// referenceStages joins for every stage the slow and obvious way, and remembers what it has said.
func referenceStages(p *rules.Params, log []*rec) (given [][]want, sheet *account.Sheet) {
	said := map[position]want{} // what was given of a view and not taken back
	for stage := range p.StageCount() {
		of := p.OfStage(stage)
		of.Keep = 1
		begun := begun(&of, log)
		samples, _ := reference(&of, begun)
		out := []want{}
		for _, s := range samples {
			at := keptAt(begun, s)
			before, ever := said[at]
			s.Rate = 1
			kept := s.Positive
			if !s.Positive {
				s.Rate, kept = p.Keep, p.Keep == 1 || rules.Keeps(rules.HashID([]byte(s.ID)), p.Keep)
			}
			give := kept && (!ever || !slices.Equal(before.Labels, s.Labels) || !slices.Equal(before.Delays, s.Delays))
			switch of.Emits() {
			case rules.EmitAll:
				give = kept
			case rules.EmitPositives:
				give = give && s.Positive
			case rules.EmitChanged:
			}
			switch {
			case give:
				out = append(out, s)
				said[at] = s
			case !kept && ever && of.Emits() != rules.EmitPositives:
				s.Withdrawn = true
				out = append(out, s)
				delete(said, at)
			}
		}
		given = append(given, out)
	}
	_, sheet = reference(p, log)
	return given, sheet
}

type position struct {
	partition int32
	offset    int64
}

// keptAt is where the view of a sample stands in a log that the reference has joined.
func keptAt(log []*rec, s want) position {
	for _, r := range log {
		if r.view && r.outcome == "kept" && cmp.Or(r.own, r.id) == s.ID && r.time == s.Time {
			return position{r.partition, r.offset}
		}
	}
	panic("a sample without a view")
}

// begun is the log of a stage, which takes no views before it begins.
func begun(p *rules.Params, log []*rec) (out []*rec) {
	for _, r := range log {
		one := *r
		if r.view && r.time < p.Begins() {
			one.unseen = true
		}
		out = append(out, &one)
	}
	return out
}

// TestStagesEqualReference holds every stage against the reference, whatever may not matter: what comes when, cuts, shards.
func TestStagesEqualReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		origin := drawOrigin(t)
		p := drawParams(t, origin)
		drawStages(t, p)
		p.Marked = rapid.Bool().Draw(t, "marked")
		log := drawLog(t, p, origin)
		want, sheet := referenceStages(p, log)
		got := runInMemory(t, p, log, rapid.Int64().Draw(t, "seed"))
		for i, s := range append(got.early, got.staged) {
			require.Equal(t, want[i], append(want[i][:0:0], s.samples...), "stage %d of %+v, log:\n%s", i, p.Stages, describe(log))
		}
		requireSameOutcomes(t, sheet, got.sheet, log)
		require.NoError(t, got.sheet.Check())
	})
}

// TestLastStageIsTheJoin: what a join with stages has said in the end is what one without says, in every field but those of stages.
func TestLastStageIsTheJoin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		origin := drawOrigin(t)
		p := drawParams(t, origin)
		drawStages(t, p)
		log := drawLog(t, p, origin)
		plain := *p
		plain.Stages, plain.Stage = nil, 0
		whole := runInMemory(t, &plain, log, 1)
		got := runInMemory(t, p, log, rapid.Int64().Draw(t, "seed"))
		type view struct {
			id   string
			time int64
		}
		newest := map[view]want{}
		for _, s := range append(got.early, got.staged) {
			for _, one := range s.samples {
				newest[view{one.ID, one.Time}] = one
			}
		}
		// A view that came late, and is kept in place of a duplicate, overrules that.
		for at, one := range newest {
			if one.Withdrawn {
				delete(newest, at)
			}
		}
		for _, s := range whole.samples {
			require.Equal(t, s, newest[view{s.ID, s.Time}], "log:\n%s", describe(log))
		}
		requireSameOutcomes(t, whole.sheet, got.sheet, log)
	})
}

// TestRareStages has what generated logs hardly ever come to. Likes are of partition 1, views of partition 0.
func TestRareStages(t *testing.T) {
	view := func(id string, at int64) *rec {
		return &rec{ordered: true, view: true, kind: rules.Views, id: id, time: at, viewTime: record.NoTime, payload: fmt.Sprintf(`{"id":%q,"t":%d}`, id, at)}
	}
	like := func(id string, at int64, event string) *rec {
		return &rec{partition: 1, ordered: true, id: id, time: at, viewTime: record.NoTime, eventID: event}
	}
	dropped, n := "", 0
	for ; dropped == ""; n++ {
		if id := fmt.Sprint("d", n); !rules.Keeps(rules.HashID([]byte(id)), 0.5) {
			dropped = id
		}
	}
	for _, tt := range []struct {
		name string
		edit func(p *rules.Params)
		log  []*rec
		want [][]string
	}{
		{
			// The like at 8 is late for every view that it may refer to, by the first stage, and makes no other a duplicate there.
			name: "late for all views of a stage",
			log:  []*rec{view("a", 10), like("z", 29, "z"), like("a", 8, "e"), like("a", 12, "e")},
			want: [][]string{{"a[1]"}, {"a[0]"}},
		},
		{
			name: "a positive becomes a negative that is not kept",
			edit: func(p *rules.Params) { p.Keep = 0.5 },
			log:  []*rec{view(dropped, 10), like(dropped, 12, "e"), like("z", 45, "z"), like(dropped, 8, "e")},
			want: [][]string{{dropped + "[1]"}, {dropped + "[0] taken back"}},
		},
		{
			name: "a stage of positives takes nothing back",
			edit: func(p *rules.Params) {
				p.Keep = 0.5
				p.Stages = slices.Insert(p.Stages, 1, rules.Stage{Name: "50ms", After: 50, Bucket: 10, Shards: 1, Emit: rules.EmitPositives})
				p.Stage = 2
			},
			log:  []*rec{view(dropped, 10), like(dropped, 12, "e"), like("z", 45, "z"), like(dropped, 8, "e")},
			want: [][]string{{dropped + "[1]"}, nil, {dropped + "[0] taken back"}},
		},
		{
			// The twin was late for the first stage alone, so the second took the view for a duplicate of it and said nothing.
			name: "a twin hides a view from a stage",
			edit: func(p *rules.Params) {
				p.Stages = slices.Insert(p.Stages, 1, rules.Stage{Name: "50ms", After: 50, Bucket: 10, Shards: 1, Emit: rules.EmitChanged})
				p.Stage = 2
			},
			log:  []*rec{view(twins[0], 30), like(twins[0], 31, "e"), view("z", 60), view(twins[1], 25)},
			want: [][]string{{twins[0] + "[1]", "z[0]"}, {twins[1] + "[0]"}, nil},
		},
		{
			// The first label says the same in both stages, and is said again with the other.
			name: "another label of the kind changes",
			edit: func(p *rules.Params) {
				p.Kinds[0].Label, p.Kinds[0].Labels = "", []rules.Label{{Name: "any", Func: label.Binary}, {Name: "many", Func: label.Count}}
				for i := range p.Inputs {
					if in := &p.Inputs[i]; in.Kind == 0 {
						in.Value, in.Values = "", make([]string, 2)
					}
				}
			},
			log:  []*rec{view("a", 30), like("a", 31, "e"), like("a", 55, "f")},
			want: [][]string{{"a[1 1]"}, {"a[1 2]"}},
		},
		{
			// Its bucket would be closed before the epoch.
			name: "a view at the beginning of time",
			edit: func(p *rules.Params) { p.OutOfOrderness, p.Stages[1].OutOfOrderness, p.Stages[0].Bucket = 50, 50, 1 },
			log:  []*rec{view("a", 29), view("b", 30)},
			want: [][]string{{"b[0]"}, {"a[0]"}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := stagedParams()
			if tt.edit != nil {
				tt.edit(p)
			}
			require.NoError(t, p.Validate())
			next := map[int32]int64{}
			for _, r := range tt.log {
				r.offset = next[r.partition]
				next[r.partition]++
			}
			reference, _ := referenceStages(p, tt.log)
			for seed := range int64(20) {
				got := runInMemory(t, p, tt.log, seed)
				for i, s := range append(got.early, got.staged) {
					var given []string
					for _, one := range s.samples {
						text := fmt.Sprint(one.ID, one.Labels)
						if one.Withdrawn {
							text += " taken back"
						}
						given = append(given, text)
					}
					require.Equal(t, tt.want[i], given, "stage %d", i)
					require.Equal(t, reference[i], append([]want{}, s.samples...))
				}
				require.NoError(t, got.sheet.Check())
			}
		})
	}
}
