package label

import "tributary/io/record"

// First is a field of the first engagement, of its own type, or null.
var First = Register(Definition{
	Name:    "first",
	Doc:     "The value of this field in the first engagement.",
	Place:   7,
	Takes:   Value,
	Type:    scalar,
	Append:  appendFirst,
	Carried: func(t *Totals) record.Value { return t.First },
	Holds:   "one value, or null for no engagement",
	Fits:    func(Form, string) bool { return true },
})

func appendFirst(dst []byte, t *Totals) []byte { return appendScalar(dst, t.First) }
