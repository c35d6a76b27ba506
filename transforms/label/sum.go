package label

// Sum is the sum of a field, 0 when nothing counts.
var Sum = Register(Definition{
	Name:   "sum",
	Doc:    "The sum of this field.",
	Place:  4,
	Takes:  Number,
	Exact:  true,
	Type:   "double",
	Append: appendSum,
	Holds:  "a number",
	Fits:   func(form Form, _ string) bool { return form == Int || form == Float },
	Parts:  "sum", // it sums parts as well as wholes
})

func appendSum(dst []byte, t *Totals) []byte { return appendDouble(dst, t.Sum) }
