package sink

import (
	"encoding/binary"
	"fmt"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"tributary/io/wire"
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
		out = wire.AppendText(out, h.Key)
		out = wire.AppendBytes(out, h.Value)
	}
	return append(wire.AppendBytes(out, m.Key), m.Value...)
}

func decodeMessage(buf []byte) (Message, error) {
	r := wire.NewReader(buf)
	m := Message{TimestampMs: r.Varint()}
	for range min(r.Uvarint(), uint64(len(buf))) { // a header takes more than a byte
		m.Headers = append(m.Headers, Header{Key: string(r.Bytes()), Value: r.Bytes()})
	}
	m.Key, m.Value = r.Bytes(), r.Rest()
	if r.Short() {
		return Message{}, fmt.Errorf("decode message: %d bytes are too few", len(buf))
	}
	if len(m.Key) == 0 {
		m.Key = nil // a record without a key may go to any partition
	}
	return m, nil
}

func init() {
	beam.RegisterType(reflect.TypeFor[Message]())
	beam.RegisterCoder(reflect.TypeFor[Message](), encodeMessage, decodeMessage)
}
