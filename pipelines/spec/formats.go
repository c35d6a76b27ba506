package spec

import (
	"regexp"
	"slices"
	"strings"

	"tributary/io/format"
	_ "tributary/io/format/all" // what specs may name
	"tributary/io/packed"
)

// Format is how records are written, in files or in the values of a topic; see package format.
type Format string

// The formats that specs mean where they do not say. There may be more: see Formats.
const (
	Avro Format = "avro"
	JSON Format = "json"
	CSV  Format = "csv"
	// Protobuf is of values of topics that name their schema in a registry.
	Protobuf Format = "protobuf"
)

var (
	// Formats lists what inputs may be.
	Formats = words[Format](format.Names[format.Files]())
	// WrittenFormats lists what samples in files may be.
	WrittenFormats = words[Format](format.Names[format.Writer]())
	// TopicFormats lists what values of topics that are read may be.
	TopicFormats = words[Format](format.Names[format.Values]())
	// Codecs lists what each output format takes in files, the default first.
	Codecs = writtenCodecs()
)

// SampleTopicFormats lists what samples in topics may be, the default first.
var SampleTopicFormats = []Format{Avro, JSON}

func words[T ~string](texts []string) []T {
	out := make([]T, len(texts))
	for i, text := range texts {
		out[i] = T(text)
	}
	return out
}

func writtenCodecs() map[Format][]Codec {
	all := map[Format][]Codec{}
	for _, f := range format.All[format.Writer]() {
		all[Format(f.Name())] = words[Codec](f.Codecs())
	}
	return all
}

// table says that records are text whose fields are text too, like the rows of CSV.
func (f Format) table() bool {
	files, err := format.Get[format.Files](string(f))
	return err == nil && files.Text() && f != JSON
}

// schemas says that values of the format are of Avro schemas, which a registry may hold.
func (f Format) schemas() bool {
	values, err := format.Get[format.Values](string(f))
	return err == nil && values.Schemas()
}

// registered says that values of the format may name their schema in a registry when they are read.
func (f Format) registered() bool {
	_, err := format.Get[format.Registered](string(f))
	return err == nil
}

// needsRegistry says that they cannot be read without.
func (f Format) needsRegistry() bool {
	values, err := format.Get[format.Registered](string(f))
	return err == nil && !values.Alone()
}

// allCodecs are those of all formats, each format's together.
func allCodecs() (all []Codec) {
	for _, f := range WrittenFormats {
		for _, c := range Codecs[f] {
			if !slices.Contains(all, c) {
				all = append(all, c)
			}
		}
	}
	return all
}

// readEndings are those of files that are read.
func readEndings() (all []string) {
	for _, f := range format.All[format.Files]() {
		all = append(all, f.Endings()...)
	}
	return append(all, "the text forms also with "+strings.Join(packed.Endings(), ", "))
}

// one names formats to choose from: the first ends a quotation that the text before it begins.
func one(formats []Format) string {
	all := texts(formats)
	last := len(all) - 1
	return all[0] + "`" + strings.Join(append([]string{""}, all[1:last]...), ", ") + " or " + all[last]
}

// packedEndings is a pattern of the endings of compressed files, or of none.
var packedEndings = `(\.(` + strings.ReplaceAll(strings.TrimPrefix(strings.Join(packed.Endings(), "|"), "."), "|.", "|") + `))?`

// knownEnding is a pattern of the endings that tell a format.
func knownEnding() string {
	var binary, text []string
	for _, f := range format.All[format.Files]() {
		for _, ending := range f.Endings() {
			ending = regexp.QuoteMeta(strings.TrimPrefix(ending, "."))
			if f.Text() {
				text = append(text, ending)
			} else {
				binary = append(binary, ending)
			}
		}
	}
	return `\.(` + strings.Join(binary, "|") + `|(` + strings.Join(text, "|") + `)` + packedEndings + `)$`
}

// formatOf tells the format by the ending of a path; empty if it does not.
func formatOf(name string) Format {
	if f := format.Of(name); f != nil {
		return Format(f.Name())
	}
	return ""
}

// usualCodec is the one that files of a format have where the spec names none.
func (f Format) usualCodec() Codec {
	if all := Codecs[f]; len(all) > 0 {
		return all[0]
	}
	return ""
}

// codecsDoc lists the codecs of each format; usualDoc the usual one.
func codecsDoc() string {
	var all []string
	for _, f := range WrittenFormats {
		all = append(all, string(f)+": "+strings.Join(texts(Codecs[f]), ", "))
	}
	return strings.Join(all, "; ")
}

func usualDoc() string {
	var all []string
	for _, f := range WrittenFormats {
		all = append(all, string(f.usualCodec())+" for "+string(f))
	}
	return strings.Join(all, ", ")
}

// codecsFit is the JSON Schema by which a codec fits its format, of those formats or of avro, which it is
// where it is not said.
func codecsFit(formats []Format) object {
	formats = slices.DeleteFunc(slices.Clone(formats), func(f Format) bool { return f == Avro })
	if len(formats) == 0 {
		return object{{"properties", object{{"codec", oneOf(texts(Codecs[Avro])...).orNull()}}}}
	}
	return object{
		{"if", object{{"properties", object{{"format", object{{"const", formats[0]}}}}}, {"required", []string{"format"}}}},
		{"then", object{{"properties", object{{"codec", oneOf(texts(Codecs[formats[0]])...)}}}}},
		{"else", codecsFit(formats[1:])},
	}
}
