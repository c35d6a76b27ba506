package record

// Elements is where a list stands in a record, and where its elements do.
type Elements struct {
	Span
	Items []Span
}

// Span is a part of a record: bytes From up to To, without it.
type Span struct{ From, To int }
