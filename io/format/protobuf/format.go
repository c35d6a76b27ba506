// Package protobuf reads Protobuf messages as the text of JSON objects, by schemas that a registry has as the text of .proto files.
//
// The fields of the text have the names of the .proto file. Whole numbers of all sizes are numbers, bytes base64 text, enums their names, or
// their number where the schema has no name for it. What is not set is its default where the schema cannot tell it from that, and
// else absent. Timestamps are text by RFC 3339, durations like 1.5s, and the wrapper types and Struct what they stand for. Not a number
// and the infinities are text.
//
//	format.go   the format; schema.go: the text of schemas; json.go: messages as JSON
package protobuf

import (
	"errors"

	"tributary/io/format"
)

func init() { format.Register(values{}) }

// values is the format as the registry of formats knows it.
type values struct{}

// Name is protobuf.
func (values) Name() string { return "protobuf" }

// Schemas is false: records are read as JSON.
func (values) Schemas() bool { return false }

// Record knows no schema to read a value by.
func (values) Record([]byte) ([]byte, error) {
	return nil, errors.New("a message of Protobuf, without the schema that it was written with")
}

// SchemaType is what registries call it.
func (values) SchemaType() string { return "PROTOBUF" }

// Alone is false: a message says nothing of its fields.
func (values) Alone() bool { return false }
