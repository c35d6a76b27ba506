package join

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"
	"github.com/zeebo/xxh3"

	"tributary/io/avroio"
	"tributary/io/event"
	"tributary/io/fileio"
	"tributary/pipelines/params"
	"tributary/pipelines/problem"
	"tributary/pipelines/spec"
	"tributary/transforms/attribution"
)

// Codes of problems that files show.
const (
	codeNoFile       = "T2001"
	codeUnreadable   = "T2002"
	codeUnknownField = "T2003"
	codeNotScalar    = "T2004"
	codeIncompatible = "T2005"
	codeNoUnit       = "T2006"
	codeOrder        = "T2007"
	codeFormat       = "T2008"
	codeSchemaFile   = "T2009"
	codeCutOtherwise = "T2011"
)

// readSchemas reads the header of every Avro file and every schema the spec names, holds
// the fields of the spec against them, and chooses the schema of the samples' views.
func (p *plan) readSchemas(ctx context.Context) error {
	var problems problem.List
	given := map[string]*avroio.Schema{} // by the file named in the spec
	for i := range p.sources {
		src := &p.sources[i]
		if src.Schema == "" || given[src.Schema] != nil {
			continue
		}
		text, err := fileio.ReadFile(ctx, src.Schema)
		if err == nil {
			given[src.Schema], err = avroio.ParseSchema(string(text))
		}
		if err != nil {
			problems = append(problems, p.problem(codeSchemaFile, fmt.Sprintf("schema %s: %v", src.Schema, err), src))
		}
	}
	if len(problems) > 0 {
		return problems
	}
	known := map[uint64]*avroio.Schema{}
	checked := map[checkedKey]bool{}
	for _, f := range p.files {
		src := &p.sources[f.roles[0].source]
		var schema *avroio.Schema
		switch {
		case f.Format == spec.Avro:
			header, err := headerOf(ctx, &f.file)
			if err != nil {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				problems = append(problems, p.problem(codeOf(err), err.Error(), src))
				continue
			}
			schema = header.Schema
		case src.Schema != "":
			schema = given[src.Schema]
			f.Convert = schema.String()
		case f.Format == spec.CSV:
			columns, err := columnsIn(ctx, &f.file)
			if err != nil {
				problems = append(problems, p.problem(codeOf(err), err.Error(), src))
				continue
			}
			header := xxh3.HashString(strings.Join(columns, ","))
			for _, r := range f.roles {
				key := checkedKey{r.source, header}
				if columns == nil || checked[key] { // none: an empty file
					continue
				}
				checked[key] = true
				problems = append(problems, p.checkFields(r.source, f, lookupColumn(columns))...)
			}
			continue
		default:
			continue
		}
		f.Schema = schema.ID()
		known[f.Schema] = schema
		p.params.Schemas[f.Schema] = schema.String()
		for _, r := range f.roles {
			if key := (checkedKey{r.source, f.Schema}); !checked[key] {
				checked[key] = true
				problems = append(problems, p.checkFields(r.source, f, schema.Lookup)...)
			}
		}
	}
	if len(problems) == 0 {
		problems = p.chooseViewSchema(known, given)
	}
	problems.Sort()
	return asError(problems)
}

// checkedKey is a source with the hash of a schema or of a CSV file's header.
type checkedKey struct {
	source int
	schema uint64
}

// codeOf tells a file of another format from one that cannot be read at all.
func codeOf(err error) string {
	var format *formatError
	if errors.As(err, &format) || errors.Is(err, gzip.ErrHeader) {
		return codeFormat
	}
	return codeUnreadable
}

// lookupColumn finds fields among the columns of a CSV file. They hold text, so a time
// there is RFC 3339 unless the spec says otherwise.
func lookupColumn(columns []string) func(string) (avroio.Field, error) {
	return func(path string) (avroio.Field, error) {
		if name, ok := event.FlatName(path); !ok || !slices.Contains(columns, name) {
			return avroio.Field{}, &avroio.UnknownFieldError{Path: path, Fields: columns, Flat: true}
		}
		return avroio.Field{Path: path, Type: "string", Unit: event.UnitRFC3339}, nil
	}
}

// checkFields holds the fields that the spec names for a source against those of a file.
func (p *plan) checkFields(source int, f *scannedFile, lookup func(path string) (avroio.Field, error)) (problems problem.List) {
	src, in := &p.sources[source], &p.params.Inputs[source]
	check := func(path, unit string, key ...string) {
		if path == "" {
			return
		}
		at := append(slices.Clone(src.At), key...)
		field, err := lookup(path)
		if err != nil {
			problems = append(problems, p.fieldProblem(err, f.Path, path, at))
			return
		}
		if unit == "time" && field.Unit == event.UnitAuto {
			found := p.spec.Problem(codeNoUnit, fmt.Sprintf("%s: %s is a plain %s: nothing says which unit it is in", f.Path, path, field.Type), at...)
			found.Hint = fmt.Sprintf("name it, like `%s: {field: %s, unit: epoch-millis}` for milliseconds", key[len(key)-1], spec.FieldText(path))
			for _, u := range event.Units {
				found.Allowed = append(found.Allowed, string(u))
			}
			problems = append(problems, found)
		}
	}
	timeUnit := func(unit event.Unit) string {
		if unit == event.UnitAuto {
			return "time"
		}
		return ""
	}
	idKey := "id"
	if src.Role != "views" {
		idKey = "view"
	}
	check(in.ID, "", idKey)
	check(in.Time.Path, timeUnit(in.Time.Unit), "time")
	check(in.ViewTime.Path, timeUnit(in.ViewTime.Unit), "view_time")
	check(in.EventID, "", "id")
	if in.Kind != attribution.Views {
		check(in.Value, "", "label", string(p.params.Kinds[in.Kind].Label))
	}
	for _, c := range in.Where {
		before := len(problems)
		check(c.Field, "", "where", c.Field)
		for i := range problems[before:] { // here the key is the field
			problems[before+i].Position = p.spec.At(append(slices.Clone(src.At), "where", c.Field)...)
			problems[before+i].Width = utf8.RuneCountInString(c.Field)
		}
	}
	check(src.PartitionField, "", "inputs", strconv.Itoa(src.Number), "order", "partition")
	check(src.OffsetField, "", "inputs", strconv.Itoa(src.Number), "order", "offset")
	return problems
}

func (p *plan) fieldProblem(err error, file, path string, at []string) problem.Problem {
	found := p.spec.Problem(codeUnknownField, fmt.Sprintf("%s: %v", file, err), at...)
	found.Got = path
	var notScalar *avroio.NotScalarError
	if errors.As(err, &notScalar) {
		found.Code = codeNotScalar
	}
	var unknown *avroio.UnknownFieldError
	if errors.As(err, &unknown) {
		fields := unknown.Paths()
		found.Message = fmt.Sprintf("%s has no field %q", file, path)
		if nearest := spec.Nearest(path, fields); nearest != "" {
			found.Nearest = spec.FieldText(nearest)
		}
		for _, field := range fields {
			found.Allowed = append(found.Allowed, spec.FieldText(field))
		}
	}
	return found
}

// chooseViewSchema decides which schema the views in samples have: the one the spec gives,
// or else that of the files which can read the views of all others, with the most
// fields if there are several. It does not depend on the order of files.
func (p *plan) chooseViewSchema(known map[uint64]*avroio.Schema, given map[string]*avroio.Schema) problem.List {
	var candidates []*avroio.Schema
	seen := map[uint64]string{} // a file of each
	var text, avro *params.Source
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
			avro = src
			if seen[f.Schema] == "" {
				seen[f.Schema] = f.Path
				candidates = append(candidates, known[f.Schema])
			}
		}
	}
	for i := range p.sources {
		if src := &p.sources[i]; src.Role == "views" && src.Schema != "" {
			candidates = []*avroio.Schema{given[src.Schema]}
			break
		}
	}
	switch {
	case text != nil && avro != nil:
		return problem.List{p.problem(codeIncompatible, "some views are plain JSON text, others Avro: give the text inputs a schema", text)}
	case avro == nil:
		return nil // JSON text, as it is
	}
	var written []params.Written
	for fingerprint, path := range seen {
		written = append(written, params.Written{Schema: known[fingerprint], Source: path})
	}
	chosen, err := params.ViewSchema(candidates, written)
	if err == nil {
		p.params.ViewSchema = chosen.String()
		return nil
	}
	found := p.problem(codeIncompatible, "no schema of the views' files can read all the others: "+err.Error(), avro)
	found.Hint = "give the inputs a schema that can read them all (schema: FILE.avsc), by Avro's rules of resolution"
	return problem.List{found}
}
