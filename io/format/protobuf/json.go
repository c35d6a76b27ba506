package protobuf

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"tributary/io/format/jsontext"
)

// Message is a message of a Schema. Not for concurrent use.
type Message struct {
	name protoreflect.FullName
	into *dynamicpb.Message
	by   proto.UnmarshalOptions
}

func newMessage(d protoreflect.MessageDescriptor) *Message {
	return &Message{d.FullName(), dynamicpb.NewMessage(d), proto.UnmarshalOptions{DiscardUnknown: true, RecursionLimit: maxNesting}}
}

// maxNesting bounds how deep messages may stand inside each other.
const maxNesting = 1000

// Name is its full name.
func (m *Message) Name() string { return string(m.name) }

// AppendJSON appends an encoded message as a JSON object. The same bytes give the same text. The error says why there is no message in
// them.
func (m *Message) AppendJSON(dst, encoded []byte) ([]byte, error) {
	proto.Reset(m.into)
	if err := m.by.Unmarshal(encoded, m.into); err != nil {
		// The library's words change from build to build, so that nobody relies on them.
		return dst, fmt.Errorf("message %s: %s", m.name, strings.TrimPrefix(strings.ReplaceAll(err.Error(), "\u00a0", " "), "proto: "))
	}
	w := writer{dst: dst}
	w.fields(m.into)
	if w.err != nil {
		return dst, fmt.Errorf("message %s: %w", m.name, w.err)
	}
	return w.dst, nil
}

// writer appends to dst until there is an error.
type writer struct {
	dst []byte
	err error
}

func (w *writer) text(s string) { w.dst = append(w.dst, s...) }

// string writes text as JSON.
func (w *writer) string(s string) {
	if !utf8.ValidString(s) {
		w.fail(fmt.Errorf("%q is not UTF-8", s[:min(len(s), 100)]))
		return
	}
	w.dst = jsontext.AppendString(w.dst, []byte(s))
}

func (w *writer) fail(err error) { w.err = cmp.Or(w.err, err) }

// fields writes a message as an object of its fields.
func (w *writer) fields(m protoreflect.Message) {
	fields := m.Descriptor().Fields()
	w.text("{")
	first := true
	for i := range fields.Len() {
		f := fields.Get(i)
		if f.HasPresence() && !m.Has(f) {
			continue
		}
		if !first {
			w.text(",")
		}
		first = false
		w.string(string(f.Name()))
		w.text(":")
		w.field(f, m.Get(f))
	}
	w.text("}")
}

func (w *writer) field(f protoreflect.FieldDescriptor, v protoreflect.Value) {
	switch {
	case f.IsList():
		w.text("[")
		list := v.List()
		for i := range list.Len() {
			if i > 0 {
				w.text(",")
			}
			w.value(f, list.Get(i))
		}
		w.text("]")
	case f.IsMap():
		w.mapping(f, v.Map())
	default:
		w.value(f, v)
	}
}

// mapping writes a map in order of its keys as text.
func (w *writer) mapping(f protoreflect.FieldDescriptor, m protoreflect.Map) {
	var keys []protoreflect.MapKey
	m.Range(func(key protoreflect.MapKey, _ protoreflect.Value) bool {
		keys = append(keys, key)
		return true
	})
	slices.SortFunc(keys, func(a, b protoreflect.MapKey) int { return strings.Compare(a.String(), b.String()) })
	w.text("{")
	for i, key := range keys {
		if i > 0 {
			w.text(",")
		}
		w.string(key.String())
		w.text(":")
		w.value(f.MapValue(), m.Get(key))
	}
	w.text("}")
}

func (w *writer) value(f protoreflect.FieldDescriptor, v protoreflect.Value) {
	switch f.Kind() {
	case protoreflect.BoolKind:
		w.dst = strconv.AppendBool(w.dst, v.Bool())
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind, protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		w.dst = strconv.AppendInt(w.dst, v.Int(), 10)
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind, protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		w.dst = strconv.AppendUint(w.dst, v.Uint(), 10)
	case protoreflect.FloatKind:
		w.float(v.Float(), 32)
	case protoreflect.DoubleKind:
		w.float(v.Float(), 64)
	case protoreflect.StringKind:
		w.string(v.String())
	case protoreflect.BytesKind:
		w.string(base64.StdEncoding.EncodeToString(v.Bytes()))
	case protoreflect.EnumKind:
		if named := f.Enum().Values().ByNumber(v.Enum()); named != nil {
			w.string(string(named.Name()))
		} else {
			w.dst = strconv.AppendInt(w.dst, int64(v.Enum()), 10)
		}
	case protoreflect.MessageKind, protoreflect.GroupKind:
		w.message(v.Message())
	}
}

func (w *writer) float(v float64, bits int) {
	switch {
	case math.IsNaN(v):
		w.text(`"NaN"`)
	case math.IsInf(v, 1):
		w.text(`"Infinity"`)
	case math.IsInf(v, -1):
		w.text(`"-Infinity"`)
	default:
		w.dst = strconv.AppendFloat(w.dst, v, 'g', -1, bits)
	}
}

// message writes the types that stand for other things as these.
func (w *writer) message(m protoreflect.Message) {
	field := func(name protoreflect.Name) protoreflect.FieldDescriptor { return m.Descriptor().Fields().ByName(name) }
	switch m.Descriptor().FullName() {
	case "google.protobuf.Timestamp":
		w.timestamp(m.Get(field("seconds")).Int(), m.Get(field("nanos")).Int())
	case "google.protobuf.Duration":
		w.duration(m.Get(field("seconds")).Int(), m.Get(field("nanos")).Int())
	case "google.protobuf.DoubleValue", "google.protobuf.FloatValue", "google.protobuf.Int64Value", "google.protobuf.UInt64Value", "google.protobuf.Int32Value",
		"google.protobuf.UInt32Value", "google.protobuf.BoolValue", "google.protobuf.StringValue", "google.protobuf.BytesValue":
		w.value(field("value"), m.Get(field("value")))
	case "google.protobuf.Struct":
		w.mapping(field("fields"), m.Get(field("fields")).Map())
	case "google.protobuf.ListValue":
		w.field(field("values"), m.Get(field("values")))
	case "google.protobuf.Value":
		set := m.WhichOneof(m.Descriptor().Oneofs().ByName("kind"))
		if set == nil || set.Name() == "null_value" {
			w.text("null")
			return
		}
		w.value(set, m.Get(set))
	default:
		w.fields(m)
	}
}

// Bounds of a timestamp, in seconds: the years 1 to 9999.
const minSeconds, maxSeconds = -62_135_596_800, 253_402_300_799

func (w *writer) timestamp(seconds, nanos int64) {
	if seconds < minSeconds || seconds > maxSeconds || nanos < 0 || nanos >= 1e9 {
		w.fail(fmt.Errorf("a timestamp of %d s and %d ns is none of the years 1 to 9999", seconds, nanos))
		return
	}
	w.dst = append(time.Unix(seconds, nanos).UTC().AppendFormat(append(w.dst, '"'), time.RFC3339Nano), '"')
}

func (w *writer) duration(seconds, nanos int64) {
	if seconds > 0 && nanos < 0 || seconds < 0 && nanos > 0 || nanos <= -1e9 || nanos >= 1e9 {
		w.fail(fmt.Errorf("a duration of %d s and %d ns is none", seconds, nanos))
		return
	}
	sign := ""
	if seconds < 0 || nanos < 0 {
		sign, seconds, nanos = "-", -seconds, -nanos
	}
	text := fmt.Sprintf("%s%d", sign, uint64(seconds))
	if nanos > 0 {
		text += strings.TrimRight(fmt.Sprintf(".%09d", nanos), "0")
	}
	w.string(text + "s")
}
