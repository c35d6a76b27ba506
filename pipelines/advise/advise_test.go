package advise

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/stretchr/testify/require"

	"tributary/pipelines/job/batch"
	"tributary/pipelines/sim/generate/generatetest"
	"tributary/pipelines/spec"
	"tributary/transforms/account"
)

func TestMain(m *testing.M) {
	flag.Parse()
	beam.Init()
	os.Exit(m.Run())
}

// hard is a spec of input in which all goes wrong that can.
func hard(t *testing.T, views int64) *spec.Spec {
	t.Helper()
	return hardOver(t, views, 12*time.Minute)
}

// hardOver is that of views over some time.
func hardOver(t *testing.T, views int64, over time.Duration) *spec.Spec {
	t.Helper()
	dir := generatetest.Hard(t, views, over)
	s, err := spec.Load(dir + "/spec.yaml")
	require.NoError(t, err)
	return s
}

// joined runs the join of a spec into a folder of its own, and returns its accounts.
func joined(t *testing.T, s *spec.Spec) *account.Sheet {
	t.Helper()
	to := t.TempDir()
	moved := *s
	o := &moved.Outputs
	o.Samples.Path, o.Late, o.DeadLetters, o.Accounts = to+"/samples", to+"/late", to+"/dead", to+"/accounts"
	r, err := batch.Run(t.Context(), &moved, batch.Options{})
	require.NoError(t, err)
	require.NoError(t, r.Accounts.Check())
	return r.Accounts
}

// equal holds an outcome against the accounts of the join that it is of.
func equal(t *testing.T, what string, o *Outcome, got *account.Sheet) {
	t.Helper()
	want, have := []string{}, []string{}
	add := func(name string, predicted float64, counted int64) {
		want, have = append(want, fmt.Sprintf("%s %v", name, counted)), append(have, fmt.Sprintf("%s %v", name, predicted))
	}
	v := &got.Views
	add("samples", o.Samples.N, v.N[account.Samples]+v.N[account.SampledOut])
	add("duplicates", o.DuplicateViews.N, v.N[account.Duplicates])
	add("late", o.LateViews.N, v.N[account.Late])
	if o.Positives != nil {
		add("positives", o.Positives.N, v.N[account.Positives])
	}
	for i := range o.Kinds {
		k := &o.Kinds[i]
		e := got.Engagements[k.Name]
		add(k.Name+" caught", k.Caught.N, e.N[account.Matched])
		add("outside", k.Outside.N, e.N[account.Outside])
		add("orphans", k.Orphans.N, e.N[account.Orphans])
		add("duplicates", k.Duplicates.N, e.N[account.Duplicates])
		add("late", k.Late.N, e.N[account.Late])
		if k.Positives != nil {
			add("positives", k.Positives.N, e.N[account.Positives])
		}
	}
	require.Equal(t, want, have, what)
}

// TestRowsAreTheAccounts joins the same input once for each row, with the times of that row alone changed: every number is what its accounts
// say.
func TestRowsAreTheAccounts(t *testing.T) {
	s := hard(t, 1200)
	r, err := Run(t.Context(), s, Options{})
	require.NoError(t, err)
	equal(t, "now", &r.Now.Outcome, joined(t, s))
	some := map[string]bool{}
	for i := range r.Kinds {
		require.Greater(t, len(r.Kinds[i].Windows), 3)
		for k := range r.Kinds[i].Windows {
			row, other := &r.Kinds[i].Windows[k], *s
			other.Engagements = slices.Clone(s.Engagements)
			other.Engagements[i].Window = ms(row.WindowMs)
			equal(t, r.Kinds[i].Kind+" "+short(row.WindowMs), &row.Outcome, joined(t, &other))
			some[fmt.Sprint(row.Outcome.Kinds[i].Caught.N)] = true
		}
	}
	require.Greater(t, len(some), 6, "rows differ")
	require.Greater(t, len(r.Disorder), 4)
	require.Greater(t, r.Disorder[0].Outcome.late(), r.Now.Outcome.late())
	for i := range r.Disorder {
		row, other := &r.Disorder[i], *s
		other.OutOfOrderness = ms(row.OutOfOrdernessMs)
		equal(t, "out of order "+short(row.OutOfOrdernessMs), &row.Outcome, joined(t, &other))
	}
}

// TestTakeTheAdvice changes the lines that are to be changed, and joins the same input again.
func TestTakeTheAdvice(t *testing.T) {
	s := hardOver(t, 2000, time.Hour)
	r, err := Run(t.Context(), s, Options{Late: 0.002})
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(r.Advice), 3, "%+v", r.Advice)
	for i := range r.Kinds {
		rows := r.Kinds[i].Windows
		at := slices.IndexFunc(rows, func(row WindowRow) bool { return row.Advised })
		require.GreaterOrEqual(t, rows[at].Share.Value, 0.99)
		require.Positive(t, at)
		require.Less(t, rows[at-1].Share.Value, 0.99)
	}
	require.LessOrEqual(t, r.After.Outcome.late(), 0.002*float64(r.Read.Views+r.Read.Engagements))
	text, err := os.ReadFile(s.File)
	require.NoError(t, err)
	lines := strings.Split(string(text), "\n")
	for _, one := range r.Advice {
		require.Equal(t, lines[one.Line-1], one.Now)
		lines[one.Line-1] = one.Then
	}
	again, err := spec.Parse(s.File, []byte(strings.Join(lines, "\n")))
	require.NoError(t, err)
	require.NotNil(t, r.After)
	equal(t, "after", &r.After.Outcome, joined(t, again))
	require.NotEqual(t, r.Now.Outcome, r.After.Outcome)

	// It is taken: there is nothing more to advise.
	then, err := Run(t.Context(), again, Options{Late: 0.002})
	require.NoError(t, err)
	require.Equal(t, r.After.Outcome.Kinds[0].Caught, then.Now.Outcome.Kinds[0].Caught)
	require.Equal(t, r.After.Cost, then.Now.Cost)
	require.Empty(t, then.Advice)
}

// TestAdviceNeedsEvidence: what there is stays unless the bounds say otherwise, and where engagements go on to come no window is advised.
func TestAdviceNeedsEvidence(t *testing.T) {
	a := &advisor{horizon: 1000, opt: Options{Catch: 0.9}}
	row := func(window int64, low, value, high float64) WindowRow {
		return WindowRow{WindowMs: window, Share: &Share{Value: value, Low: low, High: high}}
	}
	for name, one := range map[string]struct {
		rows      []WindowRow
		now, want int
	}{
		"it misses":                      {[]WindowRow{row(10, 0.5, 0.6, 0.7), row(20, 0.85, 0.91, 0.95), row(30, 0.98, 0.99, 1)}, 0, 1},
		"it may be enough":               {[]WindowRow{row(10, 0.5, 0.8, 0.91), row(20, 0.95, 0.97, 0.99)}, 0, 0},
		"less is enough":                 {[]WindowRow{row(10, 0.5, 0.6, 0.7), row(20, 0.91, 0.95, 0.97), row(30, 0.98, 0.99, 1)}, 2, 1},
		"less may be enough":             {[]WindowRow{row(10, 0.5, 0.6, 0.7), row(20, 0.85, 0.95, 0.97), row(30, 0.98, 0.99, 1)}, 2, 2},
		"too near the end of the data":   {[]WindowRow{row(10, 0.5, 0.6, 0.7), row(501, 0.98, 0.99, 1)}, 0, -1},
		"as long as can be told":         {[]WindowRow{row(10, 0.5, 0.6, 0.7), row(500, 0.98, 0.99, 1)}, 0, 1},
		"nothing can be told of longer":  {[]WindowRow{row(10, 0.5, 0.6, 0.7), {WindowMs: 2000}}, 0, -1},
		"it is long, and may be shorter": {[]WindowRow{row(10, 0.92, 0.95, 0.97), row(900, 1, 1, 1)}, 1, 0},
	} {
		require.Equal(t, one.want, a.bestWindow(one.rows, one.now), name)
	}
}
