package avro

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Limits bound what a Reader takes for sound; zero values stand for the defaults.
type Limits struct {
	// Block is the largest stored size of a block in bytes, 256 MiB by default.
	Block int64
	// Records is the largest plain size of a block in bytes, 256 MiB by default: a few
	// stored bytes can be made to hold any number of plain ones.
	Records int64
}

const (
	maxBlock   = 256 << 20
	maxRecords = 256 << 20
	// maxEmptyRecords bounds the count of a block whose records may take no bytes.
	maxEmptyRecords = 1 << 24
)

// Reader reads a container file block by block.
type Reader struct {
	header Header
	limits Limits
	in     input
	stored int64 // bytes of the last block, not dropped until the next call
}

// NewReader reads the header of a file. The error says what is wrong with it; a header
// that cannot be read makes the file unreadable.
func NewReader(r io.Reader) (*Reader, error) {
	reader := &Reader{in: input{r: r}}
	h, err := readHeader(&reader.in)
	switch {
	case errors.Is(err, io.EOF) && reader.in.offset == 0:
		return nil, fmt.Errorf("read Avro file: it is empty: %w", io.ErrUnexpectedEOF)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF // not the end that a caller of Next waits for
		}
		return nil, fmt.Errorf("read Avro file: it ends within the header: %w", err)
	case err != nil:
		return nil, fmt.Errorf("read Avro file: %w", err)
	}
	reader.header = h
	reader.Limit(Limits{})
	return reader, nil
}

// ResumeReader reads on in a file with header h, from the block boundary at offset,
// where r stands: for range reads.
func ResumeReader(h Header, r io.Reader, offset int64) *Reader {
	reader := &Reader{header: h, in: input{r: r, offset: offset}}
	reader.Limit(Limits{})
	return reader
}

// Limit sets limits other than the defaults.
func (r *Reader) Limit(l Limits) {
	if l.Block <= 0 {
		l.Block = maxBlock
	}
	if l.Records <= 0 {
		l.Records = maxRecords
	}
	r.limits = l
}

// Header returns the file's header.
func (r *Reader) Header() Header { return r.header }

// Block is a run of records as it is stored. It is valid until the next call of Next.
type Block struct {
	// Offset of the block in the file.
	Offset int64
	// Size of the block in the file with all that frames it; the next begins behind.
	Size int64
	// Count is how many records the block says it holds: at least one.
	Count int64

	data    []byte
	codec   string
	minSize int64
	limit   int64
}

// Next returns the next block that has records. The error is io.EOF at the end of the
// file, which zeros may follow; a *DamageError for a part that cannot be read, after which
// the next call goes on behind it; or the reader's own.
func (r *Reader) Next() (Block, error) {
	r.in.drop(int(r.stored))
	r.stored = 0
	for {
		b, err := r.next()
		if err != nil || b.Count > 0 {
			r.stored = b.Size
			return b, err
		}
		r.in.drop(int(b.Size)) // legal, and of no interest
	}
}

// block is the block that begins where the reader stands, as far as the file tells it.
func (r *Reader) block() Block {
	return Block{Offset: r.in.offset, codec: r.header.Codec, minSize: r.header.Schema.root.minSize, limit: r.limits.Records}
}

func (r *Reader) next() (Block, error) {
	b := r.block()
	head, err := r.in.peekSome(2 * binary.MaxVarintLen64)
	if err != nil {
		if errors.Is(err, io.EOF) {
			return Block{}, io.EOF
		}
		return Block{}, r.readError(err)
	}
	at, stored, err := b.readHead(head, r.limits.Block)
	if err != nil {
		return Block{}, r.damage(b.Offset, 0, err)
	}
	whole, err := r.in.peek(at + int(stored) + syncSize)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return Block{}, r.damage(b.Offset, b.Count, errTruncated)
	case err != nil:
		return Block{}, r.readError(err)
	case !bytes.Equal(whole[len(whole)-syncSize:], r.header.Sync[:]):
		return Block{}, r.badMarker(b, len(whole))
	}
	b.data = whole[at : len(whole)-syncSize]
	b.Size = int64(len(whole))
	return b, nil
}

// readHead reads the numbers that a block begins with: its Count, and how many bytes are
// stored from at on.
func (b *Block) readHead(head []byte, limit int64) (at int, stored int64, err error) {
	v, at := uvarint(head, 0)
	var size uint64
	if at >= 0 {
		b.Count = zigzag(v)
		size, at = uvarint(head, at)
	}
	stored = zigzag(size)
	switch {
	case at == int(failShort):
		return 0, 0, errTruncated
	case at < 0:
		return 0, 0, errors.New("its header is not made of two numbers")
	case stored < 0 || stored > limit:
		return 0, 0, fmt.Errorf("its size is %d, the limit %d", stored, limit)
	}
	return at, stored, b.checkCount(stored)
}

var errTruncated = fmt.Errorf("the file ends within it: %w", io.ErrUnexpectedEOF)

// readError adds the place to an error of the underlying reader.
func (r *Reader) readError(err error) error {
	return fmt.Errorf("read Avro file at byte %d: %w", r.in.offset+int64(r.in.to-r.in.from), err)
}

// checkCount finds counts that cannot be, given what the block stores.
func (b *Block) checkCount(stored int64) error {
	most := int64(maxEmptyRecords)
	if b.minSize > 0 {
		most = b.limit / b.minSize
		if b.codec == CodecNull {
			most = stored / b.minSize
		}
	}
	if b.Count < 0 || b.Count > most {
		return fmt.Errorf("its count of records is %d, in %d bytes", b.Count, stored)
	}
	return nil
}

// Records appends the block's records, as they stand back to back, to dst. It does the
// decompression, so a block that is not asked for costs little. The error is a
// *DamageError, and all of the block's records are lost.
func (b *Block) Records(dst []byte) ([]byte, error) {
	start := len(dst)
	out, err := decompress(dst, b.codec, b.data, b.limit)
	if err != nil {
		return dst[:start], &DamageError{Offset: b.Offset, Size: b.Size, Count: b.Count, Err: err}
	}
	if plain := int64(len(out) - start); b.minSize > 0 && b.Count > plain/b.minSize {
		err = fmt.Errorf("its count of records is %d, in %d bytes", b.Count, plain)
		return dst[:start], &DamageError{Offset: b.Offset, Size: b.Size, AtLeast: true, Err: err}
	}
	return out, nil
}
