package rules

import (
	"slices"
	"strings"

	"tributary/io/expression"
	"tributary/io/record"
)

// OwnFields are the fields that the input's source must tell of each record beside its value (record.IsOwn), in order.
func (in *Input) OwnFields() []string {
	all := slices.Concat(in.IDs(), in.Key, in.EventIDs(), in.LabelFields(), []string{in.Time.Path, in.ViewTime.Path})
	for _, c := range in.Where {
		all = append(all, c.Field)
	}
	expressions := []string{in.Expression}
	for _, c := range in.Computed {
		expressions = append(expressions, c.Expression)
	}
	for _, text := range expressions {
		if !strings.Contains(text, "$") {
			continue
		}
		if asks, err := expression.ParseValue(text); err == nil {
			for _, f := range asks.Fields {
				all = append(all, f.Path)
			}
		}
	}
	all = slices.DeleteFunc(all, func(path string) bool { return !record.IsOwn(path) })
	slices.Sort(all)
	return slices.Compact(all)
}

// FileOf is what batches of the input's records from a file say of it (record.Batch.File): its path, if a field is that.
func (in *Input) FileOf(path string) string {
	if slices.Contains(in.OwnFields(), record.OwnFile) {
		return path
	}
	return ""
}

// Types are the conditions on the type of records (record.OwnType) that the input takes: of each list one holds.
func (in *Input) Types() (types [][]expression.Condition) {
	for _, c := range in.Where {
		if c.Field == record.OwnType {
			types = append(types, []expression.Condition{c})
		}
	}
	if in.ExpressionOf != nil || in.Expression == "" { // a test has the type in the record
		return types
	}
	if asks, err := expression.Parse(in.Expression); err == nil {
		for _, oneOf := range asks.Memberships {
			if oneOf[0].Field == record.OwnType {
				types = append(types, oneOf)
			}
		}
	}
	return types
}
