package sink

import (
	"fmt"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Refused is a record that is larger than its topic takes. It is left out, and all others
// are written: one such record would stop the job for ever.
type Refused struct {
	Topic string
	Key   []byte
	// Bytes is what the record takes at most, Limit what the topic takes (max.message.bytes).
	Bytes, Limit int64
}

// String says what is wrong and what to do.
func (r Refused) String() string {
	return fmt.Sprintf("it takes %d bytes, more than topic %s takes: raise its max.message.bytes, which is %d", r.Bytes, r.Topic, r.Limit)
}

// recordOverhead is more than what surrounds key and value of a record that is alone in its
// batch: 61 bytes of the batch, and less than 60 of lengths, differences and VersionHeader.
const recordOverhead = 128

// recordBytes is what a record takes at most, before compression: clients and brokers refuse
// by that.
func recordBytes(key, value int, headers []kgo.RecordHeader) int64 {
	n := recordOverhead + key + value
	for _, h := range headers {
		n += recordOverhead/8 + len(h.Key) + len(h.Value)
	}
	return int64(n)
}

// refuse notes which records of the group a topic does not take that takes limit bytes. The
// rest of the group does not change by that: not its digest, so that what was left out once
// is left out again, nor its count.
func (g *group) refuse(topic string, limit int32) error {
	g.refused, g.limit = nil, int64(limit)
	if g.largest <= g.limit {
		return nil
	}
	for i, part := range g.parts {
		for rest := part; len(rest) > 0; {
			key, value, _, after, err := nextRecord(rest)
			if err != nil {
				return fmt.Errorf("part %d of group %d: %w", i, g.id, err)
			}
			if rest = after; g.refuses(key, value) {
				g.refused = append(g.refused, Refused{Topic: topic, Key: key, Bytes: recordBytes(len(key), len(value), nil), Limit: g.limit})
			}
		}
	}
	return nil
}

// refuses says whether a record is among those left out.
func (g *group) refuses(key, value []byte) bool {
	return recordBytes(len(key), len(value), nil) > g.limit
}

func init() {
	beam.RegisterType(reflect.TypeFor[Refused]())
	register.Emitter2[beam.EventTime, Refused]()
}
