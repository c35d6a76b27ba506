package job

import (
	"tributary/pipelines/spec"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/label"
)

// setLabels sets what the labels of a kind are, and the fields that its inputs have for them: of one that is called like the
// kind and has no type in the fields for one. Where views share engagements in parts, labels are of those.
func setLabels(k *rules.Kind, in *rules.Input, e *spec.Engagement) {
	of := func(f label.Func) label.Func {
		if e.Credit == spec.CreditEven {
			return f.Definition().Parts
		}
		return f
	}
	all := e.AllLabels()
	if len(e.Labels) == 0 && e.Label.Type == "" {
		k.Label, in.Value = of(e.Label.Func), e.Label.Field
		return
	}
	for _, l := range all {
		k.Labels = append(k.Labels, rules.Label{Name: l.Name, Func: of(l.Func), Type: l.Type})
		in.Values = append(in.Values, l.Field)
	}
}

// wantedOfLabels are the fields of the labels of a source's kind.
func (c *FieldCheck) wantedOfLabels(in *rules.Input) (all []wanted) {
	e := &c.spec.Engagements[in.Kind]
	for _, l := range e.AllLabels() {
		one := wanted{path: l.Field, optional: true, key: []string{"label", string(l.Func)}}
		if len(e.Labels) > 0 {
			one.key = []string{"labels", l.Name, string(l.Func)}
		}
		switch {
		case l.Type != "":
			one.use = castUse[l.Type]
		case l.Func.OfNumbers(): // any value is the first or the last
			one.use = useNumber
		}
		all = append(all, one)
	}
	return all
}
