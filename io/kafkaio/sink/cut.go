package sink

import (
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/zeebo/xxh3"
)

// TruncatedHeader is the header of a record whose value was cut because the topic does not
// take it whole: the size that it had, in decimal.
const TruncatedHeader = "truncated"

// truncatedBytes is how much of such a value is kept, truncatedKey how much of its key: keys
// that begin alike are told apart by a hash behind that.
const (
	truncatedBytes = 64 << 10
	truncatedKey   = 1 << 10
)

// cut makes a record as small as it has to be, and says in it what is missing of its value.
func cut(r *kgo.Record, limit int64) {
	if len(r.Key) > truncatedKey {
		r.Key = fmt.Appendf(r.Key[:truncatedKey:truncatedKey], "...%016x", xxh3.Hash(r.Key))
	}
	if recordBytes(len(r.Key), len(r.Value), r.Headers) <= limit {
		return
	}
	r.Headers = append(r.Headers, kgo.RecordHeader{Key: TruncatedHeader, Value: strconv.AppendInt(nil, int64(len(r.Value)), 10)})
	room := limit - recordBytes(len(r.Key), 0, r.Headers)
	r.Value = r.Value[:max(0, min(int64(len(r.Value)), room, truncatedBytes))]
}
