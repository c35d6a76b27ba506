package avro

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// JSONWriter writes encoded records as plain JSON, for people and for tools that know
// nothing of Avro: a union is its value alone, bytes and fixed are base64 (standard,
// padded), logical types are the numbers they are stored as, NaN and the infinities
// are null, an enum is its symbol, a field has the name that it had before Strict. It is
// safe for concurrent use.
type JSONWriter struct {
	root  *jsonNode
	depth int
}

// jsonNode is a type with the parts of its JSON that are always the same.
type jsonNode struct {
	kind    Kind
	parts   [][]byte // record: `{"name":` then `,"name":`; enum: the symbols in quotes
	names   []string // record: for the paths of errors
	nodes   []*jsonNode
	minSize int64
}

// NewJSON prepares to write records of schema s. Every schema that parses can be
// written, so the error is nil today.
func NewJSON(s *Schema) (*JSONWriter, error) {
	return &JSONWriter{root: jsonNodes(s.root, map[*Type]*jsonNode{})}, nil
}

func jsonNodes(t *Type, known map[*Type]*jsonNode) *jsonNode {
	if n, ok := known[t]; ok {
		return n
	}
	n := &jsonNode{kind: t.Kind, minSize: t.minSize}
	known[t] = n
	switch t.Kind {
	case KindRecord:
		for i, f := range t.Fields {
			open := ","
			if i == 0 {
				open = "{"
			}
			n.parts = append(n.parts, []byte(open+quoted(cmp.Or(f.Original, f.Name))+":"))
			n.names = append(n.names, f.Name)
			n.nodes = append(n.nodes, jsonNodes(f.Type, known))
		}
	case KindEnum:
		for _, s := range t.Symbols {
			n.parts = append(n.parts, []byte(quoted(s)))
		}
	case KindArray, KindMap:
		n.nodes = []*jsonNode{jsonNodes(t.Items, known)}
	case KindUnion:
		for _, b := range t.Branches {
			n.nodes = append(n.nodes, jsonNodes(b, known))
		}
	default: // nothing below it
	}
	return n
}

// Within returns a JSONWriter that takes what w takes of a record inside so many others: data
// may nest only so deep.
func (w *JSONWriter) Within(depth int) *JSONWriter {
	return &JSONWriter{root: w.root, depth: w.depth + depth}
}

// Append appends the JSON of the record at the start of datum to dst, on one line, and
// returns how many bytes of datum the record takes. The error is a *DecodeError; dst is
// then returned as it was.
func (w *JSONWriter) Append(dst, datum []byte) (out []byte, n int, err error) {
	j := jsonState{buf: datum, out: dst}
	if failed := j.value(w.root, w.depth); failed != nil {
		return j.out[:len(dst)], 0, failed
	}
	return j.out, j.pos, nil
}

type jsonState struct {
	buf, out []byte
	pos      int
	empty    int // values so far that took no bytes
}

func (j *jsonState) fail(why int) *DecodeError {
	return &DecodeError{Offset: j.pos, Reason: failure(why).String()}
}

func (j *jsonState) value(n *jsonNode, depth int) *DecodeError {
	if n.minSize == 0 {
		if j.empty++; j.empty > maxEmpty {
			return j.fail(int(failMany))
		}
	}
	switch n.kind {
	case KindRecord, KindArray, KindMap:
		if depth++; depth > maxDepth {
			return j.fail(int(failDepth))
		}
		switch n.kind {
		case KindRecord:
			return j.record(n, depth)
		case KindMap:
			return j.items(n, depth, '{', '}')
		default:
			return j.items(n, depth, '[', ']')
		}
	case KindUnion:
		i, next := index(j.buf, j.pos, int64(len(n.nodes)), failUnion)
		if next < 0 {
			return j.fail(next)
		}
		j.pos = next
		if n.nodes[i].kind == KindNull {
			j.out = append(j.out, "null"...) // it took the byte that chose it
			return nil
		}
		return j.value(n.nodes[i], depth)
	case KindEnum:
		i, next := index(j.buf, j.pos, int64(len(n.parts)), failEnum)
		if next < 0 {
			return j.fail(next)
		}
		j.pos = next
		j.out = append(j.out, n.parts[i]...)
	case KindNull:
		j.out = append(j.out, "null"...)
	case KindInt, KindLong:
		v, next := uvarint(j.buf, j.pos)
		switch {
		case next < 0:
			return j.fail(next)
		case n.kind == KindInt && v > math.MaxUint32:
			return j.fail(int(failInt))
		}
		j.pos = next
		j.out = strconv.AppendInt(j.out, zigzag(v), 10)
	case KindString, KindBytes:
		return j.text(n.kind)
	default:
		return j.plain(n)
	}
	return nil
}

// plain writes the types that take a number of bytes given by the schema.
func (j *jsonState) plain(n *jsonNode) *DecodeError {
	size := int(n.minSize)
	if len(j.buf)-j.pos < size {
		return j.fail(int(failShort))
	}
	raw := j.buf[j.pos : j.pos+size]
	switch n.kind {
	case KindBoolean:
		if raw[0] > 1 {
			return j.fail(int(failBool))
		}
		j.out = strconv.AppendBool(j.out, raw[0] == 1)
	case KindFloat:
		j.out = appendFloat(j.out, float64(math.Float32frombits(binary.LittleEndian.Uint32(raw))), 32)
	case KindDouble:
		j.out = appendFloat(j.out, math.Float64frombits(binary.LittleEndian.Uint64(raw)), 64)
	default:
		j.out = appendBase64(j.out, raw)
	}
	j.pos += size
	return nil
}

func (j *jsonState) text(kind Kind) *DecodeError {
	n, next := length(j.buf, j.pos)
	if next < 0 {
		return j.fail(next)
	}
	j.pos = next + n
	if kind == KindBytes {
		j.out = appendBase64(j.out, j.buf[next:j.pos])
	} else {
		j.out = AppendJSONString(j.out, j.buf[next:j.pos])
	}
	return nil
}

func (j *jsonState) record(n *jsonNode, depth int) *DecodeError {
	for i, field := range n.nodes {
		j.out = append(j.out, n.parts[i]...)
		if err := j.value(field, depth); err != nil {
			return err.below(n.names[i])
		}
	}
	if len(n.nodes) == 0 {
		j.out = append(j.out, '{')
	}
	j.out = append(j.out, '}')
	return nil
}

func (j *jsonState) items(n *jsonNode, depth int, open, end byte) *DecodeError {
	j.out = append(j.out, open)
	for first := true; ; {
		count, size, next := blockHeader(j.buf, j.pos)
		if next < 0 {
			return j.fail(next)
		}
		least := n.nodes[0].minSize
		if n.kind == KindMap {
			least++ // the key's length
		}
		if least > 0 && count > int64(len(j.buf)-next)/least {
			return j.fail(int(failCount))
		}
		j.pos = next
		if count == 0 {
			j.out = append(j.out, end)
			return nil
		}
		for range count {
			if !first {
				j.out = append(j.out, ',')
			}
			first = false
			if n.kind == KindMap {
				if err := j.text(KindString); err != nil {
					return err.below("[]")
				}
				j.out = append(j.out, ':')
			}
			if err := j.value(n.nodes[0], depth); err != nil {
				return err.below("[]")
			}
		}
		if size >= 0 && j.pos != next+size {
			return j.fail(int(failBlock))
		}
	}
}

// appendFloat writes f as encoding/json does: the shortest digits that give f back.
func appendFloat(dst []byte, f float64, bits int) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(dst, "null"...)
	}
	format := byte('f')
	if size := math.Abs(f); size != 0 && (size < 1e-6 || size >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(dst, f, format, -1, bits)
}

func appendBase64(dst, raw []byte) []byte {
	dst = append(dst, '"')
	n := base64.StdEncoding.EncodedLen(len(raw))
	dst = slices.Grow(dst, n+1)
	base64.StdEncoding.Encode(dst[len(dst):len(dst)+n], raw)
	return append(dst[:len(dst)+n], '"')
}

const hexDigits = "0123456789abcdef"

// AppendJSONString appends text as a JSON string, quotes included. Bytes that are not
// UTF-8 become U+FFFD, as JSON cannot hold them.
func AppendJSONString(dst, text []byte) []byte {
	dst = append(dst, '"')
	start := 0 // of what is taken as it is
	for i := 0; i < len(text); {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRune(text[i:])
			// U+2028 and U+2029 are fine in JSON but end lines in JavaScript.
			if r != utf8.RuneError && r != '\u2028' && r != '\u2029' || size > 1 && r == utf8.RuneError {
				i += size
				continue
			}
			dst = append(dst, text[start:i]...)
			dst = append(dst, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
			i += size
			start = i
			continue
		}
		dst = append(dst, text[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	dst = append(dst, text[start:]...)
	return append(dst, '"')
}
