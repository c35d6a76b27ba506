package packed

import (
	"bufio"
	"errors"
	"io"

	"github.com/pierrec/lz4/v4"
)

var lz4Codec = codec{"lz4", []string{".lz4"}, [][]byte{lz4Mark, oldLz4Mark}, openLz4}

var (
	lz4Mark = []byte("\x04\x22\x4d\x18")
	// oldLz4Mark is that of files which do not say where they end, and have no checksums.
	oldLz4Mark = []byte("\x02\x21\x4c\x18")
)

func openLz4(packed *bufio.Reader) (io.Reader, error) {
	err := begins(packed, func(mark [4]byte) bool { return string(mark[:]) == string(lz4Mark) || skipped(mark) }, lz4Mark, oldLz4Mark)
	if start, _ := packed.Peek(4); string(start) == string(oldLz4Mark) {
		err = errors.New("it is in lz4's legacy form, which has no end: compress it without -l")
	}
	if err != nil {
		return nil, err
	}
	return lz4.NewReader(packed), nil
}
