package show

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/tidwall/gjson"

	"tributary/io/fileio"
	"tributary/io/format"
	_ "tributary/io/format/all" // what there is to show
	"tributary/io/format/avro"
	"tributary/io/packed"
	event "tributary/io/record"
)

// maxLine bounds a line of JSON, and a JSON document of several lines.
const maxLine = 64 << 20

// record is one record as JSON.
type record struct{ json string }

func (r record) get(name string) gjson.Result { return gjson.Get(r.json, gjson.Escape(name)) }

// classify tells a record by its fields.
func classify(rec record) content {
	all := gjson.GetMany(rec.json, "view_id", "view_time", "positive", "labels", "delay_ms", "from_ms", "views", "engagements")
	switch {
	case all[0].Exists() && all[1].Exists() && all[2].IsBool() && all[3].IsObject() && all[4].IsObject():
		return samples
	case all[5].Exists() && all[6].IsObject() && all[7].IsObject():
		return sheets
	default:
		return records
	}
}

// isLine says that a file's records stand alone, so that each may be of another kind.
func isLine(path string) bool {
	files := format.Of(path)
	return files == nil || files.Text()
}

// read calls take for every record of a file, until take returns an error, which it
// returns. What cannot be read goes to damaged if the rest of the file can.
func read(ctx context.Context, path string, take func(record) error, damaged func(error)) (err error) {
	if plain, _ := packed.Cut(path); strings.HasSuffix(plain, ".tfrecord") {
		return fmt.Errorf("%s: TFRecord is written but not read here: TensorFlow shows it, and tfrecord of PyPI", path)
	}
	file, err := fileio.Open(ctx, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	in := bufio.NewReaderSize(packed.NewReader(path, file), 1<<16)
	start, err := in.Peek(4)
	if len(start) == 0 {
		if errors.Is(err, io.EOF) {
			return nil // an empty file holds no records
		}
		return fmt.Errorf("%s: %w", path, err)
	}
	// What is not of another format is JSON, if anything. That and CSV are shown as far as they can be:
	// documents of several lines, rows with too many cells.
	files := format.Sniff(start)
	if files == nil || files.Text() {
		files = format.Of(path)
	}
	switch {
	case files == nil || files.Name() == "json":
		err = readJSON(in, take, damaged)
	case files.Name() == "csv":
		err = readCSV(in, take)
	default:
		return readChunks(ctx, path, files, take, damaged)
	}
	if err != nil && !errors.Is(err, errEnough) && !errors.Is(err, errPass) {
		return fmt.Errorf("%s: %w", path, err)
	}
	return err
}

// readChunks reads a file as its format does.
func readChunks(ctx context.Context, path string, files format.Files, take func(record) error, damaged func(error)) error {
	stat, err := fileio.Stat(ctx, path)
	if err != nil {
		return err
	}
	file := &format.File{Path: path, Size: stat.Size, Open: func(offset int64) (io.ReadCloser, error) { return fileio.OpenText(ctx, path, offset) }}
	head, err := files.Head(file)
	if err != nil {
		return err
	}
	var toJSON *avro.JSONWriter
	if head.Schema != "" {
		schema, err := avro.ParseSchema(head.Schema)
		if err != nil {
			return err
		}
		if toJSON, err = avro.NewJSON(schema); err != nil {
			return err
		}
	}
	chunks, err := files.Chunks(file, head, format.Place{})
	if err != nil {
		return err
	}
	defer func() { _ = chunks.Close() }() // only read
	for {
		c, err := chunks.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, bad := range c.Bad {
			damaged(bad.Err)
		}
		if c.Count > 0 {
			if err := takeChunk(&c, toJSON, take, damaged); err != nil {
				return err
			}
		}
	}
}

// takeChunk takes the records of a chunk, as far as it can be read.
func takeChunk(c *format.Chunk, toJSON *avro.JSONWriter, take func(record) error, damaged func(error)) error {
	rest, err := c.Records(nil)
	if err != nil {
		damaged(err)
		return nil
	}
	var text []byte
	for i := range c.Count {
		n := len(rest)
		text = rest
		if c.Framed {
			var behind []byte
			if _, text, behind, err = event.NextFramed(rest); err != nil {
				return err
			}
			n -= len(behind)
		}
		if toJSON != nil {
			var size int
			if text, size, err = toJSON.Append(nil, text); err != nil {
				damaged(fmt.Errorf("block at byte %d: record %d of %d: %w", c.Offset, i+1, c.Count, err))
				return nil // where the next one begins is not known
			}
			if !c.Framed {
				n = size
			}
		}
		rest = rest[n:]
		if err := take(record{json: string(text)}); err != nil {
			return err
		}
	}
	return nil
}

// readJSON reads a value a line, or, if the first line is not one, one value after
// another however they are laid out.
func readJSON(in *bufio.Reader, take func(record) error, damaged func(error)) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 1<<16), maxLine)
	for n, some := 1, false; lines.Scan(); n++ {
		line := bytes.TrimSpace(lines.Bytes())
		switch {
		case len(line) == 0:
		case gjson.ValidBytes(line):
			some = true
			if err := take(record{json: string(line)}); err != nil {
				return err
			}
		case some:
			damaged(fmt.Errorf("line %d is not JSON", n))
		default:
			return readDocuments(line, lines, take)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read JSON lines: %w", err)
	}
	return nil
}

// readDocuments reads JSON values that stand on several lines, of which first is one.
func readDocuments(first []byte, lines *bufio.Scanner, take func(record) error) error {
	text := append([]byte(nil), first...)
	for lines.Scan() {
		if len(text)+len(lines.Bytes()) > maxLine {
			return fmt.Errorf("JSON over several lines is read up to %d MiB", maxLine>>20)
		}
		text = append(append(text, '\n'), lines.Bytes()...)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read JSON: %w", err)
	}
	values := json.NewDecoder(bytes.NewReader(text))
	for {
		var value json.RawMessage
		err := values.Decode(&value)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("neither Avro nor JSON: %w", err)
		}
		if err := take(record{json: string(value)}); err != nil {
			return err
		}
	}
}

// readCSV takes the first line for the names of the columns.
func readCSV(in io.Reader, take func(record) error) error {
	rows := csv.NewReader(in)
	rows.FieldsPerRecord = -1
	names, err := rows.Read()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read CSV: %w", err)
	}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read CSV: %w", err)
		}
		text := []byte{'{'}
		for i, cell := range row {
			name := fmt.Sprintf("column_%d", i+1) // more cells than names
			if i < len(names) {
				name = names[i]
			}
			if i > 0 {
				text = append(text, ',')
			}
			text = avro.AppendJSONString(text, []byte(name))
			text = append(text, ':')
			text = avro.AppendJSONString(text, []byte(cell))
		}
		if err := take(record{json: string(append(text, '}'))}); err != nil {
			return err
		}
	}
}
