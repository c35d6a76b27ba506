package protobuf

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"pgregory.net/rapid"
)

const (
	money = `syntax = "proto3"; package shop; message Money { int64 cents = 1; string currency = 2; }`
	views = `
syntax = "proto3";
package shop;
import "shop/money.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/wrappers.proto";
import "google/protobuf/struct.proto";
message Other { bool it = 1; }
message View {
  enum Surface { SURFACE_UNKNOWN = 0; FEED = 1; SEARCH = 2; }
  message Item { string id = 1; Money price = 2; repeated View shown = 3; }
  string view_id = 1;
  int64 at_ms = 2;
  uint64 hash = 3;
  double score = 4;
  float weight = 5;
  bool paid = 6;
  bytes blob = 7;
  Surface surface = 8;
  Item item = 9;
  repeated int32 shown = 10;
  map<string, Item> by_name = 11;
  map<int64, string> by_number = 12;
  optional int32 position = 13;
  google.protobuf.Timestamp at = 14;
  google.protobuf.Duration took = 15;
  google.protobuf.StringValue note = 16;
  google.protobuf.Struct more = 17;
  oneof who { string user = 18; sint64 device = 19; }
  repeated Surface surfaces = 20;
  google.protobuf.Int64Value big = 21;
  fixed32 four = 22;
  google.protobuf.ListValue list = 23;
  google.protobuf.BoolValue yes = 24;
}
message Outer { message Middle { message Inner { string name = 1; } } }`
)

func parsed(t require.TestingT) *Schema {
	s, err := ParseSchema(context.Background(), views, map[string]string{"shop/money.proto": money})
	require.NoError(t, err)
	return s
}

// at are indexes as they are encoded.
func at(indexes ...int64) []byte {
	b := binary.AppendVarint(nil, int64(len(indexes)))
	for _, i := range indexes {
		b = binary.AppendVarint(b, i)
	}
	return b
}

// TestText is the form of each type of field.
func TestText(t *testing.T) {
	m, err := parsed(t).Message(at(1))
	require.NoError(t, err)
	require.Equal(t, "shop.View", m.Name())
	const unset = `,"hash":0,"score":0,"weight":0,"paid":false,"blob":"","surface":"SURFACE_UNKNOWN","shown":[],"by_name":{},"by_number":{},"surfaces":[],"four":0}`
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", ``, `{"view_id":"","at_ms":0` + unset},
		{"large numbers", `view_id: "v1" at_ms: 9223372036854775807 hash: 18446744073709551615`, `{"view_id":"v1","at_ms":9223372036854775807,"hash":18446744073709551615,"score":0,"weight":0,"paid":false,"blob":"","surface":"SURFACE_UNKNOWN","shown":[],"by_name":{},"by_number":{},"surfaces":[],"four":0}`},
		{"what is no number", `score: nan weight: -inf`, `{"view_id":"","at_ms":0,"hash":0,"score":"NaN","weight":"-Infinity","paid":false,"blob":"","surface":"SURFACE_UNKNOWN","shown":[],"by_name":{},"by_number":{},"surfaces":[],"four":0}`},
		{"enums, lists, maps, bytes", `blob: "\xff\x00" surface: SEARCH surfaces: [FEED, 7] shown: [3, -1] by_number { key: 2 value: "b" } by_number { key: 10 value: "a" }`, `{"view_id":"","at_ms":0,"hash":0,"score":0,"weight":0,"paid":false,"blob":"/wA=","surface":"SEARCH","shown":[3,-1],"by_name":{},"by_number":{"10":"a","2":"b"},"surfaces":["FEED",7],"four":0}`},
		{"what is set", `position: 0 device: -1 item { id: "i" price { cents: 5 } } note { } big { value: 4 } list { values { null_value: NULL_VALUE } values { number_value: 1.5 } }`, `{"view_id":"","at_ms":0,"hash":0,"score":0,"weight":0,"paid":false,"blob":"","surface":"SURFACE_UNKNOWN","item":{"id":"i","price":{"cents":5,"currency":""},"shown":[]},"shown":[],"by_name":{},"by_number":{},"position":0,"note":"","device":-1,"surfaces":[],"big":4,"four":0,"list":[null,1.5]}`},
		{"times", `at { seconds: 1767225600 nanos: 123000000 } took { seconds: -1 nanos: -500000000 }`, `{"view_id":"","at_ms":0,"hash":0,"score":0,"weight":0,"paid":false,"blob":"","surface":"SURFACE_UNKNOWN","shown":[],"by_name":{},"by_number":{},"at":"2026-01-01T00:00:00.123Z","took":"-1.5s","surfaces":[],"four":0}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			message := dynamicpb.NewMessage(m.into.Descriptor())
			require.NoError(t, prototext.Unmarshal([]byte(tt.text), message))
			encoded, err := proto.Marshal(message)
			require.NoError(t, err)
			got, err := m.AppendJSON([]byte("before "), encoded)
			require.NoError(t, err)
			require.Equal(t, "before "+tt.want, string(got))
		})
	}
}

// TestAsOthersReadIt: what is written of any message is read back as that message by the library of Protobuf's own.
func TestAsOthersReadIt(t *testing.T) {
	schema := parsed(t)
	rapid.Check(t, func(t *rapid.T) {
		m, err := schema.Message(at(1))
		require.NoError(t, err)
		message := dynamicpb.NewMessage(m.into.Descriptor())
		fill(t, message, 3)
		encoded, err := proto.Marshal(message)
		require.NoError(t, err)
		text, err := m.AppendJSON(nil, encoded)
		require.NoError(t, err)
		require.True(t, json.Valid(text), "%s", text)
		again := dynamicpb.NewMessage(m.into.Descriptor())
		require.NoError(t, protojson.Unmarshal(text, again), "%s", text)
		require.True(t, proto.Equal(message, again), "%s\n%v\n%v", text, message, again)
	})
}

// fill sets some of the fields of a message.
func fill(t *rapid.T, m protoreflect.Message, depth int) {
	fields := m.Descriptor().Fields()
	switch m.Descriptor().FullName() {
	case "google.protobuf.Timestamp":
		m.Set(fields.ByName("seconds"), protoreflect.ValueOfInt64(rapid.Int64Range(minSeconds, maxSeconds).Draw(t, "seconds")))
		m.Set(fields.ByName("nanos"), protoreflect.ValueOfInt32(rapid.Int32Range(0, 999_999_999).Draw(t, "nanos")))
		return
	case "google.protobuf.Duration":
		sign := rapid.SampledFrom([]int64{-1, 1}).Draw(t, "sign")
		m.Set(fields.ByName("seconds"), protoreflect.ValueOfInt64(sign*rapid.Int64Range(0, 315_576_000_000).Draw(t, "seconds")))
		m.Set(fields.ByName("nanos"), protoreflect.ValueOfInt32(int32(sign)*rapid.Int32Range(0, 999_999_999).Draw(t, "nanos")))
		return
	case "google.protobuf.Value": // one of its fields must be set
		name := rapid.SampledFrom([]protoreflect.Name{"null_value", "number_value", "string_value", "bool_value"}).Draw(t, "kind")
		if name == "number_value" {
			m.Set(fields.ByName(name), protoreflect.ValueOfFloat64(rapid.Float64Range(-1e300, 1e300).Draw(t, "number")))
		} else {
			m.Set(fields.ByName(name), scalar(t, fields.ByName(name)))
		}
		return
	}
	for i := range fields.Len() {
		f := fields.Get(i)
		nested := f.Message() != nil && !f.IsMap() || f.IsMap() && f.MapValue().Message() != nil
		if nested && depth == 0 || !rapid.Bool().Draw(t, "set") {
			continue
		}
		value := func(f protoreflect.FieldDescriptor, fresh protoreflect.Value) protoreflect.Value {
			if f.Message() == nil {
				return scalar(t, f)
			}
			fill(t, fresh.Message(), depth-1)
			return fresh
		}
		switch {
		case f.IsList():
			list := m.Mutable(f).List()
			for range rapid.IntRange(1, 2).Draw(t, "many") {
				list.Append(value(f, list.NewElement()))
			}
		case f.IsMap():
			all := m.Mutable(f).Map()
			for range rapid.IntRange(1, 2).Draw(t, "many") {
				all.Set(scalar(t, f.MapKey()).MapKey(), value(f.MapValue(), all.NewValue()))
			}
		default:
			m.Set(f, value(f, m.NewField(f)))
		}
	}
}

func scalar(t *rapid.T, f protoreflect.FieldDescriptor) protoreflect.Value {
	switch f.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(rapid.Bool().Draw(t, "bool"))
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(rapid.Int32().Draw(t, "int32"))
	case protoreflect.Int64Kind, protoreflect.Sint64Kind:
		return protoreflect.ValueOfInt64(rapid.Int64().Draw(t, "int64"))
	case protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(rapid.Uint64().Draw(t, "uint64"))
	case protoreflect.Fixed32Kind:
		return protoreflect.ValueOfUint32(rapid.Uint32().Draw(t, "uint32"))
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(rapid.OneOf(rapid.Float32(), rapid.Just(float32(math.Inf(1)))).Draw(t, "float"))
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(rapid.OneOf(rapid.Float64(), rapid.Just(math.NaN())).Draw(t, "double"))
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(rapid.String().Draw(t, "string"))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes(rapid.SliceOfN(rapid.Byte(), 1, 5).Draw(t, "bytes"))
	case protoreflect.EnumKind:
		if f.Enum().FullName() == "google.protobuf.NullValue" {
			return protoreflect.ValueOfEnum(0)
		}
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(rapid.Int32Range(0, 4).Draw(t, "enum")))
	default:
		t.Fatalf("no value for a field of kind %s", f.Kind())
		return protoreflect.Value{}
	}
}

// TestIndexes: which message of a schema is meant, in the form in which producers write it.
func TestIndexes(t *testing.T) {
	s := parsed(t)
	for _, tt := range []struct {
		name, bytes, want, rest, fails string
	}{
		{"the first, as producers shorten it", "\x00rest", "shop.Other", "rest", ""},
		{"the first", "\x02\x00rest", "shop.Other", "rest", ""},
		{"another", "\x02\x02", "shop.View", "", ""},
		{"one in it", "\x04\x02\x00", "shop.View.Item", "", ""},
		{"deep", "\x06\x04\x00\x00", "shop.Outer.Middle.Inner", "", ""},
		{"nothing", "", "", "", "message indexes: 0 bytes end in the middle of them"},
		{"cut", "\x04\x02", "", "", "message indexes: 2 bytes end in the middle of them"},
		{"a negative number of them", "\x01", "", "", "message indexes: -1 of them; expected at most 64"},
		{"many", "\xff\xff\xff\x07", "", "", "message indexes: -8388608 of them; expected at most 64"},
		{"no such message", "\x02\x08", "", "", "message indexes [4]: there are 3 messages where 4 is one"},
		{"none in it", "\x04\x00\x00", "", "", "message indexes [0 0]: there are 0 messages where 0 is one"},
		{"a negative one", "\x02\x01", "", "", "message indexes [-1]: there are 3 messages where -1 is one"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			indexes, rest, err := CutIndexes([]byte(tt.bytes))
			var m *Message
			if err == nil {
				m, err = s.Message(indexes)
			}
			if tt.fails != "" {
				require.EqualError(t, err, tt.fails)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, m.Name())
			require.Equal(t, tt.rest, string(rest))
		})
	}
}

// TestDescriptors: a schema and what it imports may be descriptors, as producers in Python register them.
func TestDescriptors(t *testing.T) {
	text, err := ParseSchema(t.Context(), views, map[string]string{"shop/money.proto": money})
	require.NoError(t, err)
	encoded := func(d protoreflect.FileDescriptor) string {
		described := protodesc.ToFileDescriptorProto(d)
		var bare func(all []*descriptorpb.DescriptorProto)
		bare = func(all []*descriptorpb.DescriptorProto) {
			for _, m := range all {
				for _, f := range m.Field {
					f.JsonName = nil
				}
				bare(m.NestedType)
			}
		}
		bare(described.MessageType)
		b, err := proto.Marshal(described)
		require.NoError(t, err)
		return base64.StdEncoding.EncodeToString(b)
	}
	imported := text.file.Imports().Get(0).FileDescriptor
	s, err := ParseSchema(t.Context(), encoded(text.file), map[string]string{"shop/money.proto": encoded(imported)})
	require.NoError(t, err)
	require.True(t, proto.Equal(protodesc.ToFileDescriptorProto(text.file), protodesc.ToFileDescriptorProto(s.file)))
	_, err = ParseSchema(t.Context(), encoded(text.file), nil)
	require.ErrorContains(t, err, "the schema does not refer to it")
	_, err = ParseSchema(t.Context(), "", nil)
	require.NoError(t, err, "a file without a message")
}

// TestBadMessages: what is no message of the schema is told, in words that do not change from run to run.
func TestBadMessages(t *testing.T) {
	const old = `syntax = "proto2"; message Old { required string name = 1; optional string text = 2; }`
	s, err := ParseSchema(t.Context(), old, nil)
	require.NoError(t, err)
	m, err := s.Message(at(0))
	require.NoError(t, err)
	for _, tt := range []struct{ bytes, fails string }{
		{"\xff\xff", "message Old: cannot parse invalid wire-format data"},
		{"", "message Old: required field Old.name not set"},
		{"\x0a\x01a\x12\x01\xff", `message Old: "\xff" is not UTF-8`},
	} {
		_, err = m.AppendJSON(nil, []byte(tt.bytes))
		require.EqualError(t, err, tt.fails)
	}
	view, err := parsed(t).Message(at(1))
	require.NoError(t, err)
	for _, b := range []string{"\x72\x08\x08\xff\xff\xff\xff\xff\xff\x7f", "\x7a\x04\x08\x01\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"} {
		_, err := view.AppendJSON(nil, []byte(b))
		require.Error(t, err)
	}
	// A failed message leaves nothing behind in the next.
	got, err := m.AppendJSON(nil, []byte("\x0a\x01a"))
	require.NoError(t, err)
	require.Equal(t, `{"name":"a"}`, string(got))
}

// TestBadSchemas: all that is wrong with a schema is told.
func TestBadSchemas(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"no schema", `{"type":"object"}`, []string{"parse Protobuf schema: schema.proto:1:1: syntax error"}},
		{"an import that is not there", `syntax = "proto3"; import "shop/money.proto"; message V {}`, []string{"shop/money.proto", "the schema does not refer to it"}},
		{"types that nobody defines", `syntax = "proto3"; message V { A a = 1; B b = 2; }`, []string{"unknown type A", "unknown type B"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseSchema(t.Context(), tt.text, nil)
			for _, want := range tt.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

// FuzzMessage: no bytes make it panic, or write what is no JSON.
func FuzzMessage(f *testing.F) {
	s := parsed(f)
	for _, seed := range []string{"", "\x0a\x01a", "\x00\x02\x02\x72\x02\x08\x01"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		indexes, rest, err := CutIndexes(b)
		if err != nil {
			return
		}
		m, err := s.Message(slices.Clone(indexes))
		if err != nil {
			return
		}
		if text, err := m.AppendJSON(nil, rest); err == nil {
			require.True(t, json.Valid(text), "%q", text)
		}
	})
}
