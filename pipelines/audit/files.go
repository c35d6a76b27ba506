package audit

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/tidwall/gjson"

	"tributary/io/fileio"
	"tributary/io/format"
	"tributary/io/format/avro"
	"tributary/io/packed"
	"tributary/io/record"
)

// schemas are those that samples were written with. The first is that of text: JSON objects.
type schemas struct {
	all []*samples
	by  map[string]*samples // by their canonical form
	// texts are those of the schemas of files, which are the same for most.
	texts map[string]*samples
}

// samples are records of one schema.
type samples struct {
	schema int
	// text of JSON, or what reads the keys of Avro records and makes JSON of them.
	text  bool
	reads *avro.Projection
	json  *avro.JSONWriter

	values [len(keyFields)]record.Value
	// avro is the schema of Avro records; before steps over what stands before a field, once it is asked for. frame precedes values that
	// name the schema in a registry.
	avro   *avro.Schema
	before map[string]*avro.Projection
	frame  []byte
}

// keyFields are those that tell samples apart, with the weight that tells those that take back.
var keyFields = [...]string{"view_id", "view_time", "weight", "stage", "version"}

// needed are how many of keyFields all samples have.
const needed = 3

func newSchemas() *schemas {
	return &schemas{all: []*samples{{text: true}}, by: map[string]*samples{}, texts: map[string]*samples{}}
}

// text is the schema of JSON text.
func (s *schemas) text() *samples { return s.all[0] }

// of returns the samples of an Avro schema. The error says what makes them no samples.
func (s *schemas) of(schema *avro.Schema) (*samples, error) {
	if known := s.by[schema.Canonical()]; known != nil {
		return known, nil
	}
	one := &samples{schema: len(s.all), avro: schema, before: map[string]*avro.Projection{}}
	fields := keyFields
	for i := needed; i < len(fields); i++ {
		if _, err := schema.Lookup(fields[i]); err != nil {
			fields[i] = "" // there are no stages
		}
	}
	var err error
	if one.reads, err = avro.Project(schema, fields[:]); err != nil {
		return nil, fmt.Errorf("these are no samples: %w", err)
	}
	if one.json, err = avro.NewJSON(schema); err != nil {
		return nil, err
	}
	s.by[schema.Canonical()] = one
	s.all = append(s.all, one)
	return one, nil
}

// ofText is of for the text of a schema; an empty one is that of JSON text.
func (s *schemas) ofText(text string) (*samples, error) {
	if text == "" {
		return s.text(), nil
	}
	if known := s.texts[text]; known != nil {
		return known, nil
	}
	schema, err := avro.ParseSchema(text)
	if err != nil {
		return nil, err
	}
	s.texts[text], err = s.of(schema)
	return s.texts[text], err
}

// keys reads what names a sample.
func (s *samples) keys(raw []byte, e *entry) error {
	if s.text {
		return textKeys(raw, e)
	}
	n, err := s.reads.Extract(raw, s.values[:])
	if err == nil && n < len(raw) {
		err = fmt.Errorf("%d bytes stand behind the record", len(raw)-n)
	}
	if err != nil {
		return err
	}
	e.id, e.time, e.weight = s.values[0].Text, s.values[1].Int, s.values[2].Float
	e.stage, e.version = string(s.values[3].Text), s.values[4].Int
	return nil
}

// textKeys reads them of JSON, where cells of a table are texts.
func textKeys(raw []byte, e *entry) error {
	if !gjson.ValidBytes(raw) {
		return errors.New("this is no JSON")
	}
	found := gjson.GetManyBytes(raw, keyFields[:]...)
	for i, f := range found[:needed] {
		if !f.Exists() || f.Type == gjson.Null {
			return fmt.Errorf("there is no %s: this is no sample", keyFields[i])
		}
	}
	e.id, e.time, e.weight = []byte(found[0].String()), found[1].Int(), found[2].Float()
	e.stage, e.version = found[3].String(), found[4].Int()
	return nil
}

// asJSON makes JSON of a sample.
func (s *samples) asJSON(raw []byte) (string, error) {
	if s.text {
		return string(raw), nil
	}
	text, _, err := s.json.Append(nil, raw)
	return string(text), err
}

// each calls take for every sample of a file, valid for the call. What is damaged, or no file of its format, goes to damaged, and reading goes
// on, where it can, unless that returns an error. The error is that, take's, or one of reading: of a store that does not answer, or refuses.
func (s *schemas) each(ctx context.Context, path string, take func(of *samples, raw []byte) error, damaged func(error) error) error {
	files := format.Of(path)
	if files == nil {
		return damaged(errors.New("its name is that of no format that is read"))
	}
	stat, err := fileio.Stat(ctx, path)
	if err != nil {
		return err
	}
	from := &store{path: path}
	bad := func(err error) error {
		if from.failed != nil {
			return fmt.Errorf("%s: %w", path, from.failed)
		}
		return damaged(err)
	}
	file := &format.File{Path: path, Size: stat.Size, Open: func(offset int64) (io.ReadCloser, error) { return from.open(ctx, offset) }}
	head, err := files.Head(file)
	if err != nil {
		return bad(err)
	}
	of, err := s.ofText(head.Schema)
	if err != nil {
		return bad(err)
	}
	chunks, err := files.Chunks(file, head, format.Place{})
	if err != nil {
		return bad(err)
	}
	defer func() { _ = chunks.Close() }() // only read
	for {
		chunk, err := chunks.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return bad(err)
		}
		for _, lost := range chunk.Bad {
			if err := bad(lost.Err); err != nil {
				return err
			}
		}
		if err := of.chunk(&chunk, take, bad); err != nil {
			return err
		}
	}
}

// store is where a file is, and what has failed there: that says nothing of the file.
type store struct {
	path   string
	failed error
}

// open opens the plain text or bytes of the file, at an offset.
func (s *store) open(ctx context.Context, offset int64) (io.ReadCloser, error) {
	compressed := packed.Is(s.path)
	at := offset
	if compressed {
		at = 0
	}
	r, err := fileio.OpenAt(ctx, s.path, at)
	if err != nil {
		s.failed = err
		return nil, err
	}
	noted := notedReader{r, s}
	if !compressed {
		return noted, nil
	}
	plain := packed.NewReader(s.path, noted)
	if _, err := io.CopyN(io.Discard, plain, offset); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{plain, r}, nil
}

// notedReader notes what fails below any format.
type notedReader struct {
	io.ReadCloser
	of *store
}

func (r notedReader) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.of.failed = err
	}
	return n, err
}

// chunk takes the samples of a chunk.
func (s *samples) chunk(c *format.Chunk, take func(of *samples, raw []byte) error, damaged func(error) error) error {
	if c.Count == 0 {
		return nil
	}
	rest, err := c.Records(nil)
	if err != nil {
		return damaged(err)
	}
	for i := range c.Count {
		var raw []byte
		if c.Framed {
			if _, raw, rest, err = record.NextFramed(rest); err != nil {
				return damaged(err)
			}
		} else {
			n, err := s.reads.Skip(rest)
			if err != nil {
				return damaged(fmt.Errorf("record %d of %d from byte %d on: %w", i+1, c.Count, c.Offset, err))
			}
			raw, rest = rest[:n], rest[n:]
		}
		if err := take(s, raw); err != nil {
			return err
		}
	}
	return nil
}
