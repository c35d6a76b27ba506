package jsontext

import (
	"fmt"
	"strings"

	"tributary/io/record"
)

// List finds the elements of a list in JSON objects. It may be used by several goroutines at once.
type List struct {
	path  string
	names []string
	// dotted: the path may also be the name of a member of the record itself.
	dotted bool
}

// NewList returns a List of the field that a path names, as an Extractor finds it (see NewExtractor).
func NewList(path string) *List {
	names, err := record.ParsePath(path)
	if err != nil {
		names = []string{path}
	}
	return &List{path: path, names: names, dotted: len(names) > 1 && !strings.Contains(path, `"`)}
}

// Find finds the list in a record, and checks all of it. Where the list is absent, null or empty there are no elements. A value
// that is no list, a name on the way to it that is there twice, and text that is not one JSON object, are errors.
func (l *List) Find(buf []byte, found *record.Elements) error {
	found.Span, found.Items = record.Span{}, found.Items[:0]
	i := skipSpace(buf, 0)
	if i >= len(buf) || buf[i] != '{' {
		return errNotObject
	}
	end, err := l.object(buf, i, l.names, found, 1)
	if err != nil {
		return err
	}
	if end = skipSpace(buf, end); end < len(buf) {
		return syntaxError(buf, end, "the end of the record")
	}
	if l.dotted && (found.To == 0 || buf[found.From] == 'n') {
		found.Span = record.Span{}
		if _, err := l.object(buf, i, []string{l.path}, found, 1); err != nil {
			return err
		}
	}
	if found.To == 0 || buf[found.From] == 'n' {
		return nil
	}
	if buf[found.From] != '[' {
		return fmt.Errorf("field %s is %s, not a list", l.path, kindName(buf[found.From]))
	}
	for at, more := open(buf, found.From, ']'); more; {
		item := record.Span{From: at}
		if item.To, err = skipValue(buf, at, 0); err != nil {
			return err
		}
		found.Items = append(found.Items, item)
		if at, more, err = next(buf, item.To, ']'); err != nil {
			return err
		}
	}
	return nil
}

// object walks over the object at i, and notes where the value stands that names lead to.
func (l *List) object(b []byte, i int, names []string, found *record.Elements, depth int) (int, error) {
	if depth > maxDepth {
		return i, syntaxError(b, i, fmt.Sprintf("at most %d levels", maxDepth))
	}
	seen := false
	for at, more := open(b, i, '}'); more; {
		k, err := readKey(b, at)
		if err != nil {
			return i, err
		}
		text := k.text
		if k.escaped {
			text = unescape(nil, text)
		}
		switch {
		case string(text) != names[0]:
			at, err = skipValue(b, k.value, depth)
		case seen:
			return i, fmt.Errorf("the name %s, of or on the way to the list %s, is there twice", names[0], l.path)
		case len(names) > 1 && k.value < len(b) && b[k.value] == '{':
			seen = true
			at, err = l.object(b, k.value, names[1:], found, depth+1)
		default:
			seen = true
			at, err = skipValue(b, k.value, depth)
			if len(names) == 1 {
				found.Span = record.Span{From: k.value, To: at}
			}
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
