package spec

import (
	"cmp"
	"slices"
	"strings"
)

// stageRules looks at what must hold between stages, and between them and the join.
func (r *reader) stageRules(s *Spec) {
	r.stagesOfOutputs(s)
	if len(s.Stages) == 0 || !r.windows(s) {
		return
	}
	if n := len(s.Stages); n > mostStages {
		at := stageAt(mostStages)
		added := ""
		if !r.isSet(stageAt(n - 1)) {
			added = ", with the longest window,"
		}
		p := r.problem("T1222", r.at(at), at, "there are %d stages%s and at most %d are taken: each view is joined once for each", n, added, mostStages)
		p.Hint = "leave some out"
		r.add(p)
	}
	r.stageOrder(s)
	for i := range s.Stages {
		r.stageDisorder(s, i)
	}
	last := stageAt(len(s.Stages) - 1).key("emit")
	if s.lastStage().Emit == EmitPositives && r.ok(last) && r.stagesInOrder(s) {
		p := r.problem("T1221", r.at(last), last, "after the last stage nothing more is said of a view, so what it takes back must be written too")
		p.Nearest = string(EmitChanged)
		if s.finalOutput() >= 0 {
			p.Nearest = string(EmitAll)
		}
		p.Fix = r.replaced(r.at(last), p.Nearest)
		r.add(p)
	}
	for i, stage := range s.Stages {
		if s.ClockSkew == 0 || !r.ok("clock_skew", r.afterOf(i)) || s.ClockSkew < stage.After {
			continue
		}
		p := r.problem("T1224", r.at("clock_skew"), "clock_skew", "%s is not shorter than the stage %s: most of what is known by then would lie before the view", FormatDuration(s.ClockSkew), stage.Name())
		p.Hint = "a clock skew is seconds; make it shorter than every stage"
		r.add(p)
		break
	}
	r.finalSamples(s)
}

func stageAt(i int) dotted { return dotted("stages").index(i) }

func (s *Spec) lastStage() Stage { return s.Stages[len(s.Stages)-1] }

// afterOf is where a stage's time stands.
func (r *reader) afterOf(i int) dotted {
	if at := stageAt(i).key("after"); r.isSet(at) {
		return at
	}
	return stageAt(i)
}

// stagesInOrder tells whether all stages could be read, and stand where they should.
func (r *reader) stagesInOrder(s *Spec) bool {
	for i := range s.Stages {
		if !r.ok(stageAt(i).key("after")) {
			return false
		}
	}
	return true
}

// stageOrder looks for stages that do not ascend, or lie beyond the longest window.
func (r *reader) stageOrder(s *Spec) {
	longest := s.LongestWindow()
	for i, stage := range s.Stages {
		at := r.afterOf(i)
		if !r.ok(at) || stage.After <= 0 {
			continue
		}
		var before []Stage
		for j, other := range s.Stages[:i] {
			if r.ok(r.afterOf(j)) && other.After > 0 {
				before = append(before, other)
			}
		}
		n := r.at(at)
		alike := func(other Stage) bool { return other.After == stage.After }
		later := func(other Stage) bool { return other.After > stage.After }
		switch {
		case stage.After > longest:
			p := r.problem("T1217", n, at, "%s lies beyond the longest window, %s: nothing is known then that was not known before", stage.Name(), FormatDuration(longest))
			p.Allowed = []string{"up to " + FormatDuration(longest)}
			asLate := func(other Stage) bool { return other.After >= longest }
			if slices.ContainsFunc(s.Stages[:i], asLate) || slices.ContainsFunc(s.Stages, func(other Stage) bool { return other.After == longest }) {
				p.Hint = "leave it out: the longest window is a stage already"
			} else {
				p.Nearest = FormatDuration(longest)
				p.Fix = r.replaced(n, p.Nearest)
			}
			r.add(p)
		case slices.ContainsFunc(before, alike):
			p := r.problem("T1216", n, at, "the stage %s is listed twice", stage.Name())
			p.Hint = "keep one of the two"
			r.add(p)
		case slices.ContainsFunc(before, later):
			next := before[slices.IndexFunc(before, later)]
			p := r.problem("T1216", n, at, "the stage %s stands after %s: stages ascend", stage.Name(), next.Name())
			p.Fix, p.Hint = r.ascending(s), "put it before "+next.Name()
			r.add(p)
		}
	}
}

// ascending is the line of stages that are times in brackets, with these in order; empty for others.
func (r *reader) ascending(s *Spec) (line string) {
	named := slices.DeleteFunc(slices.Clone(s.Stages), func(stage Stage) bool { return stage.After <= 0 })
	if !r.isSet(stageAt(len(named) - 1)) {
		named = named[:len(named)-1]
	}
	for i := range named {
		n, first := r.at(stageAt(i)), r.at(stageAt(0))
		if !r.isSet(stageAt(i)) || r.isSet(stageAt(i).key("after")) || n.line != first.line || i+1 < len(named) && !r.inFlow(n) {
			return ""
		}
	}
	slices.SortFunc(named, func(a, b Stage) int { return cmp.Compare(a.After, b.After) })
	for i, stage := range named {
		line = r.replaced(r.at(stageAt(i)), stage.Name())
	}
	return line
}

// stageDisorder looks at how long a stage waits for records out of order.
func (r *reader) stageDisorder(s *Spec, i int) {
	stage, at := s.Stages[i], stageAt(i).key("out_of_orderness")
	n := r.at(at)
	if !r.ok(at, r.afterOf(i), "out_of_orderness") {
		return
	}
	whole := FormatDuration(s.OutOfOrderness)
	if stage.After >= s.LongestWindow() {
		if r.isSet(at) {
			p := r.problem("T1219", n, at, "the last stage waits for records out of order as long as the join, %s", whole)
			p.Hint = "leave it out, and set that of the spec"
			r.add(p)
		}
		return
	}
	if r.isSet(at) && stage.OutOfOrderness > s.OutOfOrderness {
		p := r.problem("T1218", n, at, "%s is longer than that of the join, %s", FormatDuration(stage.OutOfOrderness), whole)
		p.Allowed, p.Nearest = []string{"up to " + whole}, whole
		p.Fix = r.replaced(n, whole)
		r.add(p)
		return
	}
	if i == 0 || !r.ok(r.afterOf(i-1), stageAt(i-1).key("out_of_orderness")) {
		return
	}
	before := s.Stages[i-1]
	from, to := before.After+before.OutOfOrderness, stage.After+stage.OutOfOrderness
	if to >= from || before.After >= stage.After {
		return
	}
	nearest := from - stage.After
	if !r.isSet(at) {
		at = stageAt(i - 1).key("out_of_orderness")
		n, nearest = r.at(at), to-before.After
	}
	p := r.problem("T1220", n, at, "the stage %s would come before %s: %s after the view and not %s, with what is waited for", stage.Name(), before.Name(), FormatDuration(to), FormatDuration(from))
	p.Nearest = FormatDuration(nearest)
	p.Fix = r.replaced(n, p.Nearest)
	r.add(p)
}

// nesting reports buckets that those of the stages do not divide. It tells whether there are such.
func (r *reader) nesting(s *Spec) bool {
	buckets := s.stageBuckets(s.Stages, s.Bucket)
	i := slices.Index(buckets, 0)
	if i < 0 || !r.ok("bucket", "stages") || !r.stagesInOrder(s) {
		return false
	}
	for i+1 < len(buckets) && buckets[i+1] == 0 { // those before it follow from the last
		i++
	}
	longest := s.LongestWindow()
	p := r.problem("T1223", r.at("bucket"), "bucket", "buckets of the stage %s are to be about %s long, and nothing near that divides %s, the length of those of %s",
		s.Stages[i].Name(), FormatDuration(s.stageBucket(s.Stages[i].After)), FormatDuration(buckets[i+1]), s.Stages[i+1].Name())
	if best := s.nestingBucket(s.Stages, s.Bucket, longest); best > 0 {
		p.Nearest = FormatDuration(best)
		if r.isSet("bucket") {
			p.Fix = r.replaced(r.at("bucket"), p.Nearest)
		}
	}
	r.add(p)
	return true
}

// finalOutput is the first output that holds only final samples, -1 for none.
func (s *Spec) finalOutput() int {
	return slices.IndexFunc(s.Outputs.SampleSinks(), func(o Output) bool { return o.Stages == FinalStage })
}

// stagesOfOutputs looks for outputs that choose among stages where there are none.
func (r *reader) stagesOfOutputs(s *Spec) {
	for i, o := range s.Outputs.SampleSinks() {
		at := r.output(s.Outputs.all()[i].key).key("stages")
		if o.Stages == "" || r.isSet("stages") || !r.ok(at) {
			continue
		}
		p := r.without("T1408", at, "the spec has no stages: each view has one sample, which is final")
		p.Hint = "leave it out, or add stages, like `stages: [10s]`"
		r.add(p)
	}
}

// finalSamples looks for outputs of the last stage alone where that does not write all of its samples.
func (r *reader) finalSamples(s *Spec) {
	final, last := s.finalOutput(), len(s.Stages)-1
	at := stageAt(last)
	if final < 0 || s.Stages[last].Emit == EmitAll || !r.ok(at.key("emit")) || !r.stagesInOrder(s) {
		return
	}
	name, line := s.Stages[last].Name(), s.lastLine()
	field, n, replacement := at.key("emit"), r.at(at.key("emit")), string(EmitAll)
	switch {
	case r.isSet(field): // the word is replaced
	case r.isSet(at.key("after")):
		field, n = at.key("after"), r.at(at.key("after"))
		replacement = name + ", emit: all"
		if !r.inFlow(n) {
			replacement = ""
		}
	case r.isSet(at):
		field, n, replacement = at, r.at(at), line
	case last > 0 && r.afterOf(last-1) == stageAt(last-1) && r.inFlow(r.at(stageAt(last-1))):
		field, n = stageAt(last-1), r.at(stageAt(last-1))
		replacement = s.Stages[last-1].Name() + ", " + line
	default:
		field, n, replacement = "stages", r.at("stages"), ""
	}
	out := r.output(s.Outputs.all()[final].key)
	p := r.problem("T1407", n, field, "%s takes final samples only, and the last stage, %s, leaves out those that say nothing new: its folder or topic would lack them", out, name)
	if p.Fix = r.replaced(n, replacement); p.Fix == "" {
		p.Hint = "write the last stage as `" + line + "`"
	}
	r.add(p)
}

// lastLine is the last stage as it is written to say all.
func (s *Spec) lastLine() string {
	last := s.lastStage()
	last.Emit = EmitAll
	return lastStageSection.inline(&last)
}

// inFlow tells whether more of a mapping or list in brackets follows a scalar in its line.
func (r *reader) inFlow(n *node) bool {
	line := []rune(r.line(n.line))
	end := n.column - 1 + n.width
	if n.column < 1 || end > len(line) {
		return false
	}
	rest := strings.TrimSpace(string(line[end:]))
	return rest != "" && strings.Contains(",]}", rest[:1])
}
