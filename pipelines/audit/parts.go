package audit

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/zeebo/xxh3"

	"tributary/io/wire"
)

const (
	// partBits make 64 parts: 4 GiB of samples in parts of DefaultMemory.
	partBits = 6
	// partBuffer times the parts is 4 MiB.
	partBuffer = 64 << 10
	// deepest is how often a part is parted: beyond it there are only samples of one id, or of none.
	deepest = 8
)

// parts are entries on a local disk, those of an id in one file.
type parts struct {
	dir   string
	depth int
	files [1 << partBits]*os.File
	to    [1 << partBits]*bufio.Writer
	sizes [1 << partBits]int64
	frame []byte
	entry []byte
}

// newParts makes the folder, for parts of a part at that depth.
func newParts(dir string, depth int) (*parts, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	return &parts{dir: dir, depth: depth}, nil
}

// put appends an entry to its part.
func (p *parts) put(e *entry) (err error) {
	p.entry = e.append(p.entry[:0])
	return p.putEncoded(e.id, p.entry)
}

func (p *parts) putEncoded(id, encoded []byte) (err error) {
	at := xxh3.Hash(id) >> (partBits * p.depth) % (1 << partBits)
	if p.files[at] == nil {
		if p.files[at], err = os.OpenFile(filepath.Join(p.dir, fmt.Sprintf("%02d", at)), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
			return err
		}
		p.to[at] = bufio.NewWriterSize(p.files[at], partBuffer)
	}
	p.frame = wire.AppendBytes(p.frame[:0], encoded)
	p.sizes[at] += int64(len(p.frame))
	_, err = p.to[at].Write(p.frame)
	return err
}

// each calls do with the entries of one part after another. What is larger than memory is parted again. The parts are gone then.
func (p *parts) each(ctx context.Context, memory int64, do func([]entry) error) error {
	return p.visit(ctx, memory, false, do)
}

// look is each, and leaves the parts.
func (p *parts) look(ctx context.Context, memory int64, do func([]entry) error) error {
	return p.visit(ctx, memory, true, do)
}

func (p *parts) visit(ctx context.Context, memory int64, keep bool, do func([]entry) error) error {
	for at, file := range p.files {
		if file == nil {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := p.to[at].Flush(); err != nil {
			return err
		}
		if err := p.one(ctx, at, memory, do); err != nil {
			return err
		}
		if keep {
			continue
		}
		err := errors.Join(file.Close(), os.Remove(file.Name()))
		if p.files[at], p.to[at] = nil, nil; err != nil {
			return err
		}
	}
	return nil
}

func (p *parts) one(ctx context.Context, at int, memory int64, do func([]entry) error) error {
	file := p.files[at]
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if p.sizes[at] > memory && p.depth < deepest {
		smaller, err := newParts(file.Name()+".parts", p.depth+1)
		if err != nil {
			return err
		}
		defer smaller.remove()
		if err := putFrames(file, smaller); err != nil {
			return err
		}
		return smaller.each(ctx, memory, do)
	}
	content, err := io.ReadAll(file)
	if err != nil {
		return err
	}
	var entries []entry
	for r := wire.NewReader(content); r.More(); {
		encoded := r.Bytes()
		if r.Short() {
			return fmt.Errorf("%s: %w", file.Name(), io.ErrUnexpectedEOF)
		}
		e, err := decodeEntry(encoded)
		if err != nil {
			return err
		}
		entries = append(entries, e)
	}
	return do(entries)
}

// putInto puts all entries into other parts, too.
func (p *parts) putInto(other *parts) error {
	for at, file := range p.files {
		if file == nil {
			continue
		}
		if err := p.to[at].Flush(); err != nil {
			return err
		}
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return err
		}
		if err := putFrames(file, other); err != nil {
			return err
		}
	}
	return nil
}

// putFrames puts the entries of a part into other parts.
func putFrames(file *os.File, into *parts) error {
	return eachFrame(bufio.NewReaderSize(file, 1<<20), func(encoded []byte) error {
		e, err := decodeEntry(encoded)
		if err != nil {
			return err
		}
		return into.putEncoded(e.id, encoded)
	})
}

// eachFrame calls do with each encoded entry, valid for the call.
func eachFrame(r *bufio.Reader, do func(encoded []byte) error) error {
	var frame []byte
	for {
		size, err := binary.ReadUvarint(r)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if uint64(cap(frame)) < size {
			frame = make([]byte, size)
		}
		if _, err := io.ReadFull(r, frame[:size]); err != nil {
			return err
		}
		if err := do(frame[:size]); err != nil {
			return err
		}
	}
}

// remove removes what is left.
func (p *parts) remove() {
	for _, file := range p.files {
		if file != nil {
			_ = file.Close() // it is removed
		}
	}
	_ = os.RemoveAll(p.dir) // with the folder of the audit, at the latest
}
