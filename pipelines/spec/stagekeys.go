package spec

import (
	"fmt"
	"strconv"
	"time"
)

// stagesType is a list of stages, each by its time or by a mapping.
var stagesType = valueType[[]Stage]{
	about: about{
		what: "a list of durations and of mappings", inner: []*section{stageSection},
		schema: object{
			{"type", "array"},
			{"minItems", 1},
			{"maxItems", mostStages},
			{"items", object{{"anyOf", []any{ref("length"), stageSection.schema()}}}},
		},
	},
	read:   (*reader).stages,
	fill:   (*reader).fillStages,
	absent: func(all []Stage) bool { return len(all) == 0 },
	block: func(w *writer, indent int, name string, all []Stage) {
		w.line(indent, name, "")
		for i, stage := range all {
			of := stageSection
			if i == len(all)-1 {
				of = lastStageSection
			}
			w.text(indent+2, "- "+of.inline(&stage))
		}
	},
	show: func(l *lister, path []string, all []Stage) {
		for i, stage := range all {
			l.add(stage.text(), append(path, strconv.Itoa(i))...) // the last may not be in the file
		}
	},
}

func (s Stage) text() string {
	return fmt.Sprintf("%s (%s, out of orderness %s, buckets of %s)", s.Name(), s.Emit, FormatDuration(s.OutOfOrderness), FormatDuration(s.Bucket))
}

// stageSection is one stage.
var stageSection = &section{
	name: "a stage",
	keys: []key{
		{
			name: "after", example: "10s", required: true,
			doc:   "How long after the view. Windows are cut to it.",
			value: at(lengthType, func(s *Stage) *time.Duration { return &s.After }),
		},
		{
			name: "out_of_orderness", example: "2s",
			doc: "As that of the join, and at most as long. What comes later than that is late for this stage, and counts in the next; the last stage waits for that of the join.",
			value: at(durationType, func(s *Stage) *time.Duration { return &s.OutOfOrderness }).
				orElse("a tenth of after and 1s at least, but no longer than that of the join", nil),
		},
		{
			name: "emit", example: "changed",
			doc:   "Which samples are written: all, those whose labels differ from what was said before of the view (changed), or of these only those with a label (positives).",
			value: at(choice(Emits), func(s *Stage) *Emit { return &s.Emit }).orElse("all for the first stage, changed for the others", nil),
		},
	},
}

// lastStageSection is how the last stage is written: it waits as long as the join.
var lastStageSection = &section{name: stageSection.name, keys: []key{*stageSection.key("after"), *stageSection.key("emit")}}

// stages reads a list of stages as it is; what they leave out comes later.
func (r *reader) stages(n *node, at dotted, above *fields) []Stage {
	switch n.kind {
	case listKind:
	case badKind, nullKind:
		r.text(n, at) // which reports that there is none
		return nil
	default:
		p := r.problem("T1010", n, at, "must be a list, got %s", n.kind)
		p.Hint = "for example `stages: [10s, 1m]`"
		if n.kind == textKind {
			p.Fix = r.replaced(n, "["+r.written(n)+"]")
		}
		r.add(p)
		return nil
	}
	if len(n.items) == 0 {
		p := r.problem("T1012", n, at, "names no stage")
		p.Hint = "leave it out for one sample a view, when the longest window has ended"
		r.add(p)
		return nil
	}
	out := make([]Stage, len(n.items))
	for i, item := range n.items {
		at := at.index(i)
		r.mark(at, item, item)
		if item.kind == mapKind {
			stageSection.read(r, item, at, above, &out[i])
		} else {
			out[i].After = r.duration(item, at, time.Millisecond)
		}
	}
	return out
}
