package batch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/klauspost/compress/gzip"

	"tributary/io/fileio"
	"tributary/io/format"
	"tributary/io/format/avro"
	"tributary/pipelines/job"
	"tributary/pipelines/spec/problem"
)

// Codes of problems that files show.
const (
	codeNoFile       = "T2001"
	codeUnreadable   = "T2002"
	codeIncompatible = "T2005"
	codeOrder        = "T2007"
	codeFormat       = "T2008"
	codeSchemaFile   = "T2009"
	codeCutOtherwise = "T2011"
)

// readSchemas reads the header of every Avro file and every schema the spec names, holds
// the fields of the spec against them, and chooses the schema of the samples' views.
func (p *plan) readSchemas(ctx context.Context) (*job.InputTopics, error) {
	var problems problem.List
	given := map[string]*avro.Schema{} // by the file named in the spec
	for i := range p.sources {
		src := &p.sources[i]
		if src.Topic != "" || src.Schema == "" || given[src.Schema] != nil {
			continue
		}
		text, err := fileio.ReadFile(ctx, src.Schema)
		if err == nil {
			given[src.Schema], err = avro.ParseSchema(string(text))
		}
		if err != nil {
			problems = append(problems, p.problem(codeSchemaFile, fmt.Sprintf("schema %s: %v", src.Schema, err), src))
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	topics, err := job.FindTopics(ctx, p.spec, &p.params, p.sources)
	if err != nil {
		return nil, err
	}
	known := map[uint64]*avro.Schema{}
	fields := job.NewFieldCheck(p.spec, &p.params, p.sources)
	for i := range p.sources {
		if schema := given[p.sources[i].Schema]; schema != nil && p.sources[i].Topic == "" {
			fields.Given(i, schema)
		}
	}
	for _, f := range p.files {
		src := &p.sources[f.roles[0].source]
		var schema *avro.Schema
		if f.reads().Text() && src.Schema != "" {
			schema = given[src.Schema]
			f.Convert = schema.String()
		} else {
			head, err := headOf(ctx, &f.file)
			if err == nil && head.Schema != "" {
				schema, err = avro.ParseSchema(head.Schema)
			}
			if err != nil {
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				problems = append(problems, p.problem(codeOf(err), err.Error(), src))
				continue
			}
			if schema == nil {
				f.addText(fields, head)
				continue
			}
		}
		f.Schema = schema.ID()
		known[f.Schema] = schema
		p.params.Schemas[f.Schema] = schema.String()
		for _, r := range f.roles {
			fields.Add(r.source, f.Path, schema)
		}
	}
	topics.AddTo(fields)
	problems = append(problems, fields.Problems()...)
	if len(problems) == 0 {
		problems = p.chooseViewSchema(known, given, topics)
	}
	problems.Sort()
	return topics, asError(problems)
}

// addText tells the checks what is known of a file of text.
func (f *scannedFile) addText(fields *job.FieldCheck, head format.Head) {
	for _, r := range f.roles {
		switch {
		case head.AnyFields:
			fields.AddText(r.source)
		case head.Columns != nil: // else it is an empty file
			fields.AddColumns(r.source, f.Path, head.Columns)
		}
	}
}

// codeOf tells a file of another format from one that cannot be read at all.
func codeOf(err error) string {
	var other *format.OtherError
	var failed *fs.PathError
	if errors.As(err, &other) && !errors.As(err, &failed) || errors.Is(err, gzip.ErrHeader) {
		return codeFormat
	}
	return codeUnreadable
}

// chooseViewSchema decides which schema the views in samples have: the one the spec gives,
// or else that of the inputs which can read the views of all others, with the most
// fields if there are several. It does not depend on the order of inputs.
func (p *plan) chooseViewSchema(known map[uint64]*avro.Schema, given map[string]*avro.Schema, topics *job.InputTopics) problem.List {
	var candidates []*avro.Schema
	seen := map[uint64]string{} // a file of each
	var text, encoded *job.Source
	for _, f := range p.files {
		for _, r := range f.roles {
			src := &p.sources[r.source]
			if src.Role != "views" {
				continue
			}
			if f.Schema == 0 {
				text = src
				continue
			}
			encoded = src
			if seen[f.Schema] == "" {
				seen[f.Schema] = f.Path
				candidates = append(candidates, known[f.Schema])
			}
		}
	}
	for i := range p.sources {
		src, schema := &p.sources[i], topics.Schema(i)
		switch {
		case src.Topic == "" || src.Role != "views":
		case schema == nil:
			text = src
		default:
			encoded = src
			known[schema.ID()] = schema
			if seen[schema.ID()] == "" {
				seen[schema.ID()] = "topic " + src.Topic
				candidates = append(candidates, schema)
			}
		}
	}
	for i := range p.sources {
		if src := &p.sources[i]; src.Role == "views" && src.Schema != "" {
			schema := given[src.Schema]
			if src.Topic != "" {
				schema = topics.Schema(i)
			}
			candidates = []*avro.Schema{schema}
			break
		}
	}
	switch {
	case text != nil && encoded != nil:
		return problem.List{p.problem(codeIncompatible, "some views are plain JSON text, others Avro: give the text inputs a schema", text)}
	case encoded == nil:
		return nil // JSON text, as it is
	}
	var written []job.Written
	for fingerprint, path := range seen {
		written = append(written, job.Written{Schema: known[fingerprint], Source: path})
	}
	chosen, err := job.ViewSchema(candidates, written)
	if err == nil {
		p.params.ViewSchema = chosen.String()
		return nil
	}
	found := p.problem(codeIncompatible, "no schema of the views' files can read all the others: "+err.Error(), encoded)
	found.Hint = "give the inputs a schema that can read them all (schema: FILE.avsc), by Avro's rules of resolution"
	return problem.List{found}
}
