// Package prometheus holds what this module says to Prometheus against its own parser and engine. It is a module of its own, so that none of
// what that takes is in the go.mod of the command: the test of pipelines/metrics/exporter runs it, on a folder (TRIBUTARY_METRICS) with
//
//	metrics.json      the metrics that are declared
//	rules.yaml        alert rules; alerts.yaml: tests of them, in the form of promtool
//	dashboard.json    a dashboard of Grafana
//	scrapes/NN.txt    what scrapes of a stream gave, in order of time
package prometheus

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/teststorage"
	"go.yaml.in/yaml/v3"
)

// file reads a file of the folder.
func file(t *testing.T, name string) []byte {
	t.Helper()
	dir := os.Getenv("TRIBUTARY_METRICS")
	if dir == "" {
		t.Fatal("TRIBUTARY_METRICS names no folder: go test ./pipelines/metrics/exporter runs this")
	}
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// declared are the labels of the metrics, by name, with the series of histograms.
func declared(t *testing.T) map[string][]string {
	t.Helper()
	var table []struct {
		Name, Type string
		Labels     []string
	}
	if err := json.Unmarshal(file(t, "metrics.json"), &table); err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for _, m := range table {
		of := append([]string{"job", "instance"}, m.Labels...) // the first two are of the scrape
		if m.Type == "histogram" {
			all[m.Name+"_count"], all[m.Name+"_sum"] = of, of
			all[m.Name+"_bucket"] = append(slices.Clone(of), "le")
			continue
		}
		all[m.Name] = of
	}
	if len(all) < 30 {
		t.Fatalf("only %d metrics", len(all))
	}
	return all
}

// promQL parses expressions as Prometheus does where nothing experimental is switched on.
var promQL = parser.NewParser(parser.Options{})

// labelsOf says which labels the metrics of an expression have, and fails for names and labels that are not declared.
func labelsOf(t *testing.T, where, text string, all map[string][]string) (some []string) {
	t.Helper()
	expr, err := promQL.ParseExpr(text)
	if err != nil {
		t.Errorf("%s: %v", where, err)
		return nil
	}
	names := 0
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		selector, ok := node.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		of, ok := all[selector.Name]
		if !ok {
			t.Errorf("%s: %s is not declared", where, selector.Name)
		}
		names++
		for _, m := range selector.LabelMatchers {
			if m.Name != model.MetricNameLabel && !slices.Contains(of, m.Name) {
				t.Errorf("%s: %s has no label %s", where, selector.Name, m.Name)
			}
		}
		some = append(some, of...)
		return nil
	})
	if names == 0 {
		t.Errorf("%s: names no metric: %s", where, text)
	}
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		var by []string
		switch n := node.(type) {
		case *parser.AggregateExpr:
			by = n.Grouping
		case *parser.BinaryExpr:
			if n.VectorMatching != nil {
				by = append(slices.Clone(n.VectorMatching.MatchingLabels), n.VectorMatching.Include...)
			}
		}
		for _, label := range by {
			if !slices.Contains(some, label) {
				t.Errorf("%s: no metric in it has the label %s", where, label)
			}
		}
		return nil
	})
	return some
}

func readRules(t *testing.T) []rulefmt.Rule {
	t.Helper()
	groups, errs := rulefmt.Parse(file(t, "rules.yaml"), false, model.UTF8Validation, promQL, slog.New(slog.DiscardHandler))
	for _, err := range errs {
		t.Error(err)
	}
	if groups == nil || len(groups.Groups) != 1 {
		t.Fatal("there is to be one group of rules")
	}
	return groups.Groups[0].Rules
}

var inTemplate = regexp.MustCompile(`\$labels\.(\w+)`)

func TestRulesNameWhatIsThere(t *testing.T) {
	all := declared(t)
	for _, rule := range readRules(t) {
		some := labelsOf(t, rule.Alert, rule.Expr, all)
		for _, text := range rule.Annotations {
			for _, m := range inTemplate.FindAllStringSubmatch(text, -1) {
				if !slices.Contains(some, m[1]) {
					t.Errorf("%s: no metric of it has the label %s, which %q shows", rule.Alert, m[1], text)
				}
			}
		}
	}
}

// alertTests are tests as promtool has them.
type alertTests struct {
	Tests []struct {
		Name   string
		Input  []struct{ Series, Values string } `yaml:"input_series"`
		Alerts []struct {
			At     string `yaml:"eval_time"`
			Name   string `yaml:"alertname"`
			Expect []struct {
				Labels      map[string]string `yaml:"exp_labels"`
				Annotations map[string]string `yaml:"exp_annotations"`
			} `yaml:"exp_alerts"`
		} `yaml:"alert_rule_test"`
	}
}

// TestAlerts runs the tests of rules, by Prometheus' rules and engine, minute by minute. Each alert is to fire in one and to be silent in another.
func TestAlerts(t *testing.T) {
	var tests alertTests
	if err := yaml.Unmarshal(file(t, "alerts.yaml"), &tests); err != nil {
		t.Fatal(err)
	}
	fires, silent := map[string]bool{}, map[string]bool{}
	all := map[string]rulefmt.Rule{}
	for _, rule := range readRules(t) {
		all[rule.Alert] = rule
	}
	for _, test := range tests.Tests {
		t.Run(test.Name, func(t *testing.T) {
			load := "load 1m\n"
			for _, in := range test.Input {
				load += "  " + in.Series + " " + in.Values + "\n"
			}
			loaded := promqltest.LoadedStorage(t, load)
			for _, want := range test.Alerts {
				rule, ok := all[want.Name]
				if !ok {
					t.Fatalf("there is no alert %s", want.Name)
				}
				at, err := model.ParseDuration(want.At)
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, a := range firing(t, rule, loaded, time.Duration(at)) {
					got = append(got, told(a.Labels.Map(), a.Annotations.Map()["summary"]))
				}
				var wanted []string
				for _, e := range want.Expect {
					of := map[string]string{"alertname": want.Name}
					for k, v := range e.Labels {
						of[k] = v
					}
					wanted = append(wanted, told(of, e.Annotations["summary"]))
				}
				slices.Sort(got)
				slices.Sort(wanted)
				if !slices.Equal(got, wanted) {
					t.Errorf("%s at %s:\n got %q\nwant %q", want.Name, want.At, got, wanted)
				}
				if len(wanted) > 0 {
					fires[want.Name] = true
				} else {
					silent[want.Name] = true
				}
			}
		})
	}
	for name := range all {
		if !fires[name] || !silent[name] {
			t.Errorf("%s: fires in a test: %t, is silent in one: %t", name, fires[name], silent[name])
		}
	}
}

func told(of map[string]string, summary string) string {
	return fmt.Sprintf("%v %s", of, summary)
}

// firing are the alerts of a rule that fire at a time, when it was evaluated each minute until then.
func firing(t *testing.T, rule rulefmt.Rule, from storage.Queryable, at time.Duration) (fire []*rules.Alert) {
	t.Helper()
	expr, err := promQL.ParseExpr(rule.Expr)
	if err != nil {
		t.Fatal(err)
	}
	alerting := rules.NewAlertingRule(rule.Alert, expr, time.Duration(rule.For), 0, labels.FromMap(rule.Labels), labels.FromMap(rule.Annotations),
		labels.EmptyLabels(), "", true, slog.New(slog.DiscardHandler))
	query := rules.EngineQueryFunc(engine(t), from)
	for minute := time.Duration(0); minute <= at; minute += time.Minute {
		if _, err := alerting.Eval(t.Context(), 0, time.UnixMilli(minute.Milliseconds()), query, nil, 0); err != nil {
			t.Fatal(err)
		}
	}
	for _, a := range alerting.ActiveAlerts() {
		if a.State == rules.StateFiring {
			fire = append(fire, a)
		}
	}
	return fire
}

func engine(t *testing.T) *promql.Engine {
	return promqltest.NewTestEngineWithOpts(t, promql.EngineOpts{MaxSamples: 1_000_000, Timeout: time.Minute, Parser: promQL})
}

// panel is one of the dashboard, or a row of them.
type panel struct {
	Type, Title string
	Panels      []panel
	Targets     []struct{ Expr string }
}

func targets(t *testing.T) map[string]string {
	t.Helper()
	var dashboard struct{ Panels []panel }
	if err := json.Unmarshal(file(t, "dashboard.json"), &dashboard); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	var add func(panels []panel)
	add = func(panels []panel) {
		for _, p := range panels {
			for i, target := range p.Targets {
				all[fmt.Sprintf("%s, %d", p.Title, i+1)] = target.Expr
			}
			if p.Type != "row" && len(p.Targets) == 0 {
				t.Errorf("panel %s asks for nothing", p.Title)
			}
			add(p.Panels)
		}
	}
	add(dashboard.Panels)
	if len(all) < 30 {
		t.Fatalf("the dashboard has only %d queries", len(all))
	}
	return all
}

func TestDashboardNamesWhatIsThere(t *testing.T) {
	all := declared(t)
	for where, expr := range targets(t) {
		labelsOf(t, where, expr, all)
	}
}

// TestDashboardShowsData: each query gives numbers for the scrapes of a stream, the last of which is now.
func TestDashboardShowsData(t *testing.T) {
	scrapes, err := filepath.Glob(filepath.Join(os.Getenv("TRIBUTARY_METRICS"), "scrapes", "*.txt"))
	if err != nil || len(scrapes) < 2 {
		t.Fatalf("scrapes: %v, %v", scrapes, err)
	}
	slices.Sort(scrapes)
	store := teststorage.New(t)
	const interval, each = 30 * time.Second, 10 // five minutes of each
	now := time.Now()
	at := now.Add(-interval * time.Duration(each*len(scrapes)-1))
	for _, name := range scrapes {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for range each {
			scrape(t, store, text, at)
			at = at.Add(interval)
		}
	}
	for where, expr := range targets(t) {
		expr = strings.ReplaceAll(expr, "$stream", ".+")
		query, err := engine(t).NewInstantQuery(t.Context(), store, nil, expr, now)
		if err != nil {
			t.Errorf("%s: %v", where, err)
			continue
		}
		result := query.Exec(t.Context())
		vector, err := result.Vector()
		if err != nil || len(vector) == 0 {
			t.Errorf("%s: gives nothing (%v): %s", where, err, expr)
		}
		numbers := 0
		for _, sample := range vector {
			if !math.IsNaN(sample.F) {
				numbers++
			}
		}
		if numbers == 0 {
			t.Errorf("%s: gives no number: %s: %v", where, expr, vector)
		}
		query.Close()
	}
}

// scrape stores what a scrape gave.
func scrape(t *testing.T, store *teststorage.TestStorage, text []byte, at time.Time) {
	t.Helper()
	appender := store.Appender(t.Context())
	p := textparse.NewPromParser(text, labels.NewSymbolTable(), false)
	for {
		entry, err := p.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if entry != textparse.EntrySeries {
			continue
		}
		_, _, value := p.Series()
		var of labels.Labels
		p.Labels(&of)
		of = labels.NewBuilder(of).Set("job", "tributary").Set("instance", "localhost:9464").Labels()
		if _, err := appender.Append(0, of, at.UnixMilli(), value); err != nil {
			t.Fatal(err)
		}
	}
	if err := appender.Commit(); err != nil {
		t.Fatal(err)
	}
}
