package source

import (
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/record"
)

// own reads what the topic's records have beside their values (record.IsOwn), so far as it is asked for.
type own []ownField

type ownField struct {
	path, header string
}

func newOwn(paths []string) (own, error) {
	var out own
	for _, path := range paths {
		header, err := record.OwnHeader(path)
		if err != nil {
			return nil, err
		}
		out = append(out, ownField{path, header})
	}
	return out, nil
}

// append appends them, of a record of which the schema is called name.
func (o own) append(dst []byte, r *kgo.Record, name string) []byte {
	for i := range o {
		v := o[i].of(r)
		if o[i].path == record.OwnType && name != "" {
			v = record.Value{Kind: record.String, Text: []byte(name)}
		}
		dst = record.AppendOwn(dst, o[i].path, v)
	}
	return dst
}

// of is null for a record without a key, a timestamp or such a header. Of several headers of a name it is the last.
func (f *ownField) of(r *kgo.Record) record.Value {
	number := func(n int64) record.Value { return record.Value{Kind: record.Int, Int: n} }
	text := func(b []byte) record.Value {
		if b == nil {
			return record.Value{}
		}
		return record.Value{Kind: record.String, Text: b}
	}
	switch f.path {
	case record.OwnKey:
		return text(r.Key)
	case record.OwnPartition:
		return number(int64(r.Partition))
	case record.OwnOffset:
		return number(r.Offset)
	case record.OwnTimestamp:
		if ms := r.Timestamp.UnixMilli(); ms >= 0 {
			return number(ms)
		}
		return record.Value{}
	case record.OwnType: // append knows it
		return record.Value{}
	}
	for i := len(r.Headers) - 1; i >= 0; i-- {
		if r.Headers[i].Key == f.header {
			return text(r.Headers[i].Value)
		}
	}
	return record.Value{}
}
