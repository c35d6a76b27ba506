package avro

import (
	"fmt"
	"sync"

	"github.com/linkedin/goavro/v2"
)

// Codec returns goavro's codec for records of s, by which cold paths turn records into Go values
// and back, and into JSON whose unions are their values alone.
//
// It is made of the canonical form: of namespaces, defaults and logical types goavro has views of
// its own (see the package page), so values are what is stored, a time a number. The error says
// what goavro does not take: names that Strict would replace, and a fixed of no bytes.
func (s *Schema) Codec() (*goavro.Codec, error) {
	codec, err := goavro.NewCodecForStandardJSONFull(s.Canonical())
	if err != nil {
		return nil, fmt.Errorf("avro schema %s: %w", typeName(s.root), err)
	}
	return codec, nil
}

// scalars are goavro's codecs for the types whose defaults it encodes as Avro says.
var scalars = sync.OnceValue(func() map[Kind]*goavro.Codec {
	codecs := map[Kind]*goavro.Codec{}
	for _, kind := range []Kind{KindBoolean, KindInt, KindLong, KindFloat, KindDouble, KindString} {
		codec, err := goavro.NewCodec(`"` + kind.String() + `"`)
		if err != nil {
			panic(fmt.Sprintf("avro: goavro has no codec for %s: %v", kind, err))
		}
		codecs[kind] = codec
	}
	return codecs
})

// appendScalar appends the encoded form of a JSON value as a scalar; not ok if it is none, or not
// all of it is one.
func appendScalar(dst []byte, kind Kind, text []byte) (out []byte, ok bool) {
	codec := scalars()[kind]
	if codec == nil || string(text) == "null" { // which goavro takes for NaN
		return dst, false
	}
	value, rest, err := codec.NativeFromTextual(text)
	if err != nil || len(rest) > 0 {
		return dst, false
	}
	out, err = codec.BinaryFromNative(dst, value)
	return out, err == nil
}
