package job

import (
	"fmt"
	"io"

	"tributary/io/format"
	"tributary/io/format/avro"
	"tributary/pipelines/spec"
	"tributary/transforms/sample"
)

// SampleFormat is how samples are written to files.
type SampleFormat struct {
	Format string
	Codec  string
	// Schema is that of the samples; JSONViews says that a sample's view is JSON text.
	Schema    string
	JSONViews bool
}

// NewSampleFormat returns the format of an output of a spec.
func NewSampleFormat(o *spec.Output, schema string, jsonViews bool) SampleFormat {
	return SampleFormat{Format: string(o.Format), Codec: string(o.Codec), Schema: schema, JSONViews: jsonViews}
}

// checkSampleFormat tells what of the samples the format of the spec's folder cannot write.
func checkSampleFormat(s *spec.Spec, schema string) error {
	o := s.Outputs.SamplesFolder()
	if o == nil {
		return nil
	}
	in, err := format.Get[format.Writer](string(o.Format))
	if err != nil {
		return err
	}
	if f, ok := in.(format.Fitter); ok {
		if err := f.Fits(schema); err != nil {
			return fmt.Errorf("%s: outputs.samples: format: the samples cannot be written as %s; write %s, views of another schema, or labels with a type: %w", s.File, in.Name(), spec.Avro, err)
		}
	}
	return nil
}

// Ending is that of the names of files.
func (f SampleFormat) Ending() string {
	in, err := format.Get[format.Writer](f.Format)
	if err != nil {
		return "" // a spec names none that is not there
	}
	return in.Ending(f.Codec)
}

// Begin begins a file.
func (f SampleFormat) Begin(w io.Writer) (format.Records, error) {
	in, err := format.Get[format.Writer](f.Format)
	if err != nil {
		return nil, err
	}
	asJSON, err := f.JSON()
	if err != nil {
		return nil, err
	}
	return in.Write(w, format.WriteOptions{Codec: f.Codec, Schema: f.Schema, JSON: asJSON.Append})
}

// JSON returns what writes samples as JSON, whatever the format.
func (f SampleFormat) JSON() (*sample.JSON, error) {
	schema, err := avro.ParseSchema(f.Schema)
	if err != nil {
		return nil, err
	}
	return sample.NewJSON(schema, f.JSONViews)
}
