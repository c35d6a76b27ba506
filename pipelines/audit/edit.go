package audit

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/tidwall/gjson"

	"tributary/io/format/avro"
)

// withVersion returns a sample with another version, as it is if its kind has none.
func (s *samples) withVersion(raw []byte, version int64) ([]byte, error) {
	return s.with(raw, "version", []byte(strconv.FormatInt(version, 10)), func(rest []byte) ([]byte, int) {
		_, n := binary.Varint(rest)
		return binary.AppendVarint(nil, version), n
	})
}

// withoutWeight returns a sample that takes back what was said of its view.
func (s *samples) withoutWeight(raw []byte) ([]byte, error) {
	return s.with(raw, "weight", []byte("0"), func([]byte) ([]byte, int) {
		return binary.LittleEndian.AppendUint64(nil, math.Float64bits(0)), 8
	})
}

// with puts another value into one of a sample's own fields: text in JSON, and in Avro what edit makes of the bytes from the field on, with how
// many of them it stands for.
func (s *samples) with(raw []byte, field string, text []byte, edit func(rest []byte) ([]byte, int)) ([]byte, error) {
	if s.text {
		found := gjson.GetBytes(raw, field)
		if !found.Exists() {
			return raw, nil
		}
		return slices.Concat(raw[:found.Index], text, raw[found.Index+len(found.Raw):]), nil
	}
	if _, err := s.avro.Lookup(field); err != nil {
		return raw, nil //nolint:nilerr // it has none
	}
	at, err := s.fieldAt(raw, field)
	if err != nil {
		return nil, err
	}
	value, n := edit(raw[at:])
	if n <= 0 || n > len(raw)-at {
		return nil, fmt.Errorf("the sample ends within %s", field)
	}
	return slices.Concat(raw[:at], value, raw[at+n:]), nil
}

// fieldAt is where a field of an Avro record begins, by the schema of what stands before it.
func (s *samples) fieldAt(raw []byte, field string) (int, error) {
	if s.before[field] == nil {
		var schema struct {
			Type      string            `json:"type"`
			Name      string            `json:"name"`
			Namespace string            `json:"namespace,omitempty"`
			Fields    []json.RawMessage `json:"fields"`
		}
		if err := json.Unmarshal([]byte(s.avro.String()), &schema); err != nil {
			return 0, fmt.Errorf("the schema of samples: %w", err)
		}
		at := slices.IndexFunc(schema.Fields, func(f json.RawMessage) bool { return gjson.GetBytes(f, "name").String() == field })
		schema.Fields = schema.Fields[:max(at, 0)]
		text, err := json.Marshal(schema)
		if err != nil {
			return 0, err
		}
		before, err := avro.ParseSchema(string(text))
		if err != nil {
			return 0, err
		}
		if s.before[field], err = avro.Project(before, nil); err != nil {
			return 0, err
		}
	}
	return s.before[field].Skip(raw)
}
