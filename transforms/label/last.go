package label

import "tributary/io/record"

// Last is a field of the last engagement, of its own type, or null.
var Last = Register(Definition{
	Name:    "last",
	Doc:     "The value of this field in the last engagement.",
	Place:   8,
	Takes:   Value,
	Type:    scalar,
	Append:  appendLast,
	Carried: func(t *Totals) record.Value { return t.Last },
	Holds:   "one value, or null for no engagement",
	Fits:    func(Form, string) bool { return true },
})

func appendLast(dst []byte, t *Totals) []byte { return appendScalar(dst, t.Last) }
