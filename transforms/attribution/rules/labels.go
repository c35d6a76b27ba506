package rules

import (
	"fmt"
	"strings"

	"tributary/transforms/label"
	"tributary/transforms/sample"
)

// Label is one of several labels of a kind, or one that has a name or a type of its own.
type Label struct {
	// Name is that of its column.
	Name string
	Func label.Func
	// Type is that of the column of a value that is carried from an engagement; empty for whatever the value is.
	Type sample.Cast `json:",omitempty"`
}

// LabelCount is how many labels a kind has.
func (k *Kind) LabelCount() int { return max(1, len(k.Labels)) }

// LabelFields are the fields of the labels that inputs of a kind have, in order: empty ones for labels that take none.
func (in *Input) LabelFields() []string {
	if len(in.Values) > 0 {
		return in.Values
	}
	return []string{in.Value}
}

// Columns are the labels of all kinds, in order.
func (p *Params) Columns() []sample.Column {
	columns := make([]sample.Column, 0, len(p.Kinds))
	for i := range p.Kinds {
		k := &p.Kinds[i]
		if len(k.Labels) == 0 {
			columns = append(columns, sample.Column{Kind: k.Name, Func: k.Label})
		}
		for _, l := range k.Labels {
			columns = append(columns, sample.Column{Kind: k.Name, Func: l.Func, Name: l.Name, Type: l.Type})
		}
	}
	return columns
}

// labelsMeaning is what the labels of a kind are, as text; empty for one as Label says it.
func (k *Kind) labelsMeaning() string {
	all := make([]string, len(k.Labels))
	for i, l := range k.Labels {
		all[i] = strings.TrimSpace(fmt.Sprintf("%s %s %s", l.Name, l.Func, l.Type))
	}
	return strings.Join(all, ", ")
}

// validateLabels reports labels that cannot be, and inputs that have not as many fields as their kind has labels.
func (p *Params) validateLabels() (errs []error) {
	taken := map[string]string{}
	for _, c := range p.Columns() {
		if kind, there := taken[c.Label()]; there {
			errs = append(errs, fmt.Errorf("label %s of %s: %s has one of that name", c.Label(), c.Kind, kind))
		}
		taken[c.Label()] = c.Kind
		if c.Type != "" && !c.Func.Carries() {
			errs = append(errs, fmt.Errorf("label %s of %s: %s is of no other type, got %s", c.Label(), c.Kind, c.Func, c.Type))
		}
	}
	for i := range p.Inputs {
		in := &p.Inputs[i]
		if in.Kind < 0 || in.Kind >= len(p.Kinds) {
			continue
		}
		switch k := &p.Kinds[in.Kind]; {
		case len(in.Values) != len(k.Labels):
			errs = append(errs, fmt.Errorf("input %d: %d fields of labels, where %s has %d", i, len(in.Values), k.Name, len(k.Labels)))
		case len(k.Labels) > 0 && in.Value != "":
			errs = append(errs, fmt.Errorf("input %d: the field %s of one label, where %s has several", i, in.Value, k.Name))
		}
	}
	return errs
}
