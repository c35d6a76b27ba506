package avro

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// AppendDefault appends the field's default, which it has, in its encoded form. The error says why it
// is not of the field's type.
func (f *RecordField) AppendDefault(dst []byte) ([]byte, error) {
	return appendDefault(dst, f.Type, f.Default, 0)
}

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
	text, isText := v.(string)
	switch t.Kind {
	case KindNull:
		return dst, v == nil
	case KindEnum:
		i := slices.Index(t.Symbols, text)
		return binary.AppendVarint(dst, int64(i)), isText && i >= 0
	case KindBytes, KindFixed:
		raw, ok := codePoints(text)
		if t.Kind == KindFixed {
			return append(dst, raw...), isText && ok && len(raw) == t.Size
		}
		return append(binary.AppendVarint(dst, int64(len(raw))), raw...), isText && ok
	default:
		value, err := json.Marshal(v)
		if err != nil {
			return dst, false
		}
		return appendScalar(dst, t.Kind, value)
	}
}

// codePoints reads bytes as schemas write them: each character up to U+00FF stands for the byte
// of its number.
func codePoints(text string) (raw []byte, ok bool) {
	raw = make([]byte, 0, len(text))
	for _, c := range text {
		if c > 0xff {
			return nil, false
		}
		raw = append(raw, byte(c))
	}
	return raw, true
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
