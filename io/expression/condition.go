package expression

import (
	"bytes"
	"strings"

	"tributary/io/record"
)

// Condition selects records whose field is Value. Numbers are equal as numbers, however they
// are written; a float of 32 bits is equal to what rounds to it.
type Condition struct {
	Field, Value string
	Type         ConditionType
}

// ConditionType says what a condition's value was written as.
type ConditionType uint8

// Types of conditions.
const (
	// Text equals text, byte for byte, bytes of the same content or with these hexadecimal
	// digits, a UUID, and numbers and booleans that are written so.
	TextCondition ConditionType = iota
	// A number also equals text that reads as that number, as CSV has no numbers. Digits behind a
	// leading zero are a code and no number.
	NumberCondition
	// A boolean also equals its text in small letters or capitals.
	BoolCondition
)

// Holds tells whether v meets the condition.
func (c *Condition) Holds(v record.Value) bool {
	switch v.Kind {
	case record.Null:
		return false
	case record.Bool:
		return v.String() == c.Value
	case record.String:
		switch {
		case string(v.Text) == c.Value:
			return true
		case c.Type == NumberCondition:
			return plainNumber(v.Text) && v.EqualNumber([]byte(c.Value))
		case c.Type == BoolCondition:
			return strings.EqualFold(string(v.Text), c.Value)
		}
		return false
	case record.Bytes:
		id, err := v.AppendID(nil) // hexadecimal digits
		return string(v.Text) == c.Value || err == nil && strings.EqualFold(string(id), c.Value)
	case record.UUID:
		id, err := v.AppendID(nil)
		other, otherErr := record.Value{Kind: record.UUID, Int: 1, Text: []byte(c.Value)}.AppendID(nil)
		return err == nil && otherErr == nil && bytes.Equal(id, other)
	default:
		return v.EqualNumber([]byte(c.Value))
	}
}

// plainNumber tells whether text is written as numbers are: 007 and +7 are codes.
func plainNumber(text []byte) bool {
	text = bytes.TrimPrefix(text, []byte{'-'})
	if len(text) < 2 || text[0] != '0' {
		return len(text) > 0 && text[0] != '+'
	}
	return text[1] == '.' || text[1] == 'e' || text[1] == 'E'
}
