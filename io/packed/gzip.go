package packed

import (
	"bufio"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
)

var gzipCodec = codec{"gzip", []string{".gz"}, [][]byte{[]byte("\x1f\x8b")}, openGzip}

// gunzip fails with gzip.ErrChecksum or gzip.ErrHeader where the file is damaged. Zeros behind a member fill up the
// file, as they do for gzip itself.
type gunzip struct {
	packed *bufio.Reader
	r      *gzip.Reader
}

func openGzip(packed *bufio.Reader) (io.Reader, error) {
	r, err := gzip.NewReader(packed)
	if err != nil {
		return nil, err
	}
	r.Multistream(false)
	return &gunzip{packed, r}, nil
}

func (g *gunzip) Read(p []byte) (n int, err error) {
	n, err = g.r.Read(p)
	if errors.Is(err, io.EOF) {
		err = g.nextMember()
	}
	return n, err
}

// nextMember begins the member behind the one that has ended, past any zeros; io.EOF if there is none.
func (g *gunzip) nextMember() error {
	for {
		b, err := g.packed.ReadByte()
		switch {
		case err != nil:
			return err
		case b != 0:
			if err := g.packed.UnreadByte(); err != nil {
				return err
			}
			err = g.r.Reset(g.packed)
			g.r.Multistream(false)
			return err
		}
	}
}
