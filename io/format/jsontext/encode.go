package jsontext

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"sync"

	"tributary/io/format/avro"
)

// Encoder turns records from JSON text into Avro by a schema. It may be used by
// several goroutines at once.
//
// The JSON is plain: a union's value stands for itself, without the name of its branch.
//   - Numbers may also be written in strings; they must be in range, and whole numbers
//     (1, 1.0, 1e3) whole. A string may be a whole number of any size, 18446744073709551615:
//     its digits are the text. Booleans may be "true", "false", "1" and "0".
//   - Times: RFC 3339 for timestamps, without a zone for local ones, 2006-01-02 for dates,
//     15:04:05 for times of day; or numbers in the unit of the type. Finer digits than
//     the type has are cut off.
//   - Bytes and fixed are base64; decimals are numbers; uuids have their usual form.
//   - A union takes the first branch that fits. From JSON, branches for which no string
//     has to be read as a number or boolean go first: "5" is the string in [long, string].
//   - A member goes by the field's name, or else by one of its aliases. Two members of one
//     name must have the same value.
//   - An absent field gets its default, or null if it may be null. Members that the
//     schema does not have are left out.
//   - From CSV, an empty value is null if it may be, else absent unless it is text.
type Encoder struct {
	root  *encType
	rules rules
}

// rules say how much is read into a value.
type rules uint8

const (
	rulesExact   rules = iota // strings are not read as other types
	rulesTyped                // they are where it helps
	rulesUntyped              // as everything is a string
)

// NewEncoder returns an encoder for the records of a Reader; untyped says that all values are strings,
// as in CSV. The schema must be of a record or of a union with one.
func NewEncoder(schema *avro.Schema, untyped bool) (*Encoder, error) {
	root, err := compile(schema)
	if err != nil {
		return nil, err
	}
	hasRecord := root.Kind == avro.KindRecord
	for _, branch := range root.branches {
		hasRecord = hasRecord || branch.Kind == avro.KindRecord
	}
	if !hasRecord {
		return nil, fmt.Errorf("avro schema: records are wanted, got %s", root.name)
	}
	e := &Encoder{root: root, rules: rulesTyped}
	if untyped {
		e.rules = rulesUntyped
	}
	return e, nil
}

// encoding is the state of encoding one record.
type encoding struct {
	dst     []byte
	rules   rules
	spans   []span // a stack: the members found of the records being encoded
	scratch []byte
	misfits []Misfit
	more    int
	depth   int
	// budget bounds the bytes looked at: trying the branches of unions inside unions
	// could otherwise take for ever on text made to that end.
	budget int
}

// span is where a member's value is in the text; zero if it is absent. byAlias: it has the
// name that the schema gives as an alias.
type span struct {
	from, to int
	byAlias  bool
}

// scanBudget is 64 looks at each byte, as for 64 levels of nesting, and some for small records.
func scanBudget(size int) int { return 64*size + 64<<10 }

var encodings = sync.Pool{New: func() any { return new(encoding) }}

// Append appends the Avro form of a record. If the text is not JSON the error is a
// *SyntaxError, if it does not fit the schema a *MisfitError, and another one if a string in
// it is no text; then dst is returned as it was.
func (a *Encoder) Append(dst, jsonText []byte) ([]byte, error) {
	from := skipSpace(jsonText, 0)
	to, err := skipValue(jsonText, from, 0)
	if err != nil {
		return dst, err
	}
	if end := skipSpace(jsonText, to); end < len(jsonText) {
		return dst, syntaxError(jsonText, end, "the end of the record")
	}
	e := encodings.Get().(*encoding)
	*e = encoding{
		dst: dst, rules: a.rules, budget: scanBudget(len(jsonText)),
		spans: e.spans[:0], scratch: e.scratch[:0], misfits: e.misfits[:0],
	}
	e.value(a.root, jsonText[from:to])
	out := e.dst
	if err = e.misfit(); err != nil {
		out = dst
	}
	e.dst = nil
	encodings.Put(e)
	return out, err
}

// value appends a value, which is valid JSON without space around it, or reports what
// does not fit.
func (e *encoding) value(t *encType, v []byte) {
	if e.budget -= len(v) + 1; e.budget < 0 || e.depth == maxDepth {
		if e.budget < 0 {
			e.report("the record takes too many attempts to fit")
		} else {
			e.report("nested too deep")
		}
		return
	}
	e.depth++
	defer func() { e.depth-- }()
	switch t.Kind {
	case avro.KindRecord:
		e.record(t, v)
	case avro.KindArray:
		e.array(t, v)
	case avro.KindMap:
		e.mapping(t, v)
	case avro.KindUnion:
		e.union(t, v)
	default:
		e.scalar(t, v)
	}
}

func (e *encoding) record(t *encType, v []byte) {
	if v[0] != '{' {
		e.wrong("an object ("+t.name+")", v)
		return
	}
	base := len(e.spans)
	for range t.fields {
		e.spans = append(e.spans, span{})
	}
	guess := 0 // members often come in the order of the schema
	for at, more := open(v, 0, '}'); more; {
		k, _ := readKey(v, at)
		text := k.text
		if k.escaped {
			e.scratch = unescape(e.scratch[:0], text)
			text = e.scratch
		}
		end, _ := skipValue(v, k.value, 0)
		i, known := guess, guess < len(t.fields) && t.fields[guess].name == string(text)
		if !known {
			i, known = t.index[string(text)]
		}
		if known {
			found := span{k.value, end, t.fields[i].name != string(text)}
			if had := e.spans[base+i]; had.to > 0 && had.byAlias == found.byAlias && !bytes.Equal(v[had.from:had.to], v[found.from:found.to]) {
				noted := len(e.misfits)
				e.report("is there twice, with different values")
				e.within(noted, t.fields[i].name)
			} else if had.to == 0 || had.byAlias {
				e.spans[base+i] = found
			}
			guess = i + 1
		}
		at, more, _ = next(v, end, '}')
	}
	for i := range t.fields {
		noted := len(e.misfits)
		e.field(&t.fields[i], v, e.spans[base+i])
		e.within(noted, t.fields[i].name)
	}
	e.spans = e.spans[:base]
}

func (e *encoding) field(f *encField, v []byte, s span) {
	absent := s.to == 0 ||
		e.rules == rulesUntyped && string(v[s.from:s.to]) == `""` && f.hasDefault && f.typ.Kind != avro.KindString && f.typ.Kind != avro.KindUnion
	switch {
	case !absent:
		e.value(f.typ, v[s.from:s.to])
	case f.hasDefault:
		e.dst = append(e.dst, f.unset...)
	case f.typ.Kind == avro.KindUnion && f.typ.null >= 0:
		e.dst = binary.AppendVarint(e.dst, int64(f.typ.null))
	case f.typ.Kind == avro.KindNull:
	default:
		e.report("is missing (" + f.typ.name + ")")
	}
}

func (e *encoding) array(t *encType, v []byte) {
	if v[0] != '[' {
		e.wrong("an array", v)
		return
	}
	count := 0 // goes before the items
	for at, more := open(v, 0, ']'); more; count++ {
		end, _ := skipValue(v, at, 0)
		at, more, _ = next(v, end, ']')
	}
	if count > 0 {
		e.dst = binary.AppendVarint(e.dst, int64(count))
		item := 0
		for at, more := open(v, 0, ']'); more; item++ {
			end, _ := skipValue(v, at, 0)
			noted := len(e.misfits)
			e.value(t.items, v[at:end])
			e.withinItem(noted, item)
			at, more, _ = next(v, end, ']')
		}
	}
	e.dst = append(e.dst, 0)
}

func (e *encoding) mapping(t *encType, v []byte) {
	if v[0] != '{' {
		e.wrong("an object (map)", v)
		return
	}
	seen := map[string]bool{}
	for at, more := open(v, 0, '}'); more; {
		k, _ := readKey(v, at)
		name := string(k.text)
		if k.escaped {
			name = string(unescape(nil, k.text))
		}
		if seen[name] {
			e.report("key " + strconv.Quote(name) + " is there twice")
		}
		seen[name] = true
		end, _ := skipValue(v, k.value, 0)
		at, more, _ = next(v, end, '}')
	}
	if len(seen) > 0 {
		e.dst = binary.AppendVarint(e.dst, int64(len(seen)))
		for at, more := open(v, 0, '}'); more; {
			k, _ := readKey(v, at)
			name := k.text
			if k.escaped {
				name = unescape(nil, name)
			}
			e.dst = appendAvroBytes(e.dst, name)
			end, _ := skipValue(v, k.value, 0)
			noted := len(e.misfits)
			e.value(t.items, v[k.value:end])
			if noted < len(e.misfits) {
				e.within(noted, strconv.Quote(shortened(name)))
			}
			at, more, _ = next(v, end, '}')
		}
	}
	e.dst = append(e.dst, 0)
}

// union appends the first branch that fits.
func (e *encoding) union(t *encType, v []byte) {
	if t.null >= 0 && (v[0] == 'n' || e.rules == rulesUntyped && string(v) == `""`) {
		e.dst = binary.AppendVarint(e.dst, int64(t.null))
		return
	}
	if len(t.branches) == 2 && t.null >= 0 { // nothing to choose: say what is wrong
		e.branch(t, 1-t.null, v)
		return
	}
	if e.rules == rulesTyped {
		e.rules = rulesExact
		fits := e.tryBranches(t, v)
		e.rules = rulesTyped
		if fits {
			return
		}
	}
	if !e.tryBranches(t, v) {
		e.wrong(t.name, v)
	}
}

func (e *encoding) branch(t *encType, i int, v []byte) {
	e.dst = binary.AppendVarint(e.dst, int64(i))
	e.value(t.branches[i], v)
}

func (e *encoding) tryBranches(t *encType, v []byte) bool {
	size, noted, more := len(e.dst), len(e.misfits), e.more
	// Only whether there are any counts here.
	for i := range t.branches {
		e.branch(t, i, v)
		if len(e.misfits) == noted && e.more == more {
			return true
		}
		e.dst, e.misfits, e.more = e.dst[:size], e.misfits[:noted], more
		if e.budget < 0 {
			return false
		}
	}
	return false
}

func appendAvroBytes[T string | []byte](dst []byte, b T) []byte {
	return append(binary.AppendVarint(dst, int64(len(b))), b...)
}
