package metrics

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/transforms/account"
)

// bounded are all labels there may be: a spec, topics and this code say how many values each has.
var bounded = []string{"stream", "input", "kind", "outcome", "count", "stage", "sink", "severity", "topic", "partition", "result", "class", "source", "version"}

// TestConventions: names and help are as Prometheus' practices want them.
func TestConventions(t *testing.T) {
	require.Greater(t, len(Table()), 40)
	for _, m := range Table() {
		assert.Regexp(t, `^tributary_[a-z]+(_[a-z]+)*$`, m.Name)
		assert.Equal(t, m.Type == Counter, strings.HasSuffix(m.Name, "_total"), "%s: counters and nothing else are totals", m.Name)
		for _, unit := range []string{"seconds", "bytes"} {
			assert.Equal(t, m.Unit == unit, strings.HasSuffix(m.Name, "_"+unit), "%s: its unit is the end of its name", m.Name)
		}
		assert.NotRegexp(t, `_(ms|millis|minutes|percent|count|sum|bucket)$`, m.Name)
		assert.Equal(t, m.Source == Worker, strings.HasPrefix(m.Name, "tributary_worker_"), m.Name)
		assert.Equal(t, m.Type == Histogram, len(m.Buckets) > 0, m.Name)
		assert.True(t, slices.IsSorted(m.Buckets), m.Name)
		assert.Regexp(t, `^\S.*\.$`, m.Help, m.Name)
		for _, label := range m.Labels {
			assert.Contains(t, bounded, label, m.Name)
		}
		if m.Type == Histogram {
			assert.Contains(t, m.Help, "No exemplars", m.Name)
		}
		if m.Source == Worker && slices.Contains(m.Labels, "stream") {
			assert.Contains(t, m.Help, "counts again", m.Name)
		}
	}
}

// TestWorker: a worker has what is declared for it, as it is declared, and nothing else of ours.
func TestWorker(t *testing.T) {
	sheet := account.New("like")
	sheet.Views.N[account.Read], sheet.Views.N[account.Samples] = 7, 5
	sheet.Engagements["like"].N[account.Matched] = 3
	sheet.StageOf("10s").N[account.Given] = 2
	before := gathered(t)
	Count("feed", sheet)
	Count("feed", sheet)
	all := gathered(t)
	for _, m := range Table() {
		if m.Source != Worker {
			assert.NotContains(t, all, m.Name)
			continue
		}
		require.Contains(t, all, m.Name)
		assert.Equal(t, m.Help, all[m.Name].GetHelp())
		assert.Equal(t, string(m.Type), strings.ToLower(all[m.Name].GetType().String()), m.Name)
		var labels []string
		for _, l := range all[m.Name].GetMetric()[0].GetLabel() {
			labels = append(labels, l.GetName())
		}
		assert.ElementsMatch(t, m.Labels, labels, m.Name)
		delete(all, m.Name)
	}
	assert.Empty(t, all)
	all = gathered(t)
	for name, want := range map[string]float64{
		`tributary_worker_views_total read feed`: 14, `tributary_worker_views_total samples feed`: 10,
		`tributary_worker_engagements_total matched like feed`: 6, `tributary_worker_stage_views_total given 10s feed`: 4,
	} {
		family, _, _ := strings.Cut(name, " ")
		assert.InDelta(t, want, counted(all[family], name)-counted(before[family], name), 0, name)
	}
}

func gathered(t *testing.T) map[string]*dto.MetricFamily {
	t.Helper()
	w := NewWorker("v1")
	families, err := w.Registry.Gather()
	require.NoError(t, err)
	all := map[string]*dto.MetricFamily{}
	for _, f := range families {
		all[f.GetName()] = f
	}
	return all
}

// counted is a counter by its family and the values of its labels.
func counted(f *dto.MetricFamily, name string) float64 {
	_, values, _ := strings.Cut(name, " ")
	for _, m := range f.GetMetric() {
		var of []string
		for _, l := range m.GetLabel() {
			of = append(of, l.GetValue())
		}
		wanted := strings.Fields(values)
		slices.Sort(of)
		slices.Sort(wanted)
		if slices.Equal(of, wanted) {
			return m.GetCounter().GetValue()
		}
	}
	return 0
}

// TestPages: the pages have each metric and alert, and fit a terminal.
func TestPages(t *testing.T) {
	for _, m := range Table() {
		assert.Contains(t, Page(), "  "+m.Name, m.Name)
		found, ok := Find(m.Name)
		require.True(t, ok)
		assert.Same(t, m, found)
	}
	for _, a := range Alerts {
		assert.Contains(t, Playbooks(), "\n"+a.Name+" ("+a.Severity+", ", a.Name)
		assert.NotEmpty(t, a.Means, a.Name)
		assert.NotEmpty(t, a.Look, a.Name)
		assert.NotEmpty(t, a.Do, a.Name)
		assert.Contains(t, string(Rules()), "alert: "+a.Name+"\n")
	}
	for _, page := range []string{Page(), Playbooks()} {
		for line := range strings.Lines(page) {
			isExpr := slices.ContainsFunc(Alerts, func(a Alert) bool { return line == "  "+a.Expr+"\n" })
			assert.True(t, isExpr || utf8.RuneCountInString(line) <= 100, line)
		}
	}
	_, ok := Find("tributary_label_delay_seconds_bucket")
	assert.True(t, ok)
	_, ok = Find("tributary_views_bucket")
	assert.False(t, ok)
}
