package attribution

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"
	"pgregory.net/rapid"

	"tributary/io/record"
	"tributary/transforms/account"
	"tributary/transforms/attribution/attributiontest"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/label"
	"tributary/transforms/sample"
)

// The fields of generated engagements that labels are of: a whole number, and text that some do not have.
const (
	numberField = "value"
	textField   = "other"
)

// drawLabels makes labels of a kind several, or one with a name and a type of its own, and sets the fields of its inputs.
func drawLabels(t *rapid.T, p *rules.Params, kind int) {
	k := &p.Kinds[kind]
	var values []string
	all := attributiontest.Labels
	if k.Credit == rules.CreditEven {
		all = []label.Func{label.BinaryParts, label.CountParts, label.Sum, label.First}
	}
	for i := range rapid.IntRange(1, 4).Draw(t, "labels") {
		l := rules.Label{Name: k.Name + strconv.Itoa(i), Func: rapid.SampledFrom(all).Draw(t, "label")}
		field := ""
		switch l.Func.Definition().Takes {
		case label.Number:
			field = numberField
		case label.Value:
			if field = rapid.SampledFrom([]string{numberField, textField}).Draw(t, "field"); field == textField {
				l.Type = rapid.SampledFrom([]sample.Cast{"", sample.CastString}).Draw(t, "type")
			} else {
				l.Type = rapid.SampledFrom([]sample.Cast{"", sample.CastString, sample.CastLong, sample.CastDouble}).Draw(t, "type")
			}
		case label.Nothing:
		}
		k.Labels, values = append(k.Labels, l), append(values, field)
	}
	k.Label = ""
	for i := range p.Inputs {
		if in := &p.Inputs[i]; in.Kind == kind {
			in.Value, in.Values = "", slices.Clone(values)
		}
	}
}

// oneLabel is a label as the reference makes it.
type oneLabel struct {
	rules.Label
	field string
}

// labelsOf are those of a kind.
func labelsOf(p *rules.Params, kind int) (all []oneLabel) {
	k := &p.Kinds[kind]
	in := p.Inputs[slices.IndexFunc(p.Inputs, func(in rules.Input) bool { return in.Kind == kind })]
	if k.Labels == nil {
		return []oneLabel{{rules.Label{Name: k.Name, Func: k.Label}, in.Value}}
	}
	for i, l := range k.Labels {
		all = append(all, oneLabel{l, in.Values[i]})
	}
	return all
}

// valuesOf is all that labels look at of an engagement.
func valuesOf(p *rules.Params, r *rec) (all []string) {
	for _, l := range labelsOf(p, r.kind) {
		all = append(all, l.value(r))
	}
	return all
}

// lacksValue tells whether a record has nothing in the field of a label.
func lacksValue(p *rules.Params, r *rec) bool {
	return slices.ContainsFunc(labelsOf(p, r.kind), func(l oneLabel) bool { return l.field != "" && l.value(r) == "null" })
}

// value is that of the label's field, as JSON.
func (l *oneLabel) value(r *rec) string {
	switch {
	case l.field == "", l.field == textField && r.other == "":
		return "null"
	case l.field == textField:
		return strconv.Quote(r.other)
	case l.Type == sample.CastString:
		return strconv.Quote(fmt.Sprint(r.value))
	default:
		return fmt.Sprint(r.value)
	}
}

// of is the label of the engagements credited, in order of time.
func (l *oneLabel) of(all []*rec, delay string) string {
	parts, sum := new(big.Rat), new(big.Rat)
	least, most := "null", "null"
	first, last := "null", "null"
	if len(all) > 0 {
		first, last = l.value(all[0]), l.value(all[len(all)-1])
		values := make([]int64, len(all))
		for i, g := range all {
			parts.Add(parts, double(1/float64(max(g.of, 1))))
			sum.Add(sum, double(float64(g.value)/float64(max(g.of, 1))))
			values[i] = g.value
		}
		least, most = fmt.Sprint(slices.Min(values)), fmt.Sprint(slices.Max(values))
	}
	part, _ := parts.Float64()
	summed, _ := sum.Float64()
	return map[label.Func]string{
		label.BinaryParts: numeral(min(part, 1)), label.CountParts: numeral(part),
		label.Binary: fmt.Sprint(min(len(all), 1)), label.Count: fmt.Sprint(len(all)), label.TimeToFirst: delay, label.Sum: numeral(summed),
		label.Min: least, label.Max: most, label.First: first, label.Last: last,
	}[l.Func]
}

// joinSeveral joins one view with engagements, given as the fields of their records, and returns the labels.
func joinSeveral(t require.TestingT, skipBad bool, labels []rules.Label, fields []string, engagements ...string) (gjson.Result, *account.Sheet, []record.Rejected) {
	p := attributiontest.Params()
	p.Kinds = []rules.Kind{{Name: "buy", Window: 1000, Count: rules.CountAll, SkipBadValues: skipBad, Labels: labels}}
	at := rules.Field{Path: "t", Unit: record.UnitEpochMs}
	p.Inputs = []rules.Input{
		{Name: "views.inputs.0", Kind: rules.Views, ID: "id", Time: at},
		{Name: "engagements.buy.inputs.0", ID: "id", Time: at, EventID: "eid", Values: fields},
	}
	require.NoError(t, p.Validate())
	return joinOne(t, p, engagements, "labels")
}

// TestBadValueOfOneLabel: a value that its label cannot take makes the engagement a dead letter, or is left out alone.
func TestBadValueOfOneLabel(t *testing.T) {
	labels := []rules.Label{
		{Name: "n", Func: label.Count},
		{Name: "sum", Func: label.Sum},
		{Name: "pieces", Func: label.First, Type: sample.CastLong},
		{Name: "gift", Func: label.Last, Type: sample.CastBoolean},
		{Name: "code", Func: label.Last, Type: sample.CastString},
	}
	fields := []string{"", "price", "pieces", "gift", "code"}
	good, bad := `,"price":1.5,"pieces":2,"gift":true,"code":"a"`, `,"price":2,"pieces":2.5,"gift":"maybe","code":7`
	got, sheet, rejected := joinSeveral(t, false, labels, fields, good, bad)
	require.JSONEq(t, `{"n":1,"sum":1.5,"pieces":2,"gift":true,"code":"a"}`, got.Raw)
	require.Len(t, rejected, 1)
	require.Equal(t, "field pieces: 2.5 is no long", rejected[0].Detail)
	buy := sheet.Engagements["buy"]
	require.Equal(t, [4]int64{2, 1, 1, 0}, [4]int64{buy.N[account.Read], buy.N[account.Matched], buy.N[account.Dead], buy.N[account.BadValues]})

	got, sheet, rejected = joinSeveral(t, true, labels, fields, bad, good, `,"price":"","code":9223372036854775807`)
	require.JSONEq(t, `{"n":3,"sum":3.5,"pieces":null,"gift":null,"code":"9223372036854775807"}`, got.Raw)
	require.Empty(t, rejected)
	buy = sheet.Engagements["buy"]
	require.Equal(t, [4]int64{3, 3, 1, 1}, [4]int64{buy.N[account.Read], buy.N[account.Matched], buy.N[account.BadValues], buy.N[account.WithoutValue]})

	got, _, _ = joinSeveral(t, false, labels, fields)
	require.JSONEq(t, `{"n":0,"sum":0,"pieces":null,"gift":null,"code":null}`, got.Raw)
}

// TestSumsOfLabels: sums are exact, each of its own field, and one that overflows is told.
func TestSumsOfLabels(t *testing.T) {
	labels := []rules.Label{{Name: "a", Func: label.Sum}, {Name: "b", Func: label.Sum}, {Name: "most", Func: label.Max}}
	got, sheet, _ := joinSeveral(t, false, labels, []string{"a", "b", "b"}, `,"a":1e308,"b":0.1`, `,"a":1e308,"b":0.2`, `,"b":-0.3`)
	require.JSONEq(t, `{"a":1.7976931348623157e308,"b":2.7755575615628914e-17,"most":0.2}`, got.Raw)
	require.Equal(t, int64(1), sheet.Engagements["buy"].N[account.Overflows])
}
