package replay

import (
	"context"
	"errors"
	"fmt"
	"io"

	"tributary/io/fileio"
	"tributary/io/format/avro"
	"tributary/io/record"
)

// file is one Avro file.
type file struct {
	path    string
	records int64
	first   int64 // event time of the first record that has one, ms; else record.NoTime
}

// each calls visit for every record, which it may keep, with its event time in ms;
// record.NoTime if it has none.
func (f *file) each(ctx context.Context, field string, visit func(record []byte, at int64) error) error {
	_, err := f.blocks(ctx, field, func(c *cutter, block *avro.Block) error { return c.cut(block, visit) })
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("%s: %w", f.path, err)
	}
	return err
}

// blocks calls visit for every block, and returns the schema they are written with.
func (f *file) blocks(ctx context.Context, field string, visit func(*cutter, *avro.Block) error) (*avro.Schema, error) {
	in, err := fileio.Open(ctx, f.path)
	if err != nil {
		return nil, err
	}
	defer in.Close() //nolint:errcheck // only read
	reader, err := avro.NewReader(in)
	if err != nil {
		return nil, err
	}
	schema := reader.Header().Schema
	projection, err := avro.Project(schema, []string{field})
	if err != nil {
		return nil, fmt.Errorf("event time: %w", err)
	}
	c := &cutter{projection: projection, unit: projection.Fields()[0].Unit}
	for {
		block, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return schema, nil
		}
		if err != nil {
			return nil, err
		}
		if err := visit(c, &block); err != nil {
			return nil, err
		}
	}
}

// cutter cuts blocks into records.
type cutter struct {
	projection *avro.Projection // of the event time
	unit       record.Unit
	values     [1]record.Value
}

// cut calls visit for every record of a block; see each.
func (c *cutter) cut(block *avro.Block, visit func(record []byte, at int64) error) error {
	// In fresh memory, for records are kept until they are acknowledged.
	records, err := block.Records(nil)
	if err != nil {
		return err
	}
	for range block.Count {
		at := int64(record.NoTime) // which waits for nothing
		n, err := c.projection.Extract(records, c.values[:])
		if err == nil {
			if ms, err := c.values[0].Millis(c.unit); err == nil {
				at = ms
			}
		} else if n, err = c.projection.Skip(records); err != nil {
			// Whoever reads the topic is to judge it, but where it ends must be known.
			return err
		}
		if err := visit(records[:n:n], at); err != nil {
			return err
		}
		records = records[n:]
	}
	return nil
}
