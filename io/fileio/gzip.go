package fileio

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// Decompress returns the content of r, the bytes of the file path: unpacked if the path
// ends in .gz, as it is otherwise. Several gzip members make one content; zeros behind a
// member fill up the file, as they do for gzip itself. Reading a file that is cut off fails
// with io.ErrUnexpectedEOF after what could be unpacked, a damaged one with
// gzip.ErrChecksum or gzip.ErrHeader.
func Decompress(path string, r io.Reader) io.Reader {
	if !strings.HasSuffix(path, ".gz") {
		return r
	}
	return &gunzip{path: path, packed: bufio.NewReaderSize(r, 64<<10)}
}

// OpenText opens a file of text, compressed or not, at a byte of its plain text, to its end. All before it
// has to be unpacked.
func OpenText(ctx context.Context, path string, offset int64) (io.ReadCloser, error) {
	if !strings.HasSuffix(path, ".gz") {
		return OpenAt(ctx, path, offset)
	}
	r, err := Open(ctx, path)
	if err != nil {
		return nil, err
	}
	plain := Decompress(path, r)
	if _, err := io.CopyN(io.Discard, plain, offset); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: skip to byte %d of the text: %w", path, offset, err), r.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{plain, r}, nil
}

type gunzip struct {
	path   string
	packed *bufio.Reader
	r      *gzip.Reader // nil until the first header has been read
	at     int64        // bytes unpacked
	err    error
}

func (g *gunzip) Read(p []byte) (n int, err error) {
	for n == 0 && g.err == nil && len(p) > 0 {
		if g.r == nil {
			if g.r, err = gzip.NewReader(g.packed); err != nil {
				g.err = g.explain(err, true)
				break
			}
			g.r.Multistream(false)
		}
		n, err = g.r.Read(p)
		g.at += int64(n)
		if errors.Is(err, io.EOF) {
			err = g.nextMember()
		}
		g.err = g.explain(err, false)
	}
	if n > 0 {
		return n, nil
	}
	return 0, g.err
}

// errAllRead tells the end of the file from a cut within it.
var errAllRead = errors.New("all is read")

// nextMember begins the member behind the one that has ended, past any zeros.
func (g *gunzip) nextMember() error {
	for {
		b, err := g.packed.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return errAllRead
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

func (g *gunzip) explain(err error, header bool) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errAllRead):
		return io.EOF
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
