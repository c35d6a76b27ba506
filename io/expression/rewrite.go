package expression

import (
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"tributary/io/record"
)

// rewriter puts a variable for each field, and one for each condition on a field, in the place of the parts of an expression.
type rewriter struct {
	source *ast.SourceInfo
	// types are those of fields; nil where none is known.
	types  func(path string) Type
	fields []Field
	// value says that the expression gives any value, and not true or false.
	value bool
	// slots are the fields by their path.
	slots map[string]int
	tests []test
	// necessary are the conditions without which the expression is not true; simple says that it is no more.
	necessary   []Condition
	memberships [][]Condition
	simple      bool
	wrong       Mistakes
	checked     *cel.Ast
}

// test is true or false for a field whatever its type: one of some conditions, or without any, that it has a value.
type test struct {
	slot  int
	oneOf []Condition
}

// A variable has a name that no other thing of the language has: fields may be called int or type.
const variablePrefix = "field "

func variable(path string) string { return variablePrefix + path }

func testName(i int) string { return "test " + strconv.Itoa(i) }

var factory = ast.NewExprFactory()

func (w *rewriter) place(id int64) Place {
	at := w.source.GetStartLocation(id)
	return Place{max(at.Line(), 1), max(at.Column(), 0) + 1}
}

func (w *rewriter) mistake(e ast.Expr, message string) {
	w.wrong = append(w.wrong, Mistake{w.place(e.ID()), message, false})
}

// begin looks at a whole expression.
func (w *rewriter) begin(e ast.Expr) {
	w.simple = true
	w.conjuncts(e)
	w.rewrite(e)
}

// conjuncts collects the conditions that are joined by &&.
func (w *rewriter) conjuncts(e ast.Expr) {
	if e.Kind() == ast.CallKind {
		call := e.AsCall()
		if call.FunctionName() == operators.LogicalAnd {
			for _, arg := range call.Args() {
				w.conjuncts(arg)
			}
			return
		}
		if path, c, ok := comparison(call); ok && call.FunctionName() == operators.Equals {
			c.Field = record.JoinPath(path.names...)
			w.necessary = append(w.necessary, c)
			return
		}
		if path, all, ok := membership(call); ok {
			for i := range all {
				all[i].Field = record.JoinPath(path.names...)
			}
			w.memberships = append(w.memberships, all)
		}
	}
	w.simple = false
}

// rewrite replaces what is in e.
func (w *rewriter) rewrite(e ast.Expr) {
	if path, ok := pathOf(e); ok {
		slot := w.slot(path)
		e.SetKindCase(factory.NewIdent(e.ID(), variable(w.fields[slot].Path)))
		return
	}
	switch e.Kind() {
	case ast.CallKind:
		w.call(e, e.AsCall())
	case ast.ListKind:
		for _, one := range e.AsList().Elements() {
			w.rewrite(one)
		}
	case ast.MapKind:
		for _, entry := range e.AsMap().Entries() {
			w.rewrite(entry.AsMapEntry().Key())
			w.rewrite(entry.AsMapEntry().Value())
		}
	case ast.SelectKind:
		w.rewrite(e.AsSelect().Operand())
	case ast.StructKind, ast.ComprehensionKind:
		w.mistake(e, "messages cannot be made here")
	case ast.LiteralKind:
		if w.value && e.AsLiteral() == types.NullValue { // of any type, so that it may stand beside a value
			e.SetKindCase(factory.NewCall(e.ID(), "dyn", factory.NewLiteral(-e.ID(), types.NullValue)))
		}
	case ast.IdentKind, ast.UnspecifiedExprKind:
	}
}

func (w *rewriter) call(e ast.Expr, call ast.CallExpr) {
	if call.FunctionName() == "has" && !call.IsMemberFunction() && len(call.Args()) == 1 {
		path, ok := pathOf(call.Args()[0])
		if !ok {
			w.mistake(e, "has() is of a field, like has(user.id)")
			return
		}
		w.put(e, test{slot: w.slot(path)}, false)
		return
	}
	if path, c, ok := comparison(call); ok {
		w.test(e, path, []Condition{c}, call.FunctionName() == operators.NotEquals)
		return
	}
	if path, all, ok := membership(call); ok {
		w.test(e, path, all, false)
		return
	}
	if call.IsMemberFunction() {
		switch name := call.FunctionName(); name {
		case "all", "exists", "exists_one", "map", "filter":
			w.mistake(e, "there is no macro "+name+": an expression does not go through lists")
			return
		}
		w.rewrite(call.Target())
	}
	for _, arg := range call.Args() {
		w.rewrite(arg)
	}
}

// test puts conditions in the place of e: with types they stay as they are, so that a wrong type shows, but text of columns
// is compared with anything.
func (w *rewriter) test(e ast.Expr, path fieldPath, oneOf []Condition, negated bool) {
	slot := w.slot(path)
	if w.types != nil && w.types(w.fields[slot].Path) != Column {
		for _, arg := range e.AsCall().Args() {
			w.rewrite(arg)
		}
		return
	}
	for i := range oneOf {
		oneOf[i].Field = w.fields[slot].Path
	}
	w.put(e, test{slot, oneOf}, negated)
}

func (w *rewriter) put(e ast.Expr, t test, negated bool) {
	name := testName(len(w.tests))
	w.tests = append(w.tests, t)
	if negated {
		e.SetKindCase(factory.NewCall(e.ID(), operators.LogicalNot, factory.NewIdent(-e.ID(), name)))
		return
	}
	e.SetKindCase(factory.NewIdent(e.ID(), name))
}

// slot is the place of a field among all.
func (w *rewriter) slot(path fieldPath) int {
	text := record.JoinPath(path.names...)
	slot, ok := w.slots[text]
	if !ok {
		slot = len(w.fields)
		w.slots[text] = slot
		w.fields = append(w.fields, Field{text, w.place(path.id)})
	}
	return slot
}

// fieldPath is the names of a field, and the part of the expression that begins with it.
type fieldPath struct {
	names []string
	id    int64
}

// pathOf reads a.b["c"] as a path.
func pathOf(e ast.Expr) (fieldPath, bool) {
	var inner ast.Expr
	var name string
	switch e.Kind() {
	case ast.IdentKind:
		if strings.HasPrefix(e.AsIdent(), variablePrefix) {
			return fieldPath{}, false // it has been replaced
		}
		return fieldPath{[]string{strings.TrimPrefix(e.AsIdent(), ".")}, e.ID()}, true
	case ast.SelectKind:
		inner, name = e.AsSelect().Operand(), e.AsSelect().FieldName()
	case ast.CallKind:
		call := e.AsCall()
		if call.FunctionName() != operators.Index || call.Args()[1].Kind() != ast.LiteralKind {
			return fieldPath{}, false
		}
		text, ok := call.Args()[1].AsLiteral().(types.String)
		if !ok {
			return fieldPath{}, false
		}
		inner, name = call.Args()[0], string(text)
	default:
		return fieldPath{}, false
	}
	path, ok := pathOf(inner)
	path.names = append(path.names, name)
	return path, ok
}

// comparison reads FIELD == LITERAL, either way round, and FIELD != LITERAL.
func comparison(call ast.CallExpr) (path fieldPath, c Condition, ok bool) {
	if call.FunctionName() != operators.Equals && call.FunctionName() != operators.NotEquals {
		return path, c, false
	}
	field, value := call.Args()[0], call.Args()[1]
	if field.Kind() == ast.LiteralKind {
		field, value = value, field
	}
	if path, ok = pathOf(field); !ok {
		return path, c, false
	}
	c, ok = literal(value)
	return path, c, ok
}

// membership reads FIELD in [LITERALS].
func membership(call ast.CallExpr) (path fieldPath, all []Condition, ok bool) {
	if call.FunctionName() != operators.In || call.Args()[1].Kind() != ast.ListKind {
		return path, nil, false
	}
	if path, ok = pathOf(call.Args()[0]); !ok {
		return path, nil, false
	}
	elements := call.Args()[1].AsList().Elements()
	if len(elements) == 0 {
		return path, nil, false
	}
	for _, one := range elements {
		c, ok := literal(one)
		if !ok {
			return path, nil, false
		}
		all = append(all, c)
	}
	return path, all, true
}

// literal is the condition that a field has that value; not ok for null and bytes, and what is no literal.
func literal(e ast.Expr) (Condition, bool) {
	if e.Kind() != ast.LiteralKind {
		return Condition{}, false
	}
	switch v := e.AsLiteral().(type) {
	case types.String:
		return Condition{Value: string(v), Type: TextCondition}, true
	case types.Bool:
		return Condition{Value: strconv.FormatBool(bool(v)), Type: BoolCondition}, true
	case types.Int:
		return Condition{Value: strconv.FormatInt(int64(v), 10), Type: NumberCondition}, true
	case types.Uint:
		return Condition{Value: strconv.FormatUint(uint64(v), 10), Type: NumberCondition}, true
	case types.Double:
		return Condition{Value: strconv.FormatFloat(float64(v), 'g', -1, 64), Type: NumberCondition}, true
	default:
		return Condition{}, false
	}
}
