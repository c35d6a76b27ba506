package avro

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
)

// appendDefault appends the encoded form of v, a default as a schema's JSON has it, as
// a value of type t. For a union the default may be of any branch, as Avro 1.12 has it;
// the first that takes it is meant.
func appendDefault(dst []byte, t *Type, v any, depth int) ([]byte, error) {
	if depth > maxNesting {
		return dst, errors.New("the default needs itself")
	}
	switch t.Kind {
	case KindUnion:
		for i, b := range t.Branches {
			if out, err := appendDefault(binary.AppendVarint(dst, int64(i)), b, v, depth+1); err == nil {
				return out, nil
			}
		}
	case KindRecord:
		if o, ok := v.(map[string]any); ok {
			return appendDefaultFields(dst, t, o, depth)
		}
	case KindArray:
		if list, ok := v.([]any); ok {
			if len(list) > 0 {
				dst = binary.AppendVarint(dst, int64(len(list)))
			}
			for _, item := range list {
				var err error
				if dst, err = appendDefault(dst, t.Items, item, depth+1); err != nil {
					return dst, err
				}
			}
			return append(dst, 0), nil
		}
	case KindMap:
		if o, ok := v.(map[string]any); ok {
			if len(o) > 0 {
				dst = binary.AppendVarint(dst, int64(len(o)))
			}
			for _, key := range slices.Sorted(maps.Keys(o)) {
				dst = binary.AppendVarint(dst, int64(len(key)))
				dst = append(dst, key...)
				var err error
				if dst, err = appendDefault(dst, t.Items, o[key], depth+1); err != nil {
					return dst, err
				}
			}
			return append(dst, 0), nil
		}
	default:
		if out, ok := appendDefaultScalar(dst, t, v); ok {
			return out, nil
		}
	}
	return dst, fmt.Errorf("its default, %s, is not of type %s", describe(v), typeName(t))
}

func appendDefaultFields(dst []byte, t *Type, o map[string]any, depth int) ([]byte, error) {
	for _, f := range t.Fields {
		v, ok := o[f.Name]
		if !ok {
			if v, ok = f.Default, f.HasDefault; !ok {
				return dst, fmt.Errorf("its default lacks the field %s of %s", f.Name, t.Name)
			}
		}
		var err error
		if dst, err = appendDefault(dst, f.Type, v, depth+1); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func appendDefaultScalar(dst []byte, t *Type, v any) (out []byte, ok bool) {
	switch v := v.(type) {
	case nil:
		return dst, t.Kind == KindNull
	case bool:
		if v {
			return append(dst, 1), t.Kind == KindBoolean
		}
		return append(dst, 0), t.Kind == KindBoolean
	case json.Number:
		return appendDefaultNumber(dst, t.Kind, v.String())
	case string:
		switch t.Kind {
		case KindString:
			return append(binary.AppendVarint(dst, int64(len(v))), v...), true
		case KindEnum:
			i := slices.Index(t.Symbols, v)
			return binary.AppendVarint(dst, int64(i)), i >= 0
		case KindBytes, KindFixed:
			// Each character up to U+00FF stands for the byte of its number.
			raw := make([]byte, 0, len(v))
			for _, c := range v {
				if c > 0xff {
					return dst, false
				}
				raw = append(raw, byte(c))
			}
			if t.Kind == KindFixed {
				return append(dst, raw...), len(raw) == t.Size
			}
			return append(binary.AppendVarint(dst, int64(len(raw))), raw...), true
		default: // no other type has text for a default
		}
	}
	return dst, false
}

func appendDefaultNumber(dst []byte, kind Kind, text string) (out []byte, ok bool) {
	switch kind {
	case KindInt:
		i, err := strconv.ParseInt(text, 10, 32)
		return binary.AppendVarint(dst, i), err == nil
	case KindLong:
		i, err := strconv.ParseInt(text, 10, 64)
		return binary.AppendVarint(dst, i), err == nil
	case KindFloat:
		f, err := strconv.ParseFloat(text, 32)
		return binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(f))), err == nil
	case KindDouble:
		f, err := strconv.ParseFloat(text, 64)
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(f)), err == nil
	default:
		return dst, false
	}
}

// typeName names a type for messages.
func typeName(t *Type) string {
	switch {
	case t.Kind.named():
		return t.Kind.String() + " " + t.Name
	case t.Kind == KindArray || t.Kind == KindMap:
		return t.Kind.String() + " of " + typeName(t.Items)
	case t.Kind == KindUnion:
		names := ""
		for i, b := range t.Branches {
			if i > 0 {
				names += ", "
			}
			names += typeName(b)
		}
		return "union of " + names
	default:
		return t.Kind.String()
	}
}
