package show

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"
	"github.com/tidwall/pretty"

	event "tributary/io/record"
	"tributary/pipelines/spec"
	"tributary/transforms/recipe"
)

// Weights ask for the weights of samples by a recipe.
type Weights struct {
	// Recipe is its name; empty for none.
	Recipe string
	// P is the model's prediction that a view is positive, Delayed that it becomes so after the first stage: a number
	// from 0 to 1, or the path of a field of the sample.
	P, Delayed string
	// MeanDelay is that of the model of delays, Window its end; 0 for none.
	MeanDelay, Window time.Duration
	// Target is the label that is a part of a positive; empty for the only one.
	Target string
}

// prediction is one number for all samples, or a field of each.
type prediction struct {
	flag   string
	number float64
	path   []string // nil for a number
}

// weigher weighs samples one by one.
type weigher struct {
	recipe     *recipe.Recipe
	p, delayed prediction
	delays     recipe.Exponential
	target     string

	told     recipe.Told
	versions map[int]bool // that were met
}

// compile names all that is wrong with the weights at once; nil for none.
func (o Weights) compile() (*weigher, error) {
	if o.Recipe == "" {
		if o != (Weights{}) {
			return nil, errors.New("--p, --delayed, --mean-delay, --window and --target are for the weights of a recipe: --weights says which, one of " + strings.Join(recipe.Names(), ", "))
		}
		return nil, nil
	}
	r := recipe.Find(o.Recipe)
	if r == nil {
		text := fmt.Sprintf("--weights %q: there is no such recipe, but %s", o.Recipe, strings.Join(recipe.Names(), ", "))
		if near := spec.Nearest(o.Recipe, recipe.Names()); near != "" {
			text += "; did you mean " + near + "?"
		}
		return nil, errors.New(text)
	}
	w := &weigher{recipe: r, delays: recipe.Exponential{Mean: o.MeanDelay, Window: o.Window}, target: o.Target, versions: map[int]bool{}}
	var errs []error
	about := func(flag string, given bool, need recipe.Need, what string) {
		if given && !r.Wants(need) {
			errs = append(errs, fmt.Errorf("--%s is of no use to --weights %s", flag, r.Name))
		}
		if !given && r.Wants(need) && what != "" {
			errs = append(errs, fmt.Errorf("--weights %s needs --%s: %s", r.Name, flag, what))
		}
	}
	const form = ", a number from 0 to 1 or the field of the samples that has it, like view.score"
	about("p", o.P != "", recipe.NeedsP, "the model's prediction that a view is positive in the end"+form)
	about("delayed", o.Delayed != "", recipe.NeedsDelayed, "the prediction that a view becomes positive after the first stage"+form)
	about("mean-delay", o.MeanDelay != 0, recipe.NeedsDelays, "the mean delay of engagements, like 10m")
	about("window", o.Window != 0, recipe.NeedsDelays, "")
	about("target", o.Target != "", recipe.NeedsPart, "")
	for _, d := range []struct {
		flag  string
		value time.Duration
	}{{"mean-delay", o.MeanDelay}, {"window", o.Window}} {
		if d.value < 0 {
			errs = append(errs, fmt.Errorf("--%s %s is negative", d.flag, d.value))
		}
	}
	var errP, errDelayed error
	w.p, errP = parsePrediction("p", o.P)
	w.delayed, errDelayed = parsePrediction("delayed", o.Delayed)
	if err := errors.Join(append(errs, errP, errDelayed)...); err != nil {
		return nil, err
	}
	return w, nil
}

func parsePrediction(flag, text string) (prediction, error) {
	p := prediction{flag: flag}
	if text == "" {
		return p, nil
	}
	var err error
	if p.number, err = strconv.ParseFloat(text, 64); err == nil {
		if !isProbability(p.number) {
			return p, fmt.Errorf("--%s %s is not a number from 0 to 1", flag, text)
		}
		return p, nil
	}
	if p.path, err = event.ParsePath(text); err != nil {
		return p, fmt.Errorf("--%s: %w", flag, err)
	}
	return p, nil
}

func isProbability(f float64) bool { return f >= 0 && f <= 1 }

// of is the prediction for a sample.
func (p *prediction) of(rec record) (float64, error) {
	if p.path == nil {
		return p.number, nil
	}
	value := gjson.Parse(rec.json)
	for _, name := range p.path {
		if value.Type == gjson.String && gjson.Valid(value.Str) { // a view of JSON text
			value = gjson.Parse(value.Str)
		}
		value = value.Get(gjson.Escape(name))
	}
	if !exists(value) {
		return 0, fmt.Errorf("--%s %s: there is no such field", p.flag, event.JoinPath(p.path...))
	}
	number, err := strconv.ParseFloat(value.String(), 64)
	if err != nil || !isProbability(number) {
		return 0, fmt.Errorf("--%s %s: %s is not a number from 0 to 1", p.flag, event.JoinPath(p.path...), cell(value))
	}
	return number, nil
}

// meet takes what a recipe looks at of a sample, of each that is read, shown or not.
func (w *weigher) meet(rec record) (recipe.Sample, error) {
	version, maturity, weight := rec.get("version"), rec.get("maturity_ms"), rec.get("weight")
	if w.recipe.Wants(recipe.NeedsStages) && (!rec.get("stage").Exists() || version.Type != gjson.Number) {
		return recipe.Sample{}, fmt.Errorf("--weights %s: the samples have no stages (fields stage and version), of which it takes the first and what changes later; "+
			"their spec wants stages, like stages: [10s], see tributary help weights", w.recipe.Name)
	}
	if w.recipe.Wants(recipe.NeedsDelays) && maturity.Type != gjson.Number {
		return recipe.Sample{}, fmt.Errorf("--weights %s: the samples have no maturity_ms, the time that has passed since the view", w.recipe.Name)
	}
	if weight.Type != gjson.Number || weight.Num < 0 || math.IsInf(weight.Num, 0) {
		return recipe.Sample{}, fmt.Errorf("--weights %s: sample of view %s: its weight is %s, not a number", w.recipe.Name, cell(rec.get("view_id")), cell(weight))
	}
	s := recipe.Sample{
		Version: int(version.Int()), Positive: rec.get("positive").Bool(),
		Elapsed: time.Duration(min(max(maturity.Int(), 0), maxDelayMs)) * time.Millisecond, Weight: weight.Num,
	}
	if w.recipe.Wants(recipe.NeedsPart) {
		var err error
		if s.Part, err = w.part(rec); err != nil {
			return recipe.Sample{}, fmt.Errorf("--weights %s: sample of view %s: %w", w.recipe.Name, cell(rec.get("view_id")), err)
		}
	}
	w.versions[s.Version] = true
	if w.recipe.Wants(recipe.NeedsStages) {
		s.Told = w.told.Meet(rec.get("view_id").String(), rec.get("view_time").Int(), s.Positive)
	}
	return s, nil
}

// part is the label of a sample that is a part of a positive.
func (w *weigher) part(rec record) (float64, error) {
	name, label := w.target, rec.get("labels").Get(gjson.Escape(w.target))
	if name == "" {
		var names []string
		rec.get("labels").ForEach(func(key, value gjson.Result) bool {
			name, label, names = key.String(), value, append(names, key.String())
			return true
		})
		if len(names) != 1 {
			return 0, fmt.Errorf("--target says which of its labels is meant, of %s", strings.Join(names, ", "))
		}
	}
	switch {
	case !label.Exists():
		return 0, fmt.Errorf("it has no label %s", name)
	case label.Type != gjson.Number || !isProbability(label.Num):
		return 0, fmt.Errorf("its label %s is %s, and no part of a positive, from 0 to 1: take the label binary", name, cell(label))
	}
	return label.Num, nil
}

// weigh gives the weights of a sample that is shown.
func (w *weigher) weigh(s recipe.Sample, rec record) (recipe.Weights, error) {
	p, errP := w.p.of(rec)
	delayed, errDelayed := w.delayed.of(rec)
	if err := errors.Join(errP, errDelayed); err != nil {
		return recipe.Weights{}, fmt.Errorf("sample of view %s: %w", cell(rec.get("view_id")), err)
	}
	return w.recipe.Weigh(s, recipe.Model{P: p, Delayed: delayed, Delays: w.delays}), nil
}

// missing says what of the samples that were read the recipe should not have, or should have had.
func (w *weigher) missing() string {
	switch {
	case len(w.versions) == 0:
		return ""
	case w.recipe.Wants(recipe.NeedsStages) && !w.versions[0]:
		return fmt.Sprintf("no sample of the first stage (version 0) was read, and %s takes all of them: weights are those of what comes after them", w.recipe.Name)
	case !w.recipe.Wants(recipe.NeedsStages) && len(w.versions) > 1:
		return fmt.Sprintf("samples of several stages were read, and %s takes one of each view: train on the folder of one stage", w.recipe.Name)
	}
	return ""
}

// withWeights is a sample as JSON with its weights as the last field.
func (w *weigher) withWeights(rec record, weights recipe.Weights) string {
	text := strings.TrimSuffix(strings.TrimSpace(string(pretty.Ugly([]byte(rec.json)))), "}")
	return fmt.Sprintf(`%s,"weights":{"recipe":%q,"positive":%s,"negative":%s}}`, text, w.recipe.Name, number(weights.Positive, -1), number(weights.Negative, -1))
}

func number(f float64, digits int) string { return strconv.FormatFloat(f, 'g', digits, 64) }

// weightDigits are those of a weight in the table.
const weightDigits = 6

// weightColumns are what a recipe looks at of each sample, and its weights. Ids are cut where there is no room for the rest.
func weightColumns(all []record, weights []recipe.Weights, width int) []*column {
	id, positive := &column{name: "view_id"}, &column{name: "positive"}
	maturity := &column{name: "maturity", right: true}
	asPositive, asNegative := &column{name: "as_positive", right: true}, &column{name: "as_negative", right: true}
	field := func(name string) *column { return &column{name: name, right: true} }
	stage, version, weight := &column{name: "stage"}, field("version"), field("weight")
	for i, rec := range all {
		id.cells = append(id.cells, cell(rec.get("view_id")))
		positive.cells = append(positive.cells, yesNo(rec))
		maturity.cells = append(maturity.cells, delayText(cell(rec.get("maturity_ms"))))
		for _, c := range []*column{stage, version, weight} {
			c.cells = append(c.cells, cell(rec.get(c.name)))
		}
		asPositive.cells = append(asPositive.cells, number(weights[i].Positive, weightDigits))
		asNegative.cells = append(asNegative.cells, number(weights[i].Negative, weightDigits))
	}
	rest := []*column{stage, version, positive, maturity, weight, asPositive, asNegative}
	used := 0
	for _, c := range rest {
		used += columnGap + c.width()
	}
	id.cut(max(width-used, idWidth))
	return append([]*column{id}, rest...)
}

// stageOf orders files by the folder that they are in, and those of stages by the stage's time: what comes first of a
// view is then read first.
func stageOf(path string) (folder string, after time.Duration) {
	before, rest, found := strings.Cut(path, spec.StageFolder)
	if !found {
		return path, 0
	}
	name, _, _ := strings.Cut(rest, "/")
	after, err := spec.ParseDuration(name)
	if err != nil {
		return path, 0
	}
	return before, after
}

// InOrder sorts paths by name, and by stage where folders are of stages.
func InOrder(paths []string) {
	slices.SortStableFunc(paths, func(a, b string) int {
		folderA, afterA := stageOf(a)
		folderB, afterB := stageOf(b)
		return cmp.Or(cmp.Compare(folderA, folderB), cmp.Compare(afterA, afterB), cmp.Compare(a, b))
	})
}
