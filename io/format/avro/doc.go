// Package avro reads and writes Avro (specification 1.12): schemas, single fields of encoded
// records, schema resolution, and object container files.
//
// Records stay encoded throughout. A Projection reads a few fields of a record and steps over the
// rest, a Resolution rewrites a record from one schema to another, a Reader and a Writer move encoded
// records in and out of files. Nothing on these ways builds a Go value per record.
//
// # goavro
//
// github.com/linkedin/goavro carries what is not done for each record of a job: it checks every schema
// that strict readers are to take (Strict), encodes the scalars of defaults, and turns records into Go
// values and JSON for tests of specs and for whoever holds a join to the truth (Codec, EachRow); made
// truth is written by it. What people and programs are shown, samples, dead letters and files, is one JSON
// by NewJSON wherever it is seen.
//
// The rest is done here, for one of two reasons. Speed, on the records of a view of 115 bytes, two
// fields of seven read (the benchmarks of this package; one core of a busy machine, so the quotient is
// what counts):
//
//	a record             here     goavro            here   goavro  quotient
//	read two fields      Project  decode all       52 ns  2370 ns        45
//	to another schema    Resolve  decode, encode  112 ns  2100 ns        18
//	to JSON              NewJSON  decode, print  1220 ns  5150 ns         4
//	from JSON            jsontext both ways       830 ns  4700 ns         6
//	from a file, plain   Reader   OCFReader       110 ns  1970 ns        18
//	to a file, plain     Writer   OCFWriter        36 ns   930 ns        26
//
// And answers; the tests of goavro_test.go fail once goavro gives others:
//
//   - Its canonical form depends on the order of a Go map where a type is used again inside a namespace,
//     keeps attributes beside primitive types, and joins nested namespaces. Of a canonical form it
//     makes the same one, so Codec gives it that.
//   - It decodes an int of 33 bits, a long of 70 and text that is not UTF-8 without an error.
//   - It takes the default 1.5 of a long for 1, 9007199254740993 for a neighbour, the byte 255 for two,
//     and refuses null for ["string", "null"].
//   - It takes enums with a symbol twice and names defined twice; it refuses names like user-agent, which
//     files have, and panics on a second decimal without a scale.
//   - Its JSON has members in any order. Two writings of a sample must be the same bytes.
//   - It gives up a file at the first damaged block, and has no zstandard.
//
// # Files
//
//	schema.go      a schema; parse.go, default.go, alias.go, canonical.go, strict.go, inline.go: its text, and what is made of it; branches.go: the
//	               types of a union at its top, each by itself
//	lookup.go      a field by its path
//	projection.go  fields of encoded records; compile.go, program.go, run.go: as a program over their bytes
//	way.go         the records on the way to a field
//	list.go        the elements of an array in encoded records; elementschema.go: the schema of a record with one of them in its place
//	cut.go         fields of encoded records, still encoded; typetext.go: their types as text
//	resolve.go     a record from one schema to another; match.go, transcode.go: which types fit, and how
//	json.go        records as JSON; columns.go: as the cells of a table
//	wire.go        the encoding, read; bounded.go: what nesting a schema can have
//	reader.go      files, block by block; header.go, input.go, codec.go, damage.go; writer.go: and written
//	format.go      all this as a format.Format
//	goavro.go      what goavro does; each.go: every record of a file, for tools and tests
package avro
