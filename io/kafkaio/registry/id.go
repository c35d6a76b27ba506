package registry

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"

	"github.com/google/uuid"
)

// ID names a schema: by its number in a registry, or, if GUID is not zero, by what it is called in every one.
type ID struct {
	Number int32
	GUID   uuid.UUID
}

func (id ID) String() string {
	if id.GUID != uuid.Nil {
		return id.GUID.String()
	}
	return strconv.Itoa(int(id.Number))
}

// Header is the header of a record that names the schema of its value, where the value itself does not: it holds what
// would precede the value.
const Header = "__value_schema_id"

// What an id begins with, and how long it is with that.
const (
	byNumber, numberSize = 0, 5
	byGUID, guidSize     = 1, 17
)

// Unframe splits a value in wire format: a zero byte and the schema's id in four bytes, or a byte of one and its GUID in 16,
// and the rest. The error says why it is not in that format.
func Unframe(value []byte) (id ID, rest []byte, err error) {
	id, rest, err = cutID(value)
	if err != nil {
		return ID{}, nil, fmt.Errorf("not in the registry's wire format: %w", err)
	}
	return id, rest, nil
}

// InHeader reads the id in a Header, and what else there is in it: the message's place in a schema of Protobuf.
func InHeader(header []byte) (id ID, rest []byte, err error) {
	id, rest, err = cutID(header)
	if err != nil {
		return ID{}, nil, fmt.Errorf("header %s: %w", Header, err)
	}
	return id, rest, nil
}

func cutID(b []byte) (id ID, rest []byte, err error) {
	switch {
	case len(b) >= guidSize && b[0] == byGUID:
		copy(id.GUID[:], b[1:])
		if id.GUID == uuid.Nil {
			return ID{}, nil, errors.New("a GUID of zeros names no schema")
		}
		return id, b[guidSize:], nil
	case len(b) > 0 && b[0] == byGUID:
		return ID{}, nil, fmt.Errorf("%d bytes are fewer than the %d of a GUID", len(b), guidSize)
	case len(b) < numberSize:
		return ID{}, nil, fmt.Errorf("%d bytes are fewer than the %d before each record", len(b), numberSize)
	case b[0] != byNumber:
		return ID{}, nil, fmt.Errorf("begins with byte 0x%02x, not 0x00", b[0])
	}
	return ID{Number: int32(binary.BigEndian.Uint32(b[1:]))}, b[numberSize:], nil
}
