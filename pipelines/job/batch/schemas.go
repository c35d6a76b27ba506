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
	codeOrder        = "T2007"
	codeFormat       = "T2008"
	codeSchemaFile   = "T2009"
	codeCutOtherwise = "T2011"
	codeFileChanged  = "T2014"
)

// readSchemas reads the header of every Avro file and every schema the spec names, holds
// the fields of the spec against them, and chooses the schema of the samples' views.
func (p *plan) readSchemas(ctx context.Context) (*job.InputTopics, *job.ViewSchemas, error) {
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
		return nil, nil, problems
	}
	topics, err := job.FindTopics(ctx, p.spec, &p.params, p.sources)
	if err != nil {
		return nil, nil, err
	}
	fields, views := job.NewFieldCheck(p.spec, &p.params, p.sources), &job.ViewSchemas{}
	for i := range p.sources {
		if src := &p.sources[i]; src.Topic == "" && src.Schema != "" {
			fields.Given(i, given[src.Schema])
			views.Give(src, given[src.Schema])
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
					return nil, nil, ctx.Err()
				}
				problems = append(problems, p.problem(codeOf(err), err.Error(), src))
				continue
			}
			if schema == nil {
				f.addText(fields, head)
				for _, r := range f.roles {
					views.Add(&p.sources[r.source], nil, f.Path)
				}
				continue
			}
		}
		f.Schema = schema.ID()
		p.params.Schemas[f.Schema] = schema.String()
		for _, r := range f.roles {
			fields.Add(r.source, f.Path, schema)
			views.Add(&p.sources[r.source], schema, f.Path)
		}
	}
	topics.AddTo(fields, views)
	problems = append(problems, fields.Problems()...)
	if len(problems) == 0 {
		problems = views.Choose(p.spec, &p.params)
	}
	problems.Sort()
	return topics, views, asError(problems)
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
