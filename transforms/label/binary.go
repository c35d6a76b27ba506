package label

import (
	"encoding/binary"
	"strconv"
)

// Binary is 1 if any engagement counts, else 0.
var Binary = Register(Definition{
	Name:   "binary",
	Doc:    "1 if any engagement counts, else 0.",
	Place:  1,
	Takes:  Nothing,
	Type:   "int",
	Append: appendBinary,
	Holds:  "0 or 1",
	Fits:   func(form Form, text string) bool { return form == Int && (text == "0" || text == "1") },
	Parts:  BinaryParts,
})

func appendBinary(dst []byte, t *Totals) []byte { return binary.AppendVarint(dst, min(t.Count, 1)) }

// BinaryParts is how much of an engagement counts, at most 1, where views share engagements in parts: the target of a loss that takes
// probabilities.
var BinaryParts = Register(Definition{
	Name:    "binary_parts",
	Doc:     "How much of an engagement counts, at most 1.",
	Takes:   Nothing,
	Type:    "double",
	Append:  func(dst []byte, t *Totals) []byte { return appendDouble(dst, min(t.parts(), 1)) },
	Holds:   "a number from 0 to 1",
	Fits:    fitsPart,
	Derived: true,
})

func fitsPart(form Form, text string) bool {
	part, err := strconv.ParseFloat(text, 64)
	return (form == Int || form == Float) && err == nil && part >= 0 && part <= 1
}
