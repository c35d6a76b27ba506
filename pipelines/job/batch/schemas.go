package batch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"tributary/io/fileio"
	"tributary/io/format"
	"tributary/io/format/avro"
	"tributary/io/packed"
	"tributary/io/record"
	"tributary/pipelines/job"
	"tributary/pipelines/spec/problem"
)

// Codes of problems that files show.
const (
	codeNoFile       = "T2001"
	codeUnreadable   = "T2002"
	codeOrder        = "T2007"
	codeFormat       = "T2008"
	codeColumn       = "T1420"
	codeSchemaFile   = "T2009"
	codeCutOtherwise = "T2011"
	codeFileChanged  = "T2014"
)

// readSchemas reads what every file of records with a schema says of it and every schema the spec names, holds
// the fields of the spec against them, and chooses the schema of the samples' views.
func (p *plan) readSchemas(ctx context.Context, kept string) (*job.InputTopics, *job.ViewSchemas, error) {
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
		for _, r := range f.roles {
			fields.Add(r.source, f.Path, schema)
		}
		if _, apart := f.reads().(format.Columnar); !apart {
			p.addSchema(f, schema, views)
		}
	}
	topics.AddTo(fields, views)
	unknown := fields.Problems()
	for _, f := range p.files {
		if _, apart := f.reads().(format.Columnar); apart && f.Schema != 0 {
			refused, err := p.chooseFields(ctx, f, fields, views)
			if err != nil {
				return nil, nil, err
			}
			problems = append(problems, refused...)
			unknown = withoutRefused(unknown, f.Path, refused)
		}
	}
	problems = append(problems, unknown...)
	views.SetElements(&p.params)
	if err := job.AddElementSchemas(&p.params); err != nil {
		return nil, nil, err
	}
	if kept != "" && len(views.Given) == 0 {
		schema, err := avro.ParseSchema(kept)
		if err != nil {
			return nil, nil, fmt.Errorf("the schema that views have in samples: %w", err)
		}
		views.Given = append(views.Given, schema)
	}
	if len(problems) == 0 {
		problems = views.Choose(p.spec, &p.params)
	}
	if len(problems) == 0 && p.params.Shape != nil {
		if _, err := job.SampleSchema(p.spec, &p.params); err != nil && !errors.As(err, &problems) {
			return nil, nil, err
		}
	}
	problems.Sort()
	return topics, views, asError(problems)
}

// addSchema notes the schema that records of a file come out with.
func (p *plan) addSchema(f *scannedFile, schema *avro.Schema, views *job.ViewSchemas) {
	f.Schema = schema.ID()
	p.params.Schemas[f.Schema] = schema.String()
	for _, r := range f.roles {
		views.Add(&p.sources[r.source], schema, f.Path)
	}
}

// chooseFields decides which fields are read of a file that stores them apart: all if the views in it travel whole, or where the plan is
// not to leave any out, and else those that the sources name. Problems are those of them that cannot be read, each with its column as
// what was got.
func (p *plan) chooseFields(ctx context.Context, f *scannedFile, fields *job.FieldCheck, views *job.ViewSchemas) (problems problem.List, err error) {
	head, err := headOf(ctx, &f.file)
	if err != nil {
		return nil, err
	}
	wanted := []string{}
	for _, r := range f.roles {
		of := fields.TopFields(r.source)
		if of == nil {
			wanted = nil
		} else if wanted != nil {
			wanted = append(wanted, of...)
		}
		for _, refused := range head.Refused {
			if of == nil || slices.Contains(of, refused.Field) {
				src := &p.sources[r.source]
				found := p.problem(codeColumn, fmt.Sprintf("%s: column %v", f.Path, refused.Err), src)
				found.Got = refused.Field
				found.Hint = "cast it where the file is written, as to BIGINT, TIMESTAMP or text"
				if of == nil {
					found.Hint += "; or leave it out of the samples, with `sample: {view: none}` and the fields that are wanted"
				}
				problems = append(problems, found)
			}
		}
	}
	if p.project && wanted != nil {
		slices.Sort(wanted)
		f.Fields = strings.Join(slices.Compact(wanted), fieldsBetween)
		if head, err = headOf(ctx, &f.file); err != nil {
			return problems, err
		}
	}
	schema, err := avro.ParseSchema(head.Schema)
	if err != nil {
		return problems, fmt.Errorf("%s: %w", f.Path, err)
	}
	p.addSchema(f, schema, views)
	return problems, nil
}

// withoutRefused leaves out what says that a file has no such field, for columns that it has and that are refused.
func withoutRefused(unknown problem.List, path string, refused problem.List) problem.List {
	return slices.DeleteFunc(unknown, func(u problem.Problem) bool {
		return strings.HasPrefix(u.Message, path+" has no field ") && slices.ContainsFunc(refused, func(r problem.Problem) bool {
			names, err := record.ParsePath(u.Got)
			return err == nil && names[0] == r.Got
		})
	})
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
	var zipped *packed.OtherError
	if errors.As(err, &other) && !errors.As(err, &failed) || errors.As(err, &zipped) {
		return codeFormat
	}
	return codeUnreadable
}
