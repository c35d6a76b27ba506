package chaos

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tributary/io/fileio"
	"tributary/io/format/avro"
	"tributary/io/record"
	"tributary/pipelines/job/batch"
	"tributary/pipelines/report"
	"tributary/pipelines/sim/generate"
	"tributary/pipelines/spec"
)

// Input is what is published, and what must come of it.
type Input struct {
	// Dir is as generate.Run leaves it, with the batch's output in it.
	Dir string
	// Logs are the partitions of views and engagements.
	Logs []Log
	// Samples are those of the batch by view id, or with stages by view id and stage (see key).
	Samples map[string]Sample
	// stages is how many there are, 0 for none, whole how many of them give a sample of every view; schema is that of the samples.
	stages, whole int
	schema        *avro.Schema
	// Report is the batch's.
	Report *report.Report
	// Closing is how far, in event time in ms, the records must have gone beyond a view at
	// least before its sample can be there.
	Closing int64
	// Last is an event time in ms: the samples of views before it are due once all records were
	// read, even if the stream goes on.
	Last int64
	// Bucket is the length of the stream's buckets: short, so that there are many commits.
	Bucket time.Duration
}

// Log is the records of one partition in their order.
type Log struct {
	// Topic is its ending: views or engagements.
	Topic     string
	Partition int32
	Records   []Record
}

// Record is one record to publish.
type Record struct {
	Value []byte
	// Reached is the largest event time up to here, in ms; record.NoTime before the first.
	Reached int64
}

// Sample is a sample that the batch made.
type Sample struct {
	Value string // as it is encoded
	Time  int64  // of its view
	// Mature says that the log went on for the whole window after the view: of the others the
	// batch says that they were cut short, while a stream may see more.
	Mature bool
}

// NewInput makes input, joins it as a batch and compares the samples, those of the last stage, with the truth. The
// folder is c.Out. edit changes the made spec; with stages, the last gives a sample of every view.
func NewInput(ctx context.Context, c generate.Config, edit func(spec string) string) (*Input, error) {
	c.Order, c.Spec = generate.OrderFile, true
	if _, err := generate.Run(ctx, c, nil); err != nil {
		return nil, err
	}
	if err := editFile(filepath.Join(c.Out, "spec.yaml"), edit); err != nil {
		return nil, err
	}
	in := &Input{Dir: c.Out, Samples: map[string]Sample{}}
	for _, topic := range []string{"views", "engagements"} {
		if err := in.readLogs(topic); err != nil {
			return nil, err
		}
	}
	s, err := spec.Load(filepath.Join(c.Out, "spec.yaml"))
	if err != nil {
		return nil, err
	}
	if in.Report, err = batch.Run(ctx, s, batch.Options{}); err != nil {
		return nil, err
	}
	window := slices.MaxFunc(c.Kinds, func(a, b generate.Kind) int { return cmp.Compare(a.Window, b.Window) }).Window
	in.Bucket = window / 6
	in.Closing = (window + c.OutOfOrderness).Milliseconds()
	in.Last = in.end() - in.Closing - (c.ClockSkew + 2*in.Bucket).Milliseconds()
	in.stages = len(s.Stages)
	for _, stage := range s.Stages {
		if stage.Emit == spec.EmitAll {
			in.whole++
		}
	}
	rows := map[string]sampleRow{}
	files, err := fileio.List(ctx, s.Outputs.Samples.Path+"/**/*.avro")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		in.schema, err = eachRecord(file.Path, func(record []byte, row sampleRow) error {
			after, last := window, true
			if in.stages > 0 {
				after, last = s.Stages[row.Version].After, row.Final
			}
			in.Samples[in.key(row.ViewID, row.Stage)] = Sample{Value: string(record), Time: row.ViewTime, Mature: row.Maturity >= after.Milliseconds()}
			if last {
				rows[row.ViewID] = row
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return in, compareWithTruth(c.Out, s, rows)
}

func editFile(path string, edit func(text string) string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(edit(string(text))), 0o600)
}

// AsMade leaves a made spec as it is.
func AsMade(text string) string { return text }

// WithStages adds stages to a made spec.
func WithStages(text string) string {
	return "stages: [5s, {after: 10s, out_of_orderness: 2s}, {after: 30s, emit: all}]\n" + text
}

// WithKeys has engagements name the views of a made spec by a key that each has of its own, and adds stages.
func WithKeys(text string) string {
	return WithStages(strings.NewReplacer("\n  id: view_id\n", "\n  id: view_id\n  key: view_id\n", "\n    view: view_id\n", "\n    key: view_id\n").Replace(text))
}

// key tells samples apart, of which a view has one for each stage at most.
func (in *Input) key(view, stage string) string {
	if in.stages == 0 {
		return view
	}
	return view + "@" + stage
}

// readLogs reads the partitions of a topic from their files, and writes their schema beside
// them.
func (in *Input) readLogs(topic string) error {
	paths, err := filepath.Glob(filepath.Join(in.Dir, topic, "*.avro"))
	if err != nil {
		return err
	}
	slices.Sort(paths)
	for partition, path := range paths {
		log := Log{Topic: topic, Partition: int32(partition)}
		reached := int64(record.NoTime)
		type timed struct {
			TS *int64 `json:"ts"`
		}
		schema, err := eachRecord(path, func(rec []byte, timed timed) error {
			if at := timed.TS; at != nil && *at >= record.MinTime && *at <= record.MaxTime {
				reached = max(reached, *at)
			}
			log.Records = append(log.Records, Record{Value: slices.Clone(rec), Reached: reached})
			return nil
		})
		if err != nil {
			return err
		}
		in.Logs = append(in.Logs, log)
		if err := os.WriteFile(filepath.Join(in.Dir, topic+".avsc"), []byte(schema.String()), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// compact is how much event time is put together in a file, where samples go to a folder.
func (in *Input) compact() time.Duration { return 3 * in.Bucket }

// Start is the first event time, in ms.
func (in *Input) Start() int64 {
	start := int64(record.MaxTime)
	for _, log := range in.Logs {
		for _, r := range log.Records {
			if r.Reached != record.NoTime {
				start = min(start, r.Reached)
				break
			}
		}
	}
	return start
}

// end is the event time in ms that all logs reach.
func (in *Input) end() int64 {
	end := int64(record.MaxTime)
	for _, log := range in.Logs {
		end = min(end, log.Records[len(log.Records)-1].Reached)
	}
	return end
}

// mature counts the samples that are compared byte for byte.
func (in *Input) mature() int {
	n := 0
	for _, s := range in.Samples {
		if s.Mature {
			n++
		}
	}
	return n
}
