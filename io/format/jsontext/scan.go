package jsontext

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// The functions of this file walk over JSON text (RFC 8259). Each takes the text and a
// position in it and returns the position after what it read. None allocates unless
// it fails. Strings must be text: UTF-8 (only they can hold other bytes than ASCII), with no
// half of a surrogate pair, for which there is no UTF-8. Otherwise two ids would become one.

// maxDepth bounds how deep values are nested: far beyond honest records, and far from
// exhausting the stack.
const maxDepth = 512

// SyntaxError is a place where text is not JSON.
type SyntaxError struct {
	Column int // of the first byte that is wrong, from 1
	Want   string
	Got    string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("invalid JSON at byte %d: want %s, got %s", e.Column, e.Want, e.Got)
}

func syntaxError(b []byte, i int, want string) error {
	got := "the end"
	if i < len(b) {
		got = fmt.Sprintf("%q", b[i:i+1])
	}
	return &SyntaxError{Column: i + 1, Want: want, Got: got}
}

var (
	errNotUTF8   = errors.New("text is not UTF-8")
	errNotObject = errors.New("not a JSON object, {...} on one line")
)

// CheckObject says whether line, which is not empty, is one JSON object and nothing else.
func CheckObject(line []byte) error {
	if line[0] != '{' {
		return errNotObject
	}
	end, err := skipValue(line, 0, 0)
	if err != nil {
		return err
	}
	if end < len(line) {
		return syntaxError(line, end, "the end of the line")
	}
	return nil
}

// CheckUTF8 tells the first byte of text that is not UTF-8.
func CheckUTF8(text []byte) error {
	if utf8.Valid(text) {
		return nil
	}
	return notUTF8(text, 0)
}

// IndexAny finds the first of three ASCII characters in text from i on, or its end.
func IndexAny(text []byte, i int, a, b, c byte) int {
	for ; i+8 <= len(text); i += 8 {
		w := binary.LittleEndian.Uint64(text[i:])
		if marks := (marked(w, a) | marked(w, b) | marked(w, c)) & highs; marks != 0 {
			return i + bits.TrailingZeros64(marks)/8
		}
	}
	for i < len(text) && text[i] != a && text[i] != b && text[i] != c {
		i++
	}
	return i
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && b[i] <= ' ' && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// skipValue walks over the value that begins at i.
func skipValue(b []byte, i, depth int) (int, error) {
	if i < len(b) && (b[i] == '{' || b[i] == '[') {
		return skipNested(b, i, depth)
	}
	return skipPlain(b, i)
}

// skipPlain walks over the value at i, which is neither an object nor an array.
func skipPlain(b []byte, i int) (int, error) {
	if i >= len(b) {
		return i, syntaxError(b, i, "a value")
	}
	switch c := b[i]; {
	case c == '"':
		end, _, err := skipString(b, i)
		return end, err
	case c == '-' || '0' <= c && c <= '9':
		end, _, err := skipNumber(b, i)
		return end, err
	default:
		return skipWord(b, i)
	}
}

// skipNested walks over the object or array at i, without recursion: this is where
// most of the time of reading JSON goes.
func skipNested(b []byte, i, depth int) (int, error) {
	var objects [maxDepth/64 + 1]uint64 // a bit for each level that is an object
	var err error
	for level := depth; ; {
		// At a value.
		if i < len(b) && (b[i] == '{' || b[i] == '[') {
			if level++; level > maxDepth {
				return i, syntaxError(b, i, fmt.Sprintf("at most %d levels", maxDepth))
			}
			word, bit := &objects[level/64], uint64(1)<<(level%64)
			end := byte(']')
			*word &^= bit
			if b[i] == '{' {
				end = '}'
				*word |= bit
			}
			if i = skipSpace(b, i+1); i >= len(b) || b[i] != end {
				if end == '}' {
					i, err = skipName(b, i)
				}
				if err != nil {
					return i, err
				}
				continue
			}
			i++
			level--
		} else if i, err = skipPlain(b, i); err != nil {
			return i, err
		}
		// After a value.
		for {
			if level == depth {
				return i, nil
			}
			inObject := objects[level/64]>>(level%64)&1 != 0
			i = skipSpace(b, i)
			if i < len(b) && b[i] == ',' {
				if i = skipSpace(b, i+1); inObject {
					if i, err = skipName(b, i); err != nil {
						return i, err
					}
				}
				break
			}
			end := byte(']')
			if inObject {
				end = '}'
			}
			if i >= len(b) || b[i] != end {
				return i, syntaxError(b, i, `"," or "`+string(end)+`"`)
			}
			i++
			level--
		}
	}
}

// skipName walks over the name of a member and the colon, to its value.
func skipName(b []byte, i int) (int, error) {
	if i >= len(b) || b[i] != '"' {
		return i, syntaxError(b, i, "a name in quotes")
	}
	i, _, err := skipString(b, i)
	if err != nil {
		return i, err
	}
	if i = skipSpace(b, i); i >= len(b) || b[i] != ':' {
		return i, syntaxError(b, i, `":"`)
	}
	return skipSpace(b, i+1), nil
}

// open steps into the object or array at i: to its first element, if it has any.
func open(b []byte, i int, end byte) (at int, more bool) {
	at = skipSpace(b, i+1)
	return at, at >= len(b) || b[at] != end
}

// closed returns the position after an empty object or array at i.
func closed(b []byte, i int) int { return skipSpace(b, i+1) + 1 }

// next steps from the end of an element to the next one, or, when there are no more,
// past the closing end.
func next(b []byte, i int, end byte) (at int, more bool, err error) {
	i = skipSpace(b, i)
	if i < len(b) {
		if b[i] == ',' {
			return skipSpace(b, i+1), true, nil
		}
		if b[i] == end {
			return i + 1, false, nil
		}
	}
	return i, false, syntaxError(b, i, `"," or "`+string(end)+`"`)
}

// key is the name of a member of an object.
type key struct {
	text    []byte // between the quotes
	escaped bool   // text holds escapes
	value   int    // where the member's value begins
}

func readKey(b []byte, i int) (key, error) {
	if i >= len(b) || b[i] != '"' {
		return key{}, syntaxError(b, i, "a name in quotes")
	}
	end, escaped, err := skipString(b, i)
	if err != nil {
		return key{}, err
	}
	k := key{text: b[i+1 : end-1], escaped: escaped}
	if i = skipSpace(b, end); i >= len(b) || b[i] != ':' {
		return key{}, syntaxError(b, i, `":"`)
	}
	k.value = skipSpace(b, i+1)
	return k, nil
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special marks the bytes of eight that end a run of plain characters: quotes,
// backslashes and control characters. The lowest mark is exact, higher ones may not be.
func special(w uint64) uint64 {
	return (marked(w, '"') | marked(w, '\\') | (w-ones*0x20)&^w) & highs
}

// marked has the high bit of each byte of w that is c, exact up to the lowest one.
func marked(w uint64, c byte) uint64 {
	w ^= ones * uint64(c)
	return (w - ones) &^ w
}

// skipString walks over the string whose opening quote is at i.
func skipString(b []byte, i int) (end int, escaped bool, err error) {
	from := i + 1
	high := uint64(0) // has a high bit if the string may hold more than ASCII
	for i++; ; {
		for i+8 <= len(b) {
			w := binary.LittleEndian.Uint64(b[i:])
			high |= w
			if marks := special(w); marks != 0 {
				i += bits.TrailingZeros64(marks) / 8
				break
			}
			i += 8
		}
		if i >= len(b) {
			return i, false, syntaxError(b, len(b), "the closing quote of a string")
		}
		switch c := b[i]; {
		case c == '"':
			if high&highs != 0 && !utf8.Valid(b[from:i]) {
				return i, false, notUTF8(b, from)
			}
			return i + 1, escaped, nil
		case c == '\\':
			escaped = true
			if i, err = skipEscape(b, i); err != nil {
				return i, false, err
			}
		case c < 0x20:
			return i, false, syntaxError(b, i, "a control character in a string written as an escape")
		default: // within the last seven bytes
			high |= uint64(c)
			i++
		}
	}
}

func skipEscape(b []byte, i int) (int, error) {
	if i+1 < len(b) {
		switch b[i+1] {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			return i + 2, nil
		case 'u':
			if r, ok := hex4(b, i+2); ok {
				return skipPair(b, i, r)
			}
		}
	}
	return i, syntaxError(b, i, `an escape like \n or \u00e9`)
}

// skipPair walks over the escape \uXXXX at i, of r, and the other half if r is one half of a
// surrogate pair.
func skipPair(b []byte, i int, r rune) (int, error) {
	if !utf16.IsSurrogate(r) {
		return i + 6, nil
	}
	if i+7 < len(b) && b[i+6] == '\\' && b[i+7] == 'u' {
		if low, ok := hex4(b, i+8); ok && utf16.DecodeRune(r, low) != utf8.RuneError {
			return i + 12, nil
		}
	}
	return i, fmt.Errorf("%s at byte %d is half of a surrogate pair, which is no character", b[i:i+6], i+1)
}

// notUTF8 tells the first byte of text, from its byte from on, that is not UTF-8.
func notUTF8(text []byte, from int) error {
	for i := from; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			return fmt.Errorf("%w: byte %d is 0x%02x", errNotUTF8, i+1, text[i])
		}
		i += size
	}
	return errNotUTF8
}

// skipNumber walks over a number; whole says that it has neither fraction nor exponent.
func skipNumber(b []byte, i int) (end int, whole bool, err error) {
	whole = true
	if i < len(b) && b[i] == '-' {
		i++
	}
	if i < len(b) && b[i] == '0' {
		i++
	} else if i, err = skipDigits(b, i); err != nil {
		return i, false, err
	}
	if i < len(b) && b[i] == '.' {
		whole = false
		if i, err = skipDigits(b, i+1); err != nil {
			return i, false, err
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		whole = false
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if i, err = skipDigits(b, i); err != nil {
			return i, false, err
		}
	}
	return i, whole, nil
}

func skipDigits(b []byte, i int) (int, error) {
	from := i
	for i < len(b) && '0' <= b[i] && b[i] <= '9' {
		i++
	}
	if i == from {
		return i, syntaxError(b, i, "a digit")
	}
	return i, nil
}

func skipWord(b []byte, i int) (int, error) {
	for _, word := range [...]string{"true", "false", "null"} {
		if len(b)-i >= len(word) && string(b[i:i+len(word)]) == word {
			return i + len(word), nil
		}
	}
	return i, syntaxError(b, i, "a value")
}
