package csv

import (
	"bytes"
	"io"

	"tributary/io/format"
	"tributary/io/format/avro"
)

// Codecs begins with none.
func (files) Codecs() []string { return format.StreamCodecs() }

// Ending tells the codec.
func (files) Ending(codec string) string { return format.StreamEnding(".csv", codec) }

// Write begins a file with its header: the columns of avro.Columns. Rows end in a line feed. A cell is the
// text of avro.Cell, in quotes where RFC 4180 wants them, so that a list, a map and a union's record are
// JSON; null is a cell without anything, and an empty text is "". Where a table has one column only null
// is "" too, since nothing alone would be no row.
func (files) Write(w io.Writer, opt format.WriteOptions) (format.Records, error) {
	schema, err := avro.ParseSchema(opt.Schema)
	if err != nil {
		return nil, err
	}
	c := &writer{}
	if c.columns, err = avro.NewColumns(schema); err != nil {
		return nil, err
	}
	if c.Stream, err = format.NewStream(w, opt.Codec); err != nil {
		return nil, err
	}
	for i, column := range c.columns.All() {
		c.row = appendCell(separated(c.row, i), []byte(column.Name))
	}
	_, err = c.Write(append(c.row, '\n'))
	return c, err
}

// writer writes a record a row.
type writer struct {
	*format.Stream

	columns   *avro.Columns
	cells     []avro.Cell
	row, cell []byte
}

func (c *writer) Append(encoded []byte) (err error) {
	if c.cells, _, err = c.columns.Split(c.cells, encoded); err != nil {
		return err
	}
	c.row = c.row[:0]
	for i := range c.cells {
		c.row = separated(c.row, i)
		if cell := &c.cells[i]; cell.Type != nil || len(c.cells) == 1 {
			c.cell = cell.AppendText(c.cell[:0])
			c.row = appendCell(c.row, c.cell)
		}
	}
	_, err = c.Write(append(c.row, '\n'))
	return err
}

func separated(row []byte, i int) []byte {
	if i > 0 {
		row = append(row, ',')
	}
	return row
}

// appendCell appends text that is there, if empty in quotes.
func appendCell(row, text []byte) []byte {
	if len(text) > 0 && !bytes.ContainsAny(text, ",\"\r\n") && text[0] != ' ' && text[len(text)-1] != ' ' {
		return append(row, text...)
	}
	row = append(row, '"')
	for _, b := range text {
		if b == '"' {
			row = append(row, '"')
		}
		row = append(row, b)
	}
	return append(row, '"')
}
