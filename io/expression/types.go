package expression

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"tributary/io/record"
)

// Type is what a schema says of a field's values.
type Type struct {
	kind     record.Kind
	nullable bool
	column   bool
}

// Any is the type of a field of which nothing is known, Column that of a column of CSV, which is text that is compared with
// literals of any type.
var (
	Any    = Type{}
	Column = Type{kind: record.String, column: true}
)

// TypeOf is the type of values of one kind; record.Null for several.
func TypeOf(kind record.Kind, nullable bool) Type {
	return Type{kind: kind, nullable: nullable && kind != record.Null}
}

// OwnType is that of a field that a record has beside its value (record.IsOwn).
func OwnType(path string) Type {
	switch path {
	case record.OwnTimestamp:
		return TypeOf(record.Int, true)
	case record.OwnPartition, record.OwnOffset:
		return TypeOf(record.Int, false)
	default:
		return TypeOf(record.String, true)
	}
}

// cel is the type that CEL knows.
func (t Type) cel() *cel.Type {
	var out *cel.Type
	switch t.kind {
	case record.Bool:
		out = cel.BoolType
	case record.Int:
		out = cel.IntType
	case record.Float, record.Decimal, record.Number:
		out = cel.DoubleType
	case record.String, record.UUID:
		out = cel.StringType
	case record.Bytes:
		out = cel.BytesType
	default:
		return cel.DynType
	}
	if t.nullable {
		return cel.NullableType(out)
	}
	return out
}

// typeName is what messages call a type.
func typeName(t *cel.Type) string {
	switch t.Kind() {
	case cel.StringKind:
		return "text"
	case cel.IntKind, cel.UintKind, cel.DoubleKind:
		return "a number (" + t.String() + ")"
	default:
		return "of type " + plain(t.String())
	}
}

// Type is of which type the values of an expression of ParseValue are with those types of fields, nil where none is known: Any where that does
// not follow. Each may be null as well. The error is Mistakes.
func (e *Expression) Type(of func(path string) Type) (Type, error) {
	_, parts, err := compile(e.text, e.value, of)
	if err != nil {
		return Any, err
	}
	return TypeOf(parts.kindOf(parts.checked.NativeRep().Expr()), true), nil
}

// kindOf is of which kind the values of a part are; null for several. A choice between null and something is of the kind of that.
func (w *rewriter) kindOf(e ast.Expr) record.Kind {
	if e.Kind() == ast.CallKind && e.AsCall().FunctionName() == operators.Conditional {
		yes, no := e.AsCall().Args()[1], e.AsCall().Args()[2]
		switch {
		case isNull(yes):
			return w.kindOf(no)
		case isNull(no):
			return w.kindOf(yes)
		}
		if kind := w.kindOf(yes); kind == w.kindOf(no) {
			return kind
		}
		return record.Null
	}
	switch w.checked.NativeRep().GetType(e.ID()).Kind() {
	case cel.BoolKind:
		return record.Bool
	case cel.IntKind, cel.UintKind:
		return record.Int
	case cel.DoubleKind:
		return record.Float
	case cel.StringKind:
		return record.String
	default:
		return record.Null
	}
}

// isNull tells whether a part is null, as rewrite leaves it.
func isNull(e ast.Expr) bool {
	if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != "dyn" || len(e.AsCall().Args()) != 1 {
		return false
	}
	arg := e.AsCall().Args()[0]
	return arg.Kind() == ast.LiteralKind && arg.AsLiteral() == types.NullValue
}

// Kind is that of the values; record.Null where it is not known.
func (t Type) Kind() record.Kind { return t.kind }

// Check holds the expression against the types of its fields. The error is Mistakes.
func (e *Expression) Check(types func(path string) Type) error {
	_, _, err := compile(e.text, e.value, types)
	return err
}
