package generate

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"

	"tributary/io/fileio"
	"tributary/io/format/avro"
)

// corruptRecords is how many records a corrupt block claims to hold.
const corruptRecords = 10

// files writes the records of one partition to container files, one after another.
type files struct {
	ctx     context.Context
	prefix  string // of the files' names
	schema  *avro.Schema
	codec   string
	each    int64 // records a file
	corrupt int   // blocks to begin the first file with

	number int // of the next file
	file   *fileio.Writer
	avro   *avro.Writer
}

// partitionFiles are the files of a partition below dir.
func partitionFiles(ctx context.Context, c *Config, dir string, partition int, schema *avro.Schema) *files {
	f := &files{
		ctx: ctx, prefix: c.path(dir, fmt.Sprintf("part-%05d", partition)),
		schema: schema, codec: c.Codec, each: c.FileRecords,
	}
	if c.Order == OrderFile {
		f.each = 0
	}
	return f
}

// append adds a record and starts files as they fill up. After an error, abort.
func (f *files) append(datum []byte) error {
	if f.avro != nil && f.each > 0 && f.avro.Count() >= f.each {
		if err := f.close(); err != nil {
			return err
		}
	}
	if f.avro == nil {
		if err := f.open(); err != nil {
			return err
		}
	}
	return f.avro.Append(datum)
}

func (f *files) open() error {
	name := fmt.Sprintf("%s-%05d.avro", f.prefix, f.number)
	file, err := fileio.Create(f.ctx, name)
	if err != nil {
		return err
	}
	f.file = file
	if f.avro, err = avro.NewWriter(file, f.schema, avro.WriterOptions{Codec: f.codec}); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	f.number++
	// The header is written, and no block yet: garbage fits in between.
	for ; f.corrupt > 0; f.corrupt-- {
		if _, err := file.Write(corruptBlock(f.avro.Header().Sync)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// corruptBlock is a block that is sound from outside, while nothing in it can be read: no
// codec takes it, and as it is, it is a number that does not end.
func corruptBlock(sync [16]byte) []byte {
	const size = 1000
	block := binary.AppendVarint(nil, corruptRecords)
	block = binary.AppendVarint(block, size)
	block = append(block, bytes.Repeat([]byte{0xff}, size)...)
	return append(block, sync[:]...)
}

// close finishes the file at hand, if any; a partition without records has an empty one,
// so that it is there to be read.
func (f *files) close() error {
	if f.avro == nil {
		return nil
	}
	err := f.avro.Close()
	f.avro = nil
	if err != nil {
		return fmt.Errorf("%s: %w", f.prefix, err)
	}
	file := f.file
	f.file = nil
	return file.Commit()
}

// finish closes the last file.
func (f *files) finish() error {
	if f.number == 0 {
		if err := f.open(); err != nil {
			return err
		}
	}
	return f.close()
}

// abort gives up the file at hand.
func (f *files) abort() {
	if f.avro != nil {
		_ = f.avro.Close() // what it wrote is thrown away
		f.avro = nil
	}
	if f.file != nil {
		f.file.Abort()
		f.file = nil
	}
}
