package label

// Max is the greatest value of a field, null for none.
var Max = Register(Definition{
	Name:   "max",
	Doc:    "The greatest value of this field.",
	Place:  6,
	Takes:  Number,
	Type:   nullable("double"),
	Append: appendMax,
	Holds:  "a number, or null for no engagement",
	Fits:   func(form Form, _ string) bool { return form == Int || form == Float || form == Null },
})

func appendMax(dst []byte, t *Totals) []byte { return appendNullableDouble(dst, t.Max, t.Numbers > 0) }
