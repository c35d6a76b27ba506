package sink

import (
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
)

// Message is a record to be written at least once.
type Message struct {
	Key, Value []byte
	Headers    []Header
	// TimestampMs is in milliseconds since the epoch; 0 is the time of producing.
	TimestampMs int64
}

// Header is a header of a Message.
type Header struct {
	Key   string
	Value []byte
}

func encodeMessage(m Message) []byte {
	out := binary.AppendVarint(make([]byte, 0, len(m.Key)+len(m.Value)+32), m.TimestampMs)
	out = binary.AppendUvarint(out, uint64(len(m.Headers)))
	for _, h := range m.Headers {
		out = appendBytes(out, []byte(h.Key))
		out = appendBytes(out, h.Value)
	}
	return append(appendBytes(out, m.Key), m.Value...)
}

func appendBytes(out, b []byte) []byte {
	return append(binary.AppendUvarint(out, uint64(len(b))), b...)
}

func decodeMessage(buf []byte) (Message, error) {
	fail := func(what string, err error) (Message, error) {
		return Message{}, fmt.Errorf("decode message of %d bytes: %s: %w", len(buf), what, err)
	}
	stamp, n := binary.Varint(buf)
	if n <= 0 {
		return fail("timestamp", errShort)
	}
	m, rest := Message{TimestampMs: stamp}, buf[n:]
	count, n := binary.Uvarint(rest)
	if n <= 0 || count > uint64(len(rest)) {
		return fail("headers", errShort)
	}
	rest = rest[n:]
	for range count {
		var h Header
		var key []byte
		var err error
		if key, rest, err = nextBytes(rest); err != nil {
			return fail("header", err)
		}
		if h.Value, rest, err = nextBytes(rest); err != nil {
			return fail("header", err)
		}
		h.Key = string(key)
		m.Headers = append(m.Headers, h)
	}
	var err error
	if m.Key, rest, err = nextBytes(rest); err != nil {
		return fail("key", err)
	}
	if len(m.Key) == 0 {
		m.Key = nil // a record without a key may go to any partition
	}
	m.Value = rest
	return m, nil
}

var errShort = errors.New("too few bytes")

func init() {
	beam.RegisterType(reflect.TypeFor[Message]())
	beam.RegisterCoder(reflect.TypeFor[Message](), encodeMessage, decodeMessage)
}
