package label

// TimeToFirst is the time from the view to the first engagement in ms, null for none.
var TimeToFirst = Register(Definition{
	Name:   "time_to_first",
	Doc:    "The time from the view to the first engagement in milliseconds, or null.",
	Place:  3,
	Takes:  Nothing,
	Type:   nullable("long"),
	Append: AppendDelay,
	Holds:  "a whole number of milliseconds, or null for no engagement",
	Fits:   func(form Form, _ string) bool { return form == Int || form == Null },
})
