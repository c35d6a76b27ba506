package label

import "encoding/binary"

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
})

func appendBinary(dst []byte, t *Totals) []byte { return binary.AppendVarint(dst, min(t.Count, 1)) }
