package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"tributary/io/wire"
)

// Paths of what a record has beside its value. OwnFile is of records of files, all others are of those of topics. OwnHeaders is followed by the
// name of a header: $headers.trace. OwnType is the name of the schema that the record names: the full name of an Avro record or of a message of
// Protobuf, the title of a JSON Schema.
const (
	OwnFile      = "$file"
	OwnKey       = "$key"
	OwnTimestamp = "$timestamp"
	OwnPartition = "$partition"
	OwnOffset    = "$offset"
	OwnHeaders   = "$headers"
	OwnType      = "$type"
)

// IsOwn tells whether a path is not of a record's value, but of what its source knows beside it.
func IsOwn(path string) bool {
	if !strings.HasPrefix(path, "$") {
		return false
	}
	name, _, _ := strings.Cut(path, ".")
	return slices.Contains([]string{OwnFile, OwnKey, OwnTimestamp, OwnPartition, OwnOffset, OwnHeaders, OwnType}, name)
}

// OwnHeader is the name of the header that a path of IsOwn is of, empty for what is none. An error says what is wrong with the path.
func OwnHeader(path string) (string, error) {
	names, err := ParsePath(path)
	switch {
	case err != nil:
		return "", err
	case names[0] != OwnHeaders && len(names) > 1:
		return "", fmt.Errorf("%s is a value, and has no fields", names[0])
	case names[0] != OwnHeaders:
		return "", nil
	case len(names) != 2 || names[1] == "":
		return "", errors.New("one header is named, like " + OwnHeaders + ".trace")
	}
	return names[1], nil
}

// AppendOwn appends a value of IsOwn with its path: null, a whole number or text.
func AppendOwn(own []byte, path string, v Value) []byte {
	own = append(wire.AppendText(own, path), byte(v.Kind))
	switch v.Kind {
	case Int:
		return binary.AppendVarint(own, v.Int)
	case String:
		return wire.AppendBytes(own, v.Text)
	default:
		return own
	}
}

// OwnValue is the value of a path among those of AppendOwn, null if it is not there. Text is that of own.
func OwnValue(own []byte, path string) Value {
	for d := wire.NewReader(own); d.More(); {
		at := d.Bytes()
		v := Value{Kind: Kind(d.Byte())}
		switch v.Kind {
		case Int:
			v.Int = d.Varint()
		case String:
			v.Text = d.Bytes()
		default: // null
		}
		if !d.Short() && string(at) == path {
			return v
		}
	}
	return Value{}
}

// AppendOwned appends a record with what AppendOwn made before it, as batches with Own have it.
func AppendOwned(dst, own, record []byte) []byte {
	return append(wire.AppendBytes(dst, own), record...)
}

// SplitOwned takes apart what AppendOwned made.
func SplitOwned(owned []byte) (own, record []byte, err error) {
	d := wire.NewReader(owned)
	own = d.Bytes()
	if d.Short() {
		return nil, nil, fmt.Errorf("what is known of a record beside it: %d bytes are too few", len(owned))
	}
	return own, d.Rest(), nil
}
