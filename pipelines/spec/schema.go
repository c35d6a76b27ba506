package spec

import _ "embed"

//go:embed schema.json
var schema []byte

// Schema returns the JSON Schema (draft 2020-12) of specs, for editors. What it
// rejects, Parse rejects; rules between values are Parse's alone.
func Schema() []byte {
	return append([]byte(nil), schema...)
}
