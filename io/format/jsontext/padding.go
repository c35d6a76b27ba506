package jsontext

import (
	"bytes"
	"errors"
	"io"
)

// unpadded reads r without the zeros at its end, which fill up a file to a size that its
// storage likes, and are no record. Where there is nothing but zeros, they are read.
type unpadded struct {
	r    io.Reader
	held int64  // zeros that were read, and may be the last
	owed int64  // zeros that were not, and come next
	rest []byte // what comes then
	some bool   // something other than zeros was read
	err  error  // and what comes last
}

func (u *unpadded) Read(p []byte) (n int, err error) {
	for len(p) > 0 {
		switch {
		case u.owed > 0:
			n = int(min(int64(len(p)), u.owed))
			clear(p[:n])
			u.owed -= int64(n)
			return n, nil
		case len(u.rest) > 0:
			n = copy(p, u.rest)
			u.rest = u.rest[n:]
			return n, nil
		case u.err != nil:
			return 0, u.err
		}
		n, u.err = u.r.Read(p)
		if n == 0 && u.err == nil {
			return 0, nil
		}
		text := bytes.TrimRight(p[:n], "\x00")
		zeros := int64(n - len(text))
		switch {
		case len(text) == 0:
			if u.held += zeros; errors.Is(u.err, io.EOF) && !u.some {
				u.owed, u.held = u.held, 0
			}
		case u.held > 0:
			u.rest, u.owed, u.held, u.some = bytes.Clone(text), u.held, zeros, true
		default:
			u.held, u.some = zeros, true
			return len(text), nil
		}
	}
	return 0, nil
}
