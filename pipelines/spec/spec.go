// Package spec reads the YAML file that describes one join: which files or topics hold
// views and engagements, how long an engagement counts, and where samples go.
//
// Reading is strict. Parse returns every problem of a file at once, each with its
// place, code and, where it can be computed, the line as it should read.
//
// # Keys
//
// A key is one entry in the section that takes it: its name, the one it had before, what it means, an
// example, and the type of its value with the place in the Spec and the default. From that come
// reading, defaults, the messages about unknown, misplaced and missing keys, the JSON Schema, the
// reference (tributary help spec), completion, what check shows, and YAML. To add one, write the entry
// and run go test ./pipelines/spec -update, which rewrites schema.json and reference.md.
//
// Files that end in keys.go, and root.go, hold sections; declare.go says what an entry is, slot.go how
// it finds its place, types.go has the types of values. Rules between values are in rules*.go.
//
// # Files
//
//	spec.go        the Spec; kafka.go, stream.go, formats.go, tests.go, kinds.go, outputs.go, sinks.go, stages.go, paths.go, pipes.go: its parts
//	load.go        a file; yaml.go: the way back; tree.go: YAML with places; parse.go, reader.go, fields.go: reading it
//	*keys.go       the sections, root.go the whole; declare.go, slot.go, types.go, definitions.go, renamed.go
//	inputs.go, engagements.go, label.go, labels.go, where.go, computed.go, order.go, expect.go, clusters.go, registry.go, signin.go, command.go,
//	time.go, timefield.go, duration.go, fieldpath.go, topics.go: values that take more than a line to read
//	rules*.go      what must hold between values
//	unknown.go     keys that there are not; nearest.go, words.go: what was meant; edit.go: the line as it should read
//	schema.go      the JSON Schema; reference.go, keys.go, settings.go, object.go: what else is made of the declarations
//	stagecost.go   what stages give and take
//	mask.go        what must not be shown; unread.go: files that no format reads
package spec

import (
	"strings"
	"time"

	"tributary/io/format"
	"tributary/io/record"
	"tributary/pipelines/spec/problem"
	"tributary/transforms/label"
	"tributary/transforms/sample"
)

// Spec is a join, with defaults filled in. Relative paths of the file have been
// resolved against the folder that the file is in.
type Spec struct {
	// File is where the spec was read from.
	File string
	// Version is the spec's own version, written into each sample.
	Version int32
	Views   Views
	// Engagements are sorted by kind.
	Engagements []Engagement
	// OutOfOrderness is how far behind the latest record of its partition a record
	// may be and still not move the watermark past it.
	OutOfOrderness time.Duration
	// ClockSkew is how long before its view an engagement may be stamped.
	ClockSkew time.Duration
	// Bucket is the length of the pieces of event time that are joined at once.
	Bucket time.Duration
	// Stages ascend by time, and the last is the longest window; nil without stages.
	Stages []Stage `json:",omitempty"`
	Shards int
	// Keep is the share of negatives that become samples, in (0, 1].
	Keep float64
	// Clusters are sorted by name; none in a spec of files.
	Clusters []Cluster
	// Stream is set if the spec reads topics (see Streams).
	Stream Stream
	// Sample is what samples hold of their view.
	Sample  Sample `json:",omitzero"`
	Outputs Outputs
	Tests   []Test
	// Warnings are problems that do not keep the spec from running.
	Warnings problem.List

	marks map[string]mark
	lines []string
}

// Input is a set of files, or a topic.
type Input struct {
	// Path is a file or a glob, local, gs://, s3:// or az://, or Standard for standard input; empty for a topic.
	Path string
	// Topic is a topic of the cluster named Cluster; both are empty for files.
	Topic, Cluster string
	Format         Format
	// Schema is the file of the Avro schema that records are converted to (json and
	// csv) or read with (avro); empty for none. Of a topic without a registry it is
	// also the schema that avro was written with.
	Schema string
	// Delimiter is that of files of tables (csv); empty for a comma.
	Delimiter format.Delimiter
	// Registry says that each value of a topic names its schema in the cluster's
	// registry.
	Registry bool
	// Subject is the one in the registry that has the schema of the topic's values; empty for TOPIC-value. See InSubject.
	Subject string
	// Order is empty for a topic, whose partitions are in order.
	Order Order
	// PartitionField and OffsetField are set for OrderField only.
	PartitionField, OffsetField string
	// At is where the input stands in the spec.
	At problem.Position
}

// Order says what makes a partition: records of one partition have an order, and so
// a watermark by which they can be late.
type Order string

// Orders of an input.
const (
	// OrderNone: nothing is known about the order, and nothing is late.
	OrderNone Order = "none"
	// OrderFile: each file is one partition, in order.
	OrderFile Order = "file"
	// OrderField: each record names its partition and its offset there.
	OrderField Order = "field"
)

// TimeField is a field that holds an event time.
type TimeField struct {
	Field string
	Unit  record.Unit
	// Pattern and Zone are those of record.TimeForm.
	Pattern, Zone string
}

// Sample is what samples hold of their view. The zero Sample is the view as it is.
type Sample struct {
	// Fields are columns of their own, in order.
	Fields []SampleField
	View   ViewForm
}

// SampleField is a field of the view as a column called Name, of its own type or of Type.
type SampleField struct {
	Name, Field string
	Type        sample.Cast `json:",omitempty"`
}

// ViewForm is in which form samples hold their view.
type ViewForm = sample.ViewForm

// ViewForms lists what sample.view may be.
var ViewForms = []ViewForm{sample.ViewRecord, sample.ViewFlat, sample.ViewNone}

// Views describes the views.
type Views struct {
	Inputs []Input
	// Where keeps only records that meet it.
	Where Where
	// Fields are computed, in the file's order.
	Fields []ComputedField `json:",omitempty"`
	// Each is the path of a list of which every element is a view; empty where a record is one.
	Each string `json:",omitempty"`
	// ID are the paths of the fields that identify the view: one, or several in order.
	ID []string
	// Key are the paths of the fields that views share and engagements name; none where they name the id.
	Key  []string
	Time TimeField
	// DedupWindow is how long after a view one with the same id is a duplicate.
	DedupWindow time.Duration
}

// Engagement describes one kind of engagement.
type Engagement struct {
	Kind   string
	Inputs []Input
	// Where keeps only records that meet it.
	Where Where
	// Fields are computed, in the file's order.
	Fields []ComputedField `json:",omitempty"`
	// Each is the path of a list of which every element is an engagement; empty where a record is one.
	Each string `json:",omitempty"`
	// View are the paths of the fields that name the view, as many as Views.ID has and in that order. Key are those that name the
	// views by their key, as many as Views.Key has. One of both is there: see Named.
	View, Key []string
	Time      TimeField
	// ViewTime is the field with the view's time, nil for none.
	ViewTime *TimeField
	// ID are the paths of the fields of the engagement's own id, none for none.
	ID         []string
	Window     time.Duration
	Label      Label
	OnBadValue OnBadValue
	Count      Count
	// Labels are those of a kind that has several, in the file's order, and Label is none then; nil for Label alone.
	Labels []NamedLabel `json:",omitempty"`
	CreditRule
}

// CreditRule says which of the views with its key an engagement counts for.
type CreditRule struct {
	Credit Credit
	// After is the kind of which a view must have an engagement by then; empty for any view.
	After string `json:",omitempty"`
	// Otherwise says what becomes of an engagement where no view has one: OtherwiseAny or, as if it were empty, OtherwiseNone.
	Otherwise Otherwise `json:",omitempty"`
}

// Otherwise chooses the views that an engagement counts for which counts after another where there was none.
type Otherwise string

// Choices of views where none had what an engagement counts after.
const (
	OtherwiseNone Otherwise = "none"
	OtherwiseAny  Otherwise = "any"
)

// Otherwises lists what otherwise may be.
var Otherwises = []Otherwise{OtherwiseNone, OtherwiseAny}

// Named are the fields that name views, and the key of the spec that has them.
func (e *Engagement) Named() (key string, fields []string) {
	if len(e.Key) > 0 {
		return "key", e.Key
	}
	return "view", e.View
}

// Credit chooses which of the views with an engagement's key, that have it in their window, it counts for.
type Credit string

// Credits.
const (
	CreditAll   Credit = "all"
	CreditFirst Credit = "first"
	CreditLast  Credit = "last"
	CreditEven  Credit = "even"
)

// Credits lists what credit may be.
var Credits = []Credit{CreditLast, CreditFirst, CreditAll, CreditEven}

// Where says which records are taken: those that meet all conditions.
type Where struct {
	// Conditions are in the file's order. Of an expression they are those that it implies.
	Conditions []Condition
	// Expression is the condition as an expression (package expression), if it is written as one.
	Expression string
	// Rest says that the expression asks more than its conditions.
	Rest bool
}

// ComputedField is a field that is computed of others, by an expression (CEL).
type ComputedField struct {
	Name, Expression string
}

// All tells whether every record is taken.
func (w *Where) All() bool { return len(w.Conditions) == 0 && w.Expression == "" }

// Condition holds for records whose field is Value, as expression.Condition says.
type Condition struct {
	Field, Value string
	// Type is what the value was written as in the spec.
	Type ConditionType
}

// ConditionType is the type of a condition's value.
type ConditionType string

// Types of conditions.
const (
	TextCondition   ConditionType = "text"
	NumberCondition ConditionType = "number"
	BoolCondition   ConditionType = "boolean"
)

// OnBadValue says what becomes of an engagement whose value the label cannot take: text that
// is no number, NaN, an infinity.
type OnBadValue string

// Choices for bad values.
const (
	// BadValueDead: the engagement is a dead letter.
	BadValueDead OnBadValue = "dead"
	// BadValueNull: the engagement counts, and its value is left out of the label and counted.
	BadValueNull OnBadValue = "null"
)

// OnBadValues lists what on_bad_value may be.
var OnBadValues = []OnBadValue{BadValueDead, BadValueNull}

// Label says what the engagements of one kind that count for a view become.
type Label struct {
	Func label.Func
	// Field is the path of the field that is aggregated; empty where Func takes none.
	Field string
	// Type is that of a value that is carried from an engagement; empty for whatever the value is.
	Type sample.Cast `json:",omitempty"`
}

// Count chooses which of a view's engagements in the window count.
type Count string

// Counts.
const (
	CountAll   Count = "all"
	CountFirst Count = "first"
	CountLast  Count = "last"
)

// Counts lists what count may be.
var Counts = []Count{CountAll, CountFirst, CountLast}

// Outputs says where results go. Orphans is empty if they are only counted. What lies beside the
// samples is a folder or a topic each.
type Outputs struct {
	// Samples is where samples go, and MoreSamples where they go as well; SampleSinks lists all.
	Samples     Output
	MoreSamples []Output
	// Late, DeadLetters, Orphans and Accounts are folders, empty for what is a topic.
	Late, DeadLetters, Orphans, Accounts string
	// Topics are those beside the samples', in the cluster that Spec.OutputCluster returns.
	Topics Topics
}

// Output is a folder or a topic of samples.
type Output struct {
	// Path is the folder, or Standard for standard output.
	Path string
	// Topic is a topic of the cluster named Cluster; both are empty for a folder.
	Topic, Cluster string
	// Registry says that values name their schema in the cluster's registry.
	Registry bool
	Format   Format
	// Codec compresses files, or the batches of records of a topic.
	Codec Codec
	// Folders is what each folder of files is of. It and Compact are in fingerprints of finished intervals if they are set.
	Folders FolderOf `json:",omitempty"`
	// Compact is how much event time the files of a stream are of, one for each shard; 0 for one bucket.
	Compact time.Duration `json:",omitempty"`
	// Stages says of which stages samples are written, of a spec with stages.
	Stages StagesOf `json:",omitempty"`
}

// FolderOf is what a dated folder is of.
type FolderOf string

// Dated folders: dt=2026-01-02, and hr=03 in it.
const (
	FolderOfDay  FolderOf = "day"
	FolderOfHour FolderOf = "hour"
)

// Codec is how an output is compressed.
type Codec string

// Codecs.
const (
	NoCodec   Codec = "none"
	Gzip      Codec = "gzip"
	Null      Codec = "null"
	Deflate   Codec = "deflate"
	Snappy    Codec = "snappy"
	Zstandard Codec = "zstandard"
	Lz4       Codec = "lz4"
	Zstd      Codec = "zstd"
)

// Test is a small join with the samples it must give.
type Test struct {
	Name string
	At   problem.Position
	// Views and Engagements (by kind) are the records, in the file's order. Values
	// are nil, bool, int64, float64, string, []any and map[string]any.
	Views       []map[string]any
	Engagements map[string][]map[string]any
	// Samples are what must come out: only the fields named here are compared.
	Samples []map[string]any
	// SamplesAt is where each of Samples stands.
	SamplesAt []problem.Position
}

// LongestWindow is the longest attribution window: views close that long after
// their time.
func (s *Spec) LongestWindow() time.Duration {
	var longest time.Duration
	for _, e := range s.Engagements {
		longest = max(longest, e.Window)
	}
	return longest
}

// Engagement returns the description of a kind, nil if there is none.
func (s *Spec) Engagement(kind string) *Engagement {
	for i := range s.Engagements {
		if s.Engagements[i].Kind == kind {
			return &s.Engagements[i]
		}
	}
	return nil
}

// mark is where a key and its value stand. Items of lists have no key: theirs is the
// value's place.
type mark struct {
	key, value problem.Position
	width      int
}

// At returns where a key stands, for problems found after parsing: At("views",
// "inputs", "0"). A key that is not in the file gives the nearest one above it.
func (s *Spec) At(path ...string) problem.Position {
	return s.mark(path).key
}

// IsSet tells whether a key is in the file, rather than a default.
func (s *Spec) IsSet(path ...string) bool {
	_, ok := s.marks[strings.Join(path, ".")]
	return ok
}

// Problem starts a problem with the value at path: position, source line and field
// are filled in.
func (s *Spec) Problem(code, message string, path ...string) problem.Problem {
	m := s.mark(path)
	p := problem.New(code, m.value, strings.Join(path, "."), message)
	p.Width = m.width
	if 0 < p.Line && p.Line <= len(s.lines) {
		p.Source = s.lines[p.Line-1]
	}
	return p
}

// Replaced is the line that the duration at path stands in, by its number from 1, and that line with another duration in its place; 0 where the
// file does not have it, or names it elsewhere in YAML.
func (s *Spec) Replaced(from, to time.Duration, path ...string) (number int, line, then string) {
	m := s.mark(path)
	if at := m.value.Line; !s.IsSet(path...) || at < 1 || at > len(s.lines) {
		return 0, "", ""
	}
	line = s.lines[m.value.Line-1]
	text, start := []rune(line), m.value.Column-1
	end := start + m.width
	if start < 0 || end > len(text) {
		return 0, "", ""
	}
	if d, err := ParseDuration(strings.Trim(string(text[start:end]), `"'`)); err != nil || d != from {
		return 0, "", ""
	}
	return m.value.Line, line, string(text[:start]) + FormatDuration(to) + string(text[end:])
}

func (s *Spec) mark(path []string) mark {
	for n := len(path); n > 0; n-- {
		if m, ok := s.marks[strings.Join(path[:n], ".")]; ok {
			return m
		}
	}
	start := problem.Position{File: s.File, Line: 1, Column: 1}
	return mark{key: start, value: start}
}
