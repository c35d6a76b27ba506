package jsontext

// What the tests of the readers in package jsontext_test look at.
const (
	BlockText = blockText
	RawKept   = rawKept
)

var (
	ErrUTF16 = errUTF16
	MarkUTF8 = markUTF8
	Deep     = deep

	BenchRecords = benchRecords
)

// Held is how much text a Reader holds.
func Held(r *Reader) int { return len(r.Source.buf) }
