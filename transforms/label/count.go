package label

import "encoding/binary"

// Count is how many engagements count.
var Count = Register(Definition{
	Name:   "count",
	Doc:    "How many engagements count.",
	Place:  2,
	Takes:  Nothing,
	Type:   "long",
	Append: appendCount,
	Holds:  "a whole number from 0 on",
	Fits:   func(form Form, text string) bool { return form == Int && text[0] != '-' },
	Parts:  CountParts,
})

func appendCount(dst []byte, t *Totals) []byte { return binary.AppendVarint(dst, t.Count) }

// CountParts is how much of engagements counts, where views share them in parts.
var CountParts = Register(Definition{
	Name:    "count_parts",
	Doc:     "How much of engagements counts.",
	Takes:   Nothing,
	Type:    "double",
	Append:  func(dst []byte, t *Totals) []byte { return appendDouble(dst, t.parts()) },
	Holds:   "a number from 0 on",
	Fits:    func(form Form, text string) bool { return (form == Int || form == Float) && text[0] != '-' },
	Derived: true,
})
