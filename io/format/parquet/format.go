package parquet

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"

	"tributary/io/format"
	"tributary/io/wire"
)

func init() { format.Register(files{}) }

// files is the format as the registry knows it.
type files struct{}

// Name is parquet.
func (files) Name() string { return "parquet" }

// The ways to compress a file.
const (
	codecZstd         = "zstd"
	codecSnappy       = "snappy"
	codecUncompressed = "uncompressed"
)

// Codecs begins with what makes the smallest files.
func (files) Codecs() []string { return []string{codecZstd, codecSnappy, codecUncompressed} }

// Ending does not depend on the codec.
func (files) Ending(string) string { return ".parquet" }

// Fits implements format.Fitter.
func (files) Fits(schema string) error {
	_, err := columnsOf(schema)
	return err
}

const (
	// rowGroupBytes is how large the records of a row group are as Avro: what a writer holds, and a reader
	// reads at once, in columns.
	rowGroupBytes = 32 << 20
	// batchBytes is how many bytes of records, and batchRows how many, are cut into values before the columns
	// take them: a value takes 24 bytes.
	batchBytes, batchRows = 256 << 10, 1024
	// dictionaryBytes is where text is no longer worth a dictionary: ids are all different.
	dictionaryBytes = 256 << 10
)

// Write begins a file.
func (files) Write(w io.Writer, opt format.WriteOptions) (format.Records, error) {
	return begin(w, opt, rowGroupBytes)
}

func begin(w io.Writer, opt format.WriteOptions, rowGroup int) (*writer, error) {
	codec, err := codecOf(opt.Codec)
	if err != nil {
		return nil, err
	}
	c, err := columnsOf(opt.Schema)
	if err != nil {
		return nil, err
	}
	options := []parquet.WriterOption{
		parquet.NewSchema(c.name, c.root), parquet.Compression(codec), parquet.DefaultEncoding(&parquet.Plain), // which every reader knows
		parquet.CreatedBy("tributary", "1", "0"), // of the columns, not of the release: the bytes stay
		parquet.DictionaryMaxBytes(dictionaryBytes), parquet.MaxRowsPerRowGroup(1 << 40),
	}
	for _, path := range c.unordered {
		options = append(options, parquet.SkipPageBounds(path...))
	}
	to := parquet.NewGenericWriter[any](w, options...)
	return &writer{to: to, columns: to.ColumnWriters(), shredder: shredder{record: c.record, values: make([][]parquet.Value, c.count)}, rowGroup: rowGroup}, nil
}

func codecOf(name string) (compress.Codec, error) {
	switch name {
	case codecZstd:
		return &parquet.Zstd, nil
	case codecSnappy:
		return &parquet.Snappy, nil
	case codecUncompressed:
		return &parquet.Uncompressed, nil
	}
	return nil, fmt.Errorf("codec %q is not supported: it must be one of %s", name, strings.Join(files{}.Codecs(), ", "))
}

// writer writes a file.
type writer struct {
	shredder

	to       *parquet.GenericWriter[any]
	columns  []*parquet.ColumnWriter
	rowGroup int // rowGroupBytes

	plain   []byte // the records of the batch, which values point into
	lengths []int
	inGroup int // bytes of records in the row group, those of the batch among them
	err     error
}

var errClosed = errors.New("write Parquet file: it is closed")

// Append adds an encoded record, which it copies. What is wrong with it, or with the writer beneath, shows in this
// or in a later call.
func (w *writer) Append(encoded []byte) error {
	if w.err != nil {
		return w.err
	}
	w.plain = append(w.plain, encoded...)
	w.lengths = append(w.lengths, len(encoded))
	w.inGroup += len(encoded)
	switch {
	case w.inGroup >= w.rowGroup:
		w.err = w.endGroup()
	case len(w.plain) >= batchBytes || len(w.lengths) >= batchRows:
		w.err = w.endBatch()
	}
	return w.err
}

// endBatch gives the columns their values.
func (w *writer) endBatch() error {
	rest := w.plain
	for i, n := range w.lengths {
		r := wire.NewReader(rest[:n])
		if err := w.shred(&r); err != nil {
			return fmt.Errorf("write Parquet file: record %d of a batch of %d: %w", i+1, len(w.lengths), err)
		}
		rest = rest[n:]
	}
	for i, values := range w.values {
		if len(values) == 0 {
			continue
		}
		if _, err := w.columns[i].WriteRowValues(values); err != nil {
			return fmt.Errorf("write Parquet file: %w", err)
		}
		w.values[i] = values[:0]
	}
	w.plain, w.lengths = w.plain[:0], w.lengths[:0]
	return nil
}

// endGroup writes the row group.
func (w *writer) endGroup() error {
	if err := w.endBatch(); err != nil {
		return err
	}
	w.inGroup = 0
	if err := w.to.Flush(); err != nil {
		return fmt.Errorf("write Parquet file: %w", err)
	}
	return nil
}

// Close writes what is left, and the end of the file.
func (w *writer) Close() error {
	if w.err != nil {
		if errors.Is(w.err, errClosed) {
			return nil
		}
		return w.err
	}
	if w.err = w.endGroup(); w.err == nil {
		w.err = w.to.Close()
	}
	if w.err != nil {
		return w.err
	}
	w.err = errClosed
	return nil
}

var _ format.Fitter = files{}
