package expression

import (
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"tributary/io/record"
)

// valueOf is a field's value in an expression: a UUID is its text; a decimal, and a whole number that is larger than an int, is the
// double nearest to it; what is missing is null.
func valueOf(v record.Value) ref.Val {
	switch v.Kind {
	case record.Bool:
		return types.Bool(v.Int != 0)
	case record.Int:
		return types.Int(v.Int)
	case record.Float:
		return types.Double(v.Float)
	case record.String:
		return types.String(v.Text)
	case record.Bytes:
		return types.Bytes(v.Text)
	case record.UUID:
		id, err := v.AppendID(nil)
		if err != nil {
			return types.NewErr("%v", err)
		}
		return types.String(id)
	case record.Decimal, record.Number:
		f, ok := v.Number()
		if !ok {
			return types.NewErr("%s is too large", v)
		}
		return types.Double(f)
	default:
		return types.NullValue
	}
}
