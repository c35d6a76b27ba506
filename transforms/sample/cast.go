package sample

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"

	"tributary/io/record"
)

// Cast is the type that a field of the view gets as a column; empty for its own.
type Cast string

// Casts. Each may be null as well, and none loses anything without a word.
const (
	CastBoolean Cast = "boolean"
	CastLong    Cast = "long"
	CastDouble  Cast = "double"
	CastString  Cast = "string"
)

// Casts lists them.
var Casts = []Cast{CastBoolean, CastLong, CastDouble, CastString}

// typ is the Avro type of the column.
func (c Cast) typ() json.RawMessage { return json.RawMessage(`["null","` + string(c) + `"]`) }

// append appends a value as a column of that type: null for null, and for empty text where text is not asked for. The error says
// that a column of the type cannot hold it.
func (c Cast) append(dst []byte, v record.Value) ([]byte, error) {
	if v.Kind == record.Null || c != CastString && v.Kind == record.String && len(v.Text) == 0 {
		return append(dst, 0), nil
	}
	start := len(dst)
	dst = binary.AppendVarint(dst, 1)
	ok := false
	switch c {
	case CastBoolean:
		var b bool
		if b, ok = v.Boolean(); b {
			dst = append(dst, 1)
		} else {
			dst = append(dst, 0)
		}
	case CastLong:
		var n int64
		n, ok = v.Long()
		dst = binary.AppendVarint(dst, n)
	case CastDouble:
		var f float64
		f, ok = v.Double()
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(f))
	case CastString:
		var room [64]byte
		var text []byte
		text, ok = v.AppendText(room[:0])
		dst = append(binary.AppendVarint(dst, int64(len(text))), text...)
	}
	if !ok {
		return dst[:start], fmt.Errorf("%s is no %s", v, c)
	}
	return dst, nil
}
