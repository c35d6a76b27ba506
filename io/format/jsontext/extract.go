package jsontext

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"tributary/io/record"
)

// extractor reads fields out of a JSON object in one walk over its text, which also
// checks all of it. Several searches, one a path, would walk over it as often.
type extractor struct {
	root  *node
	paths []string
	// dotted paths may also be the name of a member of the record itself.
	dotted []int
	nodes  int // how many there are
}

// node is a place in a record that a path leads to or through.
type node struct {
	names    []string
	children []*node // of the names
	slots    []int   // paths that end here
	literal  bool    // the slots are those of a name with dots in it
	number   int     // from 0, of all nodes
	path     string
}

// found is what one Extract has found beside the values: those of names with dots, apart,
// since nested ones go before them, and the texts of all, by the number of the node.
type found struct {
	literals []record.Value
	seen     []span
}

// NewExtractor returns an Extractor of the fields that paths name, for records that
// are the JSON text of one object. It may be used by several goroutines at once.
//
// `user.id` is the member id of the object user; if there is no such thing, or null,
// the record's own member of the name "user.id", which the path `"user.id"` alone means. A
// path that cannot be read (see record.ParsePath) is a name. Whole numbers in the range of int64
// are Int, larger ones Number, all others Float, with their text. A field that is an object or
// an array, a name on the way to one that is there twice with different values, of which
// parsers take one or the other, and text that is not a JSON object, are errors.
func NewExtractor(paths []string) record.Extractor {
	e := &extractor{root: &node{}, paths: paths, nodes: 1}
	for slot, path := range paths {
		n := e.root
		names, err := record.ParsePath(path)
		if err != nil {
			names = []string{path}
		}
		for _, name := range names {
			n = e.child(n, name)
		}
		n.slots = append(n.slots, slot)
	}
	for slot, path := range paths {
		if strings.Contains(path, ".") && !strings.Contains(path, `"`) {
			e.dotted = append(e.dotted, slot)
			n := e.child(e.root, path)
			n.literal = true
			n.slots = append(n.slots, slot)
		}
	}
	return e
}

func (e *extractor) child(n *node, name string) *node {
	for i, have := range n.names {
		if have == name {
			return n.children[i]
		}
	}
	path := name
	if n != e.root {
		path = n.path + "." + name
	}
	n.names = append(n.names, name)
	n.children = append(n.children, &node{number: e.nodes, path: path})
	e.nodes++
	return n.children[len(n.children)-1]
}

// find returns the child that a key leads to, nil if there is none.
func (n *node) find(k key) *node {
	text := k.text
	if k.escaped {
		text = unescape(nil, text)
	}
	for i, name := range n.names {
		if name == string(text) {
			return n.children[i]
		}
	}
	return nil
}

func (e *extractor) Extract(buf []byte, values []record.Value) (int, error) {
	if len(values) != len(e.paths) {
		return 0, fmt.Errorf("extract: %d values for %d paths", len(values), len(e.paths))
	}
	clear(values)
	var room [8]record.Value
	var seen [16]span
	f := found{literals: room[:], seen: seen[:]}
	if len(e.dotted) > 0 && len(values) > len(room) {
		f.literals = make([]record.Value, len(values))
	}
	if e.nodes > len(seen) {
		f.seen = make([]span, e.nodes)
	}
	i := skipSpace(buf, 0)
	if i >= len(buf) || buf[i] != '{' {
		return 0, errNotObject
	}
	end, err := e.object(e.root, buf, i, values, f, 1)
	if err != nil {
		return 0, err
	}
	if end = skipSpace(buf, end); end < len(buf) {
		return 0, syntaxError(buf, end, "the end of the record")
	}
	for _, slot := range e.dotted {
		if values[slot].Kind == record.Null {
			values[slot] = f.literals[slot]
		}
	}
	return len(buf), nil
}

// object reads what lies below n out of the object at i.
func (e *extractor) object(n *node, b []byte, i int, values []record.Value, f found, depth int) (int, error) {
	if depth > maxDepth {
		return i, syntaxError(b, i, fmt.Sprintf("at most %d levels", maxDepth))
	}
	for at, more := open(b, i, '}'); more; {
		k, err := readKey(b, at)
		if err != nil {
			return i, err
		}
		if child := n.find(k); child == nil {
			at, err = skipValue(b, k.value, depth)
		} else {
			at, err = e.member(child, b, k.value, values, f, depth)
		}
		if err != nil {
			return i, err
		}
		if at, more, err = next(b, at, '}'); err != nil {
			return i, err
		}
		if !more {
			return at, nil
		}
	}
	return closed(b, i), nil
}

// member reads the value at i, which n leads to; a second one must be the same.
func (e *extractor) member(n *node, b []byte, i int, values []record.Value, f found, depth int) (int, error) {
	had := &f.seen[n.number]
	if had.to == 0 {
		end, err := e.value(n, b, i, values, f, depth)
		*had = span{from: i, to: end}
		return end, err
	}
	end, err := skipValue(b, i, depth)
	if err == nil && !bytes.Equal(b[had.from:had.to], b[i:end]) {
		return i, fmt.Errorf("the name %s is there twice, with the values %s and %s", n.path, shortened(b[had.from:had.to]), shortened(b[i:end]))
	}
	return end, err
}

func (e *extractor) value(n *node, b []byte, i int, values []record.Value, f found, depth int) (int, error) {
	if n.literal {
		values = f.literals
	}
	if i < len(b) && (b[i] == '{' || b[i] == '[') {
		switch {
		case len(n.slots) > 0 && !n.literal:
			return i, fmt.Errorf("field %s is %s, not a plain value", n.path, kindName(b[i]))
		case b[i] == '{' && !n.literal:
			return e.object(n, b, i, values, f, depth+1)
		}
	}
	if len(n.slots) == 0 || i < len(b) && (b[i] == '{' || b[i] == '[') {
		return skipValue(b, i, depth)
	}
	v, end, err := scalar(b, i)
	if err != nil {
		return i, err
	}
	for _, slot := range n.slots {
		values[slot] = v
	}
	return end, nil
}

// scalar reads the value at i, which is neither an object nor an array.
func scalar(b []byte, i int) (record.Value, int, error) {
	if i >= len(b) {
		return record.Value{}, i, syntaxError(b, i, "a value")
	}
	switch c := b[i]; {
	case c == '"':
		end, escaped, err := skipString(b, i)
		if err != nil {
			return record.Value{}, i, err
		}
		text := b[i+1 : end-1]
		if escaped {
			text = unescape(make([]byte, 0, len(text)), text)
		}
		return record.Value{Kind: record.String, Text: text}, end, nil
	case c == '-' || '0' <= c && c <= '9':
		end, whole, err := skipNumber(b, i)
		if err != nil {
			return record.Value{}, i, err
		}
		return number(b[i:end], whole), end, nil
	}
	end, err := skipWord(b, i)
	if err != nil || b[i] == 'n' {
		return record.Value{}, end, err
	}
	v := record.Value{Kind: record.Bool}
	if b[i] == 't' {
		v.Int = 1
	}
	return v, end, nil
}

// number reads a valid JSON number. One that is too large for a double is infinite: whether
// that matters is for whoever wants the field to say.
func number(text []byte, whole bool) record.Value {
	if whole {
		if n, ok := wholeNumber(text); ok {
			return record.Value{Kind: record.Int, Int: n}
		}
		return record.Value{Kind: record.Number, Text: text}
	}
	f, _ := strconv.ParseFloat(string(text), 64) // of an error it makes an infinity
	return record.Value{Kind: record.Float, Float: f, Text: text}
}

// wholeNumber reads digits after an optional minus; ok says that they fit an int64.
func wholeNumber(text []byte) (n int64, ok bool) {
	if len(text) > 18 { // it may not fit
		n, err := strconv.ParseInt(string(text), 10, 64)
		return n, err == nil
	}
	digits := text
	if text[0] == '-' {
		digits = text[1:]
	}
	for _, c := range digits {
		n = n*10 + int64(c-'0')
	}
	if text[0] == '-' {
		n = -n
	}
	return n, true
}

func kindName(first byte) string {
	switch first {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	default:
		return "a number"
	}
}

// shownText is how much of a value an error shows.
const shownText = 48

func shortened(text []byte) string {
	if len(text) > shownText {
		return string(text[:shownText]) + "..."
	}
	return string(text)
}
