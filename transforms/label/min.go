package label

// Min is the least value of a field, null for none.
var Min = Register(Definition{
	Name:   "min",
	Doc:    "The least value of this field.",
	Place:  5,
	Takes:  Number,
	Type:   nullable("double"),
	Append: appendMin,
	Holds:  "a number, or null for no engagement",
	Fits:   func(form Form, _ string) bool { return form == Int || form == Float || form == Null },
})

func appendMin(dst []byte, t *Totals) []byte { return appendNullableDouble(dst, t.Min, t.Numbers > 0) }
