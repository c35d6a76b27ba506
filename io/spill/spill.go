// Package spill keeps values that are too large for a runner's shuffle in files, and sends references to them
// through it.
//
//	values -> Keeper -> references -> GroupByKey -> Get -> values
//
// It is for bounded pipelines on Flink, by Beam's portable runner. What a bundle emits stays in the memory of the
// TaskManager until the bundle has ended; more than a hundred messages of 4 MB block the worker for ever, since
// the runner takes none of them before the worker says that it has finished. Then GroupByKey keeps every value in
// RocksDB, which merges and compresses it several times: three quarters of the CPU of a join of files. References
// have a hundred bytes, and values are written once and read once.
//
// The folder is one that all workers reach, like that of the outputs. Each bundle writes a file of its own, of a
// name that no other attempt at the bundle has, and emits its references once the file is whole: so a bundle that
// is tried again, or twice at once, does no harm, and references in a checkpoint stay good for as long as the
// folder does. What is read is held against a hash. Nobody removes files one by one: whoever has started the
// pipeline removes the folder when it has ended.
package spill

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"

	"github.com/zeebo/xxh3"

	"tributary/io/fileio"
	"tributary/io/wire"
)

// headBytes is how much of a value a reference tells: enough for the header of a block.
const headBytes = 32

// Ref is where a value is.
//
//	ref = name (bytes) offset (uvarint) size (uvarint) hash (uint64) head (bytes)
type Ref struct {
	// Name is that of the file in the folder.
	Name         string
	Offset, Size int64
	// Hash is the xxh3 of the value, Head its first bytes.
	Hash uint64
	Head []byte
}

// EncodeRef returns the bytes of a reference.
func EncodeRef(r Ref) []byte {
	dst := wire.AppendText(nil, r.Name)
	dst = binary.AppendUvarint(dst, uint64(r.Offset))
	dst = binary.AppendUvarint(dst, uint64(r.Size))
	dst = binary.LittleEndian.AppendUint64(dst, r.Hash)
	return wire.AppendBytes(dst, r.Head)
}

// DecodeRef reads a reference; its Head points into what it is read from.
func DecodeRef(encoded []byte) (Ref, error) {
	r := wire.NewReader(encoded)
	ref := Ref{Name: string(r.Bytes()), Offset: int64(r.Uvarint()), Size: int64(r.Uvarint()), Hash: r.Uint64(), Head: r.Bytes()}
	if r.Short() || r.More() || ref.Offset < 0 || ref.Size < 0 {
		return Ref{}, fmt.Errorf("%d bytes are no reference to a value that was kept", len(encoded))
	}
	return ref, nil
}

// Writer writes values to a file of its own, in a folder. It is for one goroutine.
type Writer struct {
	name   string
	file   *fileio.Writer
	buffer []byte
}

// bufferBytes is how much a Writer writes at once.
const bufferBytes = 1 << 20

// Create begins a file.
func Create(ctx context.Context, folder string) (*Writer, error) {
	name := rand.Text()
	name = name[:2] + "/" + name[2:] // folders that can be listed
	file, err := fileio.Create(ctx, folder+"/"+name)
	if err != nil {
		return nil, err
	}
	return &Writer{name: name, file: file}, nil
}

// Put appends a value. The reference is good once the file is committed.
func (w *Writer) Put(value []byte) (Ref, error) {
	ref := Ref{
		Name: w.name, Offset: w.file.Size() + int64(len(w.buffer)), Size: int64(len(value)), Hash: xxh3.Hash(value),
		Head: append([]byte(nil), value[:min(len(value), headBytes)]...),
	}
	w.buffer = append(w.buffer, value...)
	if len(w.buffer) < bufferBytes {
		return ref, nil
	}
	return ref, w.flush()
}

func (w *Writer) flush() error {
	_, err := w.file.Write(w.buffer)
	w.buffer = w.buffer[:0]
	return err
}

// Commit makes the file whole.
func (w *Writer) Commit() error {
	if err := w.flush(); err != nil {
		return errors.Join(err, w.file.Commit())
	}
	return w.file.Commit()
}

// Abort undoes the writing, unless it has ended.
func (w *Writer) Abort() { w.file.Abort() }

// Get reads the value of a reference. An error says that the value is not there, or is another one.
func Get(ctx context.Context, folder string, ref Ref) ([]byte, error) {
	file, err := fileio.OpenAt(ctx, folder+"/"+ref.Name, ref.Offset)
	if err != nil {
		return nil, fmt.Errorf("a value that was kept: %w", err)
	}
	value := make([]byte, ref.Size)
	_, err = io.ReadFull(file, value)
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("a value that was kept, %d bytes from %d of %s: %w", ref.Size, ref.Offset, path.Join(folder, ref.Name), err)
	}
	if xxh3.Hash(value) != ref.Hash {
		return nil, fmt.Errorf("%s has changed: %d bytes from %d are not those that were kept there", path.Join(folder, ref.Name), ref.Size, ref.Offset)
	}
	return value, nil
}
