package expression

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"

	"tributary/io/record"
)

// CostLimit is the most that evaluating an expression on one record may cost, by CEL's measure: about one for each operation, and
// for each ten bytes of text that a function goes through. A record that costs more is an error.
const CostLimit = 100_000

// Program evaluates an expression: Holds, or of one of ParseValue, Value. Not for concurrent use.
type Program struct {
	program cel.Program
	parts   *rewriter
	// names are the slots of fields, and behind them tests, by the name of their variable.
	names  map[string]int
	values []record.Value
}

// Program makes an evaluation of its own of the expression.
func (e *Expression) Program() (p *Program, err error) {
	p = &Program{parts: e.parts, names: map[string]int{}}
	for i, f := range e.parts.fields {
		p.names[variable(f.Path)] = i
	}
	for i := range e.parts.tests {
		p.names[testName(i)] = len(e.parts.fields) + i
	}
	p.program, err = e.language.Program(e.parts.checked, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(CostLimit))
	if err != nil {
		return nil, Mistakes{{Place{1, 1}, plain(err.Error()), true}}
	}
	return p, nil
}

// Holds evaluates the expression with the values of Expression.Fields, in their order. The error says where in the
// expression a record does not serve, and why. Nothing of the values is kept.
func (p *Program) Holds(values []record.Value) (bool, error) {
	p.values = values
	defer func() { p.values = nil }()
	out, _, err := p.program.Eval(activation{p})
	if err != nil {
		return false, p.explain(err)
	}
	holds, ok := out.(types.Bool)
	if !ok {
		root := p.parts.checked.NativeRep().Expr()
		return false, fmt.Errorf("%s: is not true or false%s", p.parts.place(root.ID()), p.with(root))
	}
	return bool(holds), nil
}

// Value evaluates an expression of ParseValue with the values of Expression.Fields, in their order. Text of the result may be that of
// the values. An expression that is a field has its value as it is; what is null, or missing, is the zero value.
func (p *Program) Value(values []record.Value) (record.Value, error) {
	root := p.parts.checked.NativeRep().Expr()
	if root.Kind() == ast.IdentKind && len(p.parts.tests) == 0 {
		return values[p.names[root.AsIdent()]], nil
	}
	p.values = values
	defer func() { p.values = nil }()
	out, _, err := p.program.Eval(activation{p})
	if err != nil {
		return record.Value{}, p.explain(err)
	}
	switch out := out.(type) {
	case types.Null:
		return record.Value{}, nil
	case types.Bool:
		v := record.Value{Kind: record.Bool}
		if out {
			v.Int = 1
		}
		return v, nil
	case types.Int:
		return record.Value{Kind: record.Int, Int: int64(out)}, nil
	case types.Uint:
		if out <= math.MaxInt64 {
			return record.Value{Kind: record.Int, Int: int64(out)}, nil
		}
		return record.Value{Kind: record.Number, Text: strconv.AppendUint(nil, uint64(out), 10)}, nil
	case types.Double:
		return record.Value{Kind: record.Float, Float: float64(out)}, nil
	case types.String:
		return record.Value{Kind: record.String, Text: []byte(out)}, nil
	default:
		return record.Value{}, fmt.Errorf("%s: is not true or false, a number or text%s", p.parts.place(root.ID()), p.with(root))
	}
}

// activation gives a Program's variables their values.
type activation struct{ p *Program }

// ResolveName returns the value of a variable.
func (a activation) ResolveName(name string) (any, bool) {
	i, ok := a.p.names[name]
	if !ok {
		return nil, false
	}
	if n := len(a.p.parts.fields); i >= n {
		return a.p.parts.tests[i-n].holds(a.p.values), true
	}
	return valueOf(a.p.values[i]), true
}

// Parent is nil: there are no other variables.
func (activation) Parent() cel.Activation { return nil }

func (t *test) holds(values []record.Value) types.Bool {
	v := values[t.slot]
	if t.oneOf == nil {
		return types.Bool(!v.Absent())
	}
	for i := range t.oneOf {
		if t.oneOf[i].Holds(v) {
			return types.True
		}
	}
	return types.False
}

// explain says where evaluating failed and what was there.
func (p *Program) explain(err error) error {
	var at *types.Err
	message := plain(err.Error())
	if !errors.As(err, &at) {
		return errors.New(message)
	}
	var failed ast.Expr
	ast.PreOrderVisit(p.parts.checked.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.ID() == at.NodeID() {
			failed = e
		}
	}))
	if failed == nil {
		return errors.New(message)
	}
	return fmt.Errorf("%s: %s%s", p.parts.place(failed.ID()), message, p.with(failed))
}

// with lists the fields in a part of the expression and their values.
func (p *Program) with(e ast.Expr) string {
	var all []string
	ast.PreOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.IdentKind {
			return
		}
		if i, ok := p.names[e.AsIdent()]; ok && i < len(p.parts.fields) {
			text := p.parts.fields[i].Path + " is " + p.values[i].String()
			if !slices.Contains(all, text) {
				all = append(all, text)
			}
		}
	}))
	if len(all) == 0 {
		return ""
	}
	return ", where " + strings.Join(all, ", ")
}
