package fileio

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// Decompress returns the content of r, the bytes of the file path: unpacked if the path
// ends in .gz, as it is otherwise. Several gzip members make one content. Reading a file
// that is cut off fails with io.ErrUnexpectedEOF after what could be unpacked, a
// damaged one with gzip.ErrChecksum or gzip.ErrHeader.
func Decompress(path string, r io.Reader) io.Reader {
	if !strings.HasSuffix(path, ".gz") {
		return r
	}
	return &gunzip{path: path, packed: r}
}

type gunzip struct {
	path   string
	packed io.Reader
	r      *gzip.Reader // nil until the header has been read
	at     int64        // bytes unpacked
}

func (g *gunzip) Read(p []byte) (int, error) {
	if g.r == nil {
		r, err := gzip.NewReader(g.packed)
		if err != nil {
			return 0, g.explain(err, true)
		}
		g.r = r
	}
	n, err := g.r.Read(p)
	g.at += int64(n)
	if errors.Is(err, io.EOF) {
		return n, err
	}
	return n, g.explain(err, false)
}

func (g *gunzip) explain(err error, header bool) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s: gzip is cut off after %d bytes of content: %w", g.path, g.at, io.ErrUnexpectedEOF)
	case header && errors.Is(err, gzip.ErrHeader):
		return fmt.Errorf("%s: not gzip, though its name ends in .gz: %w", g.path, err)
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum):
		return fmt.Errorf("%s: gzip is damaged after %d bytes of content: %w", g.path, g.at, err)
	default:
		return fmt.Errorf("%s: after %d bytes of content: %w", g.path, g.at, err)
	}
}
