package rules

import (
	"errors"
	"fmt"
	"slices"
)

// MaxBucket is how much time the views of one bucket may span, dedup markers included: two years of 366 days, which are the longest
// durations of a spec.
const MaxBucket = 2 * 366 * 24 * 3_600_000

// Validate reports everything that is wrong with p at once.
func (p *Params) Validate() error {
	var errs []error
	positive := func(name string, v int64) {
		if v <= 0 {
			errs = append(errs, fmt.Errorf("%s: must be positive, got %d", name, v))
		}
	}
	positive("bucket", p.Bucket)
	positive("shards", int64(p.Shards))
	for i, l := range p.Earlier {
		positive("earlier shards", int64(l.Shards))
		if i > 0 && l.Until <= p.Earlier[i-1].Until {
			errs = append(errs, fmt.Errorf("earlier shards: must be in order, got until %d after %d", l.Until, p.Earlier[i-1].Until))
		}
	}
	for _, k := range p.Kinds {
		positive("window of "+k.Name, k.Window)
	}
	if p.Bucket+p.DedupWindow > MaxBucket {
		errs = append(errs, fmt.Errorf("bucket %d with duplicates within %d: together at most %d", p.Bucket, p.DedupWindow, MaxBucket))
	}
	if len(p.Kinds) == 0 {
		errs = append(errs, errors.New("kinds: at least one is needed"))
	}
	if p.OutOfOrderness < 0 || p.MaxFutureSkew < 0 || p.ClockSkew < 0 || p.DedupWindow < 0 {
		errs = append(errs, fmt.Errorf("out-of-orderness %d, ahead %d, clock skew %d, duplicates within %d: must not be negative", p.OutOfOrderness, p.MaxFutureSkew, p.ClockSkew, p.DedupWindow))
	}
	if !(p.Keep > 0 && p.Keep <= 1) {
		errs = append(errs, fmt.Errorf("keep: must be in (0, 1], got %v", p.Keep))
	}
	if p.From >= p.To {
		errs = append(errs, fmt.Errorf("interval: from %d must be before to %d", p.From, p.To))
	}
	for i, in := range p.Inputs {
		if in.Kind < Views || in.Kind >= len(p.Kinds) {
			errs = append(errs, fmt.Errorf("input %d: no kind %d", i, in.Kind))
		}
		if in.ID == "" || in.Time.Path == "" {
			errs = append(errs, fmt.Errorf("input %d: needs the fields of id and time, got %q and %q", i, in.ID, in.Time.Path))
		}
	}
	errs = append(errs, p.validateLabels()...)
	errs = append(errs, p.validateNames()...)
	errs = append(errs, p.validateStages()...)
	return errors.Join(errs...)
}

// validateNames reports inputs that do not name views by as many fields as the others, and kinds that share where views have no key.
func (p *Params) validateNames() (errs []error) {
	fields, keyed := 0, p.Keyed()
	for i, in := range p.Inputs {
		name, what := in.IDs(), "an id"
		if keyed && in.Kind == Views {
			name, what = in.Key, "a key"
		}
		if i == 0 {
			fields = len(name)
		}
		if len(name) != fields {
			errs = append(errs, fmt.Errorf("input %d: %s of %d fields, where that of input 0 has %d", i, what, len(name), fields))
		}
	}
	for i, k := range p.Kinds {
		if k.Credit != CreditAll && !keyed {
			errs = append(errs, fmt.Errorf("%s: shared by %q, and views have no key", k.Name, k.Credit))
		}
		if !slices.Contains([]Credit{CreditAll, CreditFirst, CreditLast, CreditEven}, k.Credit) {
			errs = append(errs, fmt.Errorf("%s: shared by %q, which is none", k.Name, k.Credit))
		}
		switch after := p.AfterOf(i); {
		case k.After == "":
		case after < 0 || after == i:
			errs = append(errs, fmt.Errorf("%s: after %q, which is no other kind", k.Name, k.After))
		case k.Credit != CreditFirst && k.Credit != CreditLast:
			errs = append(errs, fmt.Errorf("%s: after %q, and shared by %q", k.Name, k.After, k.Credit))
		}
		if k.Otherwise && k.After == "" {
			errs = append(errs, fmt.Errorf("%s: otherwise, and after no kind", k.Name))
		}
	}
	return errs
}
