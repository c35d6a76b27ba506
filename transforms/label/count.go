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
})

func appendCount(dst []byte, t *Totals) []byte { return binary.AppendVarint(dst, t.Count) }
