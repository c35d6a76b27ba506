package decode

import (
	"tributary/io/record"
	"tributary/transforms/label"
)

// labelValue is v as the label keeps it; not ok if it cannot.
func labelValue(f label.Func, v record.Value) (record.Value, bool) {
	if !f.OfNumbers() {
		return v.Plain()
	}
	number, ok := v.Number()
	switch {
	case !ok:
		return record.Value{}, false
	case v.Kind == record.Int, v.Kind == record.Decimal && f.Exact(): // summed exactly
		return v, true
	default:
		return record.Value{Kind: record.Float, Float: number}, true
	}
}

func wanted(f label.Func) string {
	if f.OfNumbers() {
		return "number"
	}
	return "value that a label holds: a finite number or UTF-8"
}
