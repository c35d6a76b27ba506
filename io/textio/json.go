package textio

import (
	"bytes"
	"errors"
)

var (
	errNotUTF8   = errors.New("text is not UTF-8")
	errNotObject = errors.New("not a JSON object, {...} on one line")
)

// readLine reads one line of JSON into the block.
func (r *Reader) readLine(b *Block) error {
	at := r.src.line
	line, long, err := r.src.nextLine()
	if err != nil {
		return err
	}
	record := bytes.TrimSpace(line)
	switch {
	case long:
		r.bad(b, at, line, r.tooLong())
	case len(record) == 0:
	default:
		if err := checkObject(record); err != nil {
			r.bad(b, at, record, err)
		} else {
			r.good(b, record)
		}
	}
	return nil
}

// checkObject says whether record is one JSON object and nothing else.
func checkObject(record []byte) error {
	if record[0] != '{' {
		return errNotObject
	}
	end, err := skipValue(record, 0, 0)
	if err != nil {
		return err
	}
	if end < len(record) {
		return syntaxError(record, end, "the end of the line")
	}
	return nil
}
