package job

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"tributary/io/format/avro"
	"tributary/io/record"
	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/sample"
)

// codeClash is of two columns of samples with one name.
const codeClash = "T1410"

// shapeOf is what samples hold of their view; nil for the view as it is, and for a spec that names no more than that.
func shapeOf(s *spec.Spec) *sample.Shape {
	if len(s.Sample.Fields) == 0 && (s.Sample.View == "" || s.Sample.View == sample.ViewRecord) {
		return nil
	}
	shape := &sample.Shape{View: s.Sample.View}
	if shape.View == sample.ViewFlat && len(s.Views.ID) == 1 {
		if names, err := record.ParsePath(s.Views.ID[0]); err == nil {
			shape.ID = record.JoinPath(names...) // however it is written
		}
	}
	for _, f := range s.Sample.Fields {
		shape.Fields = append(shape.Fields, sample.FieldColumn{Name: f.Name, Path: f.Field, Type: f.Type})
	}
	return shape
}

// SampleSchema is the Avro schema, as JSON, of the samples of a spec with those rules, once the one of the views is known
// (ViewSchemas.Choose). What in the spec keeps samples from having one is a problem.List; any other error tells, too, what of it the format
// of the spec's folder cannot write.
func SampleSchema(s *spec.Spec, p *rules.Params) (string, error) {
	schema, err := p.Shape.Schema(p.Columns(), len(p.Stages) > 0, p.ViewSchema)
	switch {
	case err == nil:
		return schema, checkSampleFormat(s, schema)
	case p.Shape == nil:
		return "", err
	}
	var clash *sample.ClashError
	var unknown *avro.UnknownFieldError
	var ambiguous *avro.AmbiguousFieldError
	var notScalar *avro.NotScalarError
	fieldAt := func(code, path, message string) problem.List {
		at := []string{"sample", "fields"}
		if i := slices.Index(p.Shape.Paths(), path); i >= 0 {
			at = append(at, strconv.Itoa(i))
		}
		found := s.Problem(code, message, at...)
		found.Got = path
		return problem.List{found}
	}
	switch {
	case errors.As(err, &clash):
		found := s.Problem(codeClash, fmt.Sprintf("two columns of the samples would be called %s, one of them a field of the view", clash.Name), "sample", "view")
		found.Got, found.Hint = clash.Name, "say `view: record` or `view: none`, and name the fields that are to be columns, with names of their own"
		return "", problem.List{found}
	case errors.As(err, &unknown):
		found := fieldAt(codeUnknownField, unknown.Path, fmt.Sprintf("the schema that views have in samples has no field %q", unknown.Path))
		found[0].Allowed = unknown.Paths()
		return "", found
	case errors.As(err, &ambiguous):
		return "", fieldAt(codeNotScalar, ambiguous.Path, ambiguous.Error())
	case errors.As(err, &notScalar):
		return "", fieldAt(codeNotScalar, notScalar.Path, notScalar.Error())
	}
	return "", err
}
