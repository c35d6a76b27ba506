package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"
)

// cursor goes through the values of a column of a row group.
type cursor struct {
	name   string
	pages  parquet.Pages
	page   parquet.Page
	values parquet.ValueReader
	read   []parquet.Value
	at     int
}

// cursorValues is how many values of a column are read at once.
const cursorValues = 512

// next returns the value at the cursor, which take steps over; io.EOF behind the last.
func (c *cursor) next() (*parquet.Value, error) {
	for c.at == len(c.read) {
		if c.values == nil {
			page, err := c.pages.ReadPage()
			if err != nil {
				return nil, err
			}
			c.page, c.values = page, page.Values()
		}
		n, err := c.values.ReadValues(c.read[:cap(c.read)])
		c.read, c.at = c.read[:n], 0
		switch {
		case err != nil && !errors.Is(err, io.EOF):
			return nil, err
		case n == 0: // values of the page are no longer referred to
			parquet.Release(c.page)
			c.page, c.values = nil, nil
		}
	}
	return &c.read[c.at], nil
}

func (c *cursor) close() {
	if c.page != nil {
		parquet.Release(c.page)
	}
	_ = c.pages.Close() // of bytes in memory
}

// assembler puts rows together from the values of their columns.
type assembler struct {
	columns []*cursor // nil for those that are not wanted
}

var errTooFew = errors.New("it has fewer values than the row group has rows")

// peek is the level of what there is of the next value of a column.
func (a *assembler) peek(column int) (def int, err error) {
	v, err := a.columns[column].next()
	if err != nil {
		return 0, a.columns[column].in(err)
	}
	return v.DefinitionLevel(), nil
}

func (c *cursor) in(err error) error {
	if errors.Is(err, io.EOF) {
		err = errTooFew
	}
	return fmt.Errorf("column %s: %w", c.name, err)
}

// take returns the next value of a column, which must repeat at that level.
func (a *assembler) take(column, rep int) (*parquet.Value, error) {
	c := a.columns[column]
	v, err := c.next()
	if err != nil {
		return nil, c.in(err)
	}
	if v.RepetitionLevel() != rep {
		return nil, c.in(errors.New("its values do not go with those of the columns beside it"))
	}
	c.at++
	return v, nil
}

// none steps over what stands in all columns of t for nothing: it is there up to the same level in each.
func (a *assembler) none(t *tree, def, rep int) error {
	for column := t.first; column < t.end; column++ {
		v, err := a.take(column, rep)
		if err != nil {
			return err
		}
		if v.DefinitionLevel() != def || !v.IsNull() {
			return a.columns[column].in(errors.New("it has a value where the columns beside it have none"))
		}
	}
	return nil
}

// add appends the next value of t; rep is the level at which it repeats.
func (a *assembler) add(dst []byte, t *tree, rep int) ([]byte, error) {
	if t.nullable {
		def, err := a.peek(t.first)
		if err != nil {
			return dst, err
		}
		if def < t.def {
			return append(dst, 0), a.none(t, def, rep)
		}
		dst = append(dst, 2) // the second branch
	}
	switch t.kind {
	case treeRecord:
		var err error
		for _, f := range t.below {
			if dst, err = a.add(dst, f, rep); err != nil {
				return dst, err
			}
		}
		return dst, nil
	case treeList, treeMap:
		return a.items(dst, t, rep)
	default:
		v, err := a.take(t.first, rep)
		if err != nil {
			return dst, err
		}
		if v.DefinitionLevel() != t.def || v.IsNull() {
			return dst, a.columns[t.first].in(errors.New("it has no value where there must be one"))
		}
		if dst, err = t.encode(dst, v); err != nil {
			return dst, a.columns[t.first].in(err)
		}
		return dst, nil
	}
}

// repeats tells whether the next value of a column repeats at that level. At the end none does.
func (a *assembler) repeats(column, rep int) (bool, error) {
	v, err := a.columns[column].next()
	switch {
	case errors.Is(err, io.EOF):
		return false, nil
	case err != nil:
		return false, a.columns[column].in(err)
	}
	return v.RepetitionLevel() == rep, nil
}

// items appends those of a list or map, as one block.
func (a *assembler) items(dst []byte, t *tree, rep int) ([]byte, error) {
	def, err := a.peek(t.first)
	if err != nil {
		return dst, err
	}
	if def < t.itemDef {
		return append(dst, 0), a.none(t, def, rep)
	}
	from, count := len(dst), int64(0)
	for {
		for _, below := range t.below {
			if dst, err = a.add(dst, below, rep); err != nil {
				return dst, err
			}
		}
		count++
		more, err := a.repeats(t.first, t.itemRep)
		if err != nil {
			return dst, err
		}
		if !more {
			break
		}
		rep = t.itemRep
	}
	var room [binary.MaxVarintLen64]byte
	return append(slices.Insert(dst, from, binary.AppendVarint(room[:0], count)...), 0), nil
}
