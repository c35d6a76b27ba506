package audit

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/fileio"
	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/commitlog"
	"tributary/pipelines/job"
	"tributary/pipelines/job/batch"
	"tributary/pipelines/spec"
)

// Written is what a job has written, for whoever looks for the samples of some views.
type Written struct {
	spec  *spec.Spec
	sinks []*sink
	as    asWritten
	// lost are the topics that may not hold all that was written, known once they are searched.
	lost map[*sink]lost
	// Notes say what of it cannot be read, or means something else.
	Notes []string
}

// lost says of a topic that it is compacted, or else that it has let go of what its partitions began with.
type lost struct{ compacted, trimmed bool }

// OpenWritten finds the sinks of a spec, and how far they are complete.
func OpenWritten(ctx context.Context, s *spec.Spec) (*Written, error) {
	sinks, _, err := allSinks(ctx, s)
	if err != nil {
		return nil, err
	}
	w := &Written{spec: s, lost: map[*sink]lost{}}
	for _, k := range sinks {
		if k.output.Format == tfRecord {
			w.Notes = append(w.Notes, fmt.Sprintf("samples in %s are TFRecord, which is written but not read here", k.output.Path))
			continue
		}
		w.sinks = append(w.sinks, k)
	}
	if w.as, err = checkMeaning(ctx, s, w.sinks); err != nil {
		return nil, err
	}
	for _, k := range w.sinks {
		w.Notes = append(w.Notes, k.notes...)
	}
	return w, nil
}

// Reading says how the inputs are read as the job has read them.
func (w *Written) Reading() batch.WholeOptions {
	return batch.WholeOptions{ViewSchema: w.as.viewSchema, Kept: w.as.kept}
}

// WrittenStage is a stage that a sink takes.
type WrittenStage struct {
	// Topic or Folder is the sink, Number that of the stage, Stage its name; empty without stages.
	Topic, Folder string
	Number        int
	Stage         string
	// Final: the sink takes no other, and nothing that takes back.
	Final bool
	// Unknown: nothing says which buckets are complete, since samples are written at least once.
	Unknown bool
	// Compacted: it is a topic that keeps the last sample of an id. Trimmed: one that is not, and no longer holds what was written to it
	// first. Both are known once samples were looked for.
	Compacted, Trimmed bool

	of *stage
}

// Stages are those that the sinks take.
func (w *Written) Stages() (all []WrittenStage) {
	for _, k := range w.sinks {
		for i := range k.stages {
			of := &k.stages[i]
			all = append(all, WrittenStage{k.output.Topic, k.output.Path, of.number, of.name, k.final(), k.atLeastOnce && of.closed == math.MinInt64, w.lost[k].compacted, w.lost[k].trimmed, of})
		}
	}
	return all
}

// Complete tells whether the bucket of a view is.
func (s *WrittenStage) Complete(viewTime int64) bool {
	return viewTime < s.of.closed && s.of.within(viewTime)
}

// Streamed tells whether it is a stream that completes buckets.
func (s *WrittenStage) Streamed() bool { return s.of.intervals == nil }

// Commit is the line of a commit log about a group: a shard's share of a bucket.
type Commit struct {
	Shard   int32 `json:"shard"`
	Group   int64 `json:"group"`
	Version int32 `json:"version"`
	Records int64 `json:"records"`
	// Partial says that the rest of the group is still to be written, Forgotten that the log has let its line go.
	Partial   bool `json:"partial,omitempty"`
	Forgotten bool `json:"forgotten,omitempty"`
}

// Commit is that of a view, by its time and the hash that tells its shard; nil if there is none.
func (s *WrittenStage) Commit(viewTime int64, hash uint64) *Commit {
	h := headerOf(s.of.logs)
	if h == nil || h.Shards < 1 {
		return nil
	}
	group := floor(viewTime, s.of.step)
	shard := int32(hash % uint64(commitlog.ShardsAt(h.Earlier, h.Shards, group)))
	log := s.of.logs[shard]
	if log == nil {
		return nil
	}
	if e, ok := log.Entries[group]; ok {
		return &Commit{shard, group, e.Version, e.Records, e.Partial, false}
	}
	if group < log.TruncatedBefore || log.Committed(group) {
		return &Commit{Shard: shard, Group: group, Forgotten: true}
	}
	return nil
}

// WantedSample is a sample that a join gives, encoded with the schema of samples.
type WantedSample struct {
	Stage   int
	ID      string
	Time    int64
	Encoded []byte
}

// FoundSample is a sample as it lies in a sink.
type FoundSample struct {
	Topic  string `json:"topic,omitempty"`
	Folder string `json:"folder,omitempty"`
	Stage  string `json:"stage,omitempty"`
	// Partition and Offset are those of a topic, File and Index, from 0, those of a folder.
	Partition *int32 `json:"partition,omitempty"`
	Offset    *int64 `json:"offset,omitempty"`
	File      string `json:"file,omitempty"`
	Index     *int64 `json:"index,omitempty"`
	// WrittenAt is the time of the record in its topic. Version is that of its group, from 1; 0 for none.
	WrittenAt *time.Time `json:"written_at,omitempty"`
	Version   int64      `json:"version,omitempty"`
	// State is committed, held back (behind a transaction that is open), open or aborted.
	State    string    `json:"state"`
	ViewID   string    `json:"view_id"`
	ViewTime time.Time `json:"view_time"`
	Weight   float64   `json:"weight"`
	// Sample is it as JSON. Wanted says that the join has one of that view and stage; Fields are those in which the two differ.
	Sample string       `json:"-"`
	Wanted bool         `json:"wanted"`
	Fields []Difference `json:"fields,omitempty"`
	// Corrected is what it changed, of one that a repair has written: it need not be the one of the join, and has no Fields.
	Corrected *Corrected `json:"corrected,omitempty"`
}

// states are the names of what becomes of transactions.
var states = map[state]string{committed: "committed", held: "held back", open: "open", aborted: "aborted"}

// Find finds the samples of views, by their ids; schema is that of samples. Where times is not empty, folders are searched for views of these
// times only. Memory is that of what is found.
func (w *Written) Find(ctx context.Context, schema string, ids map[string]bool, times []int64, want []WantedSample) (found []FoundSample, returned error) {
	dir, err := os.MkdirTemp("", "tributary-samples-")
	if err != nil {
		return nil, fmt.Errorf("a folder for samples: %w", err)
	}
	defer func() { returned = errors.Join(returned, os.RemoveAll(dir)) }()
	for _, k := range w.sinks {
		f := &finding{sink: k, schemas: newSchemas(), ids: ids, times: times}
		if f.want, err = f.wanted(ctx, dir, schema, want); err != nil {
			return nil, err
		}
		if k.topic() {
			if w.lost[k], err = f.lost(ctx, w.spec); err == nil {
				err = f.topic(ctx, w.spec, schema)
			}
		} else {
			err = f.folder(ctx)
		}
		if err != nil {
			return nil, fmt.Errorf("samples in %s: %w", k.name(), err)
		}
		found = append(found, f.found...)
	}
	return found, nil
}

// finding looks for samples in a sink.
type finding struct {
	sink    *sink
	schemas *schemas
	ids     map[string]bool
	times   []int64
	want    map[wantedKey][]string // as JSON of what the sink would hold
	found   []FoundSample
}

// wantedKey names the samples of a stage that have an id and a time: one, unless views under several keys have these.
type wantedKey struct {
	stage, id string
	time      int64
}

// wanted makes of the samples that a join gives what the sink would hold of them.
func (f *finding) wanted(ctx context.Context, dir, schema string, want []WantedSample) (map[wantedKey][]string, error) {
	k := f.sink
	out := map[wantedKey][]string{}
	path := dir + "/want.avro"
	file, err := fileio.Create(ctx, path)
	if err != nil {
		return nil, err
	}
	defer file.Abort()
	plain := job.SampleFormat{Format: string(spec.Avro), Codec: string(spec.Snappy), Schema: schema}
	records, err := plain.Begin(file)
	if err != nil {
		return nil, err
	}
	var keys []wantedKey
	for _, one := range want {
		at := slices.IndexFunc(k.stages, func(of stage) bool { return of.number == one.Stage })
		if at < 0 {
			continue
		}
		keys = append(keys, wantedKey{k.stages[at].name, one.ID, one.Time})
		if err := records.Append(one.Encoded); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(records.Close(), file.Commit()); err != nil {
		return nil, err
	}
	if k.topic() && k.output.Format == spec.JSON || !k.topic() && k.output.Format != spec.Avro {
		to := job.SampleFormat{Format: string(k.output.Format), Codec: string(k.output.Codec), JSONViews: k.wholeViews}
		if k.topic() {
			to.Codec = string(spec.NoCodec)
		}
		if path, err = transcode(ctx, path, to); err != nil {
			return nil, err
		}
	}
	err = f.schemas.each(ctx, path, func(of *samples, raw []byte) error {
		text, err := of.asJSON(raw)
		if err == nil {
			out[keys[0]], keys = append(out[keys[0]], text), keys[1:]
		}
		return err
	}, func(err error) error { return err })
	return out, err
}

// take takes a sample if it is one of those that are looked for. A topic of the last stage has none of others, and its samples may not say
// which they are of.
func (f *finding) take(of *samples, raw []byte, stage string, at FoundSample) (*entry, error) {
	one := entry{producer: noProducer}
	if err := of.keys(raw, &one); err != nil || !f.ids[string(one.id)] {
		return nil, nil //nolint:nilerr,nilnil // what is no sample is none of these: an audit tells of it
	}
	text, err := of.asJSON(raw)
	if err != nil {
		return nil, err
	}
	at.Topic, at.Folder, at.State = f.sink.output.Topic, f.sink.output.Path, states[committed]
	at.Stage = cmp.Or(stage, one.stage)
	at.ViewID, at.ViewTime, at.Weight, at.Sample = string(one.id), time.UnixMilli(one.time).UTC(), one.weight, text
	for i, want := range f.want[wantedKey{at.Stage, at.ViewID, one.time}] {
		at.Wanted = true
		if fields := differences(want, text); at.Corrected == nil && (i == 0 || len(fields) < len(at.Fields)) {
			at.Fields = fields
		}
	}
	f.found = append(f.found, at)
	return &one, nil
}

// lost asks what a topic may have let go of.
func (f *finding) lost(ctx context.Context, s *spec.Spec) (lost, error) {
	c := newComparison(f.sink, 0, false)
	err := c.describeTopic(ctx, job.Kafka(s.Cluster(f.sink.output.Cluster)), f.sink.output.Topic)
	return lost{compacted: c.compacted, trimmed: len(c.result.Notes) > 0}, err
}

// topic looks through a topic.
func (f *finding) topic(ctx context.Context, s *spec.Spec, schema string) error {
	k := f.sink
	values, err := newSampleValues(ctx, s, k.output, schema, f.schemas)
	if err != nil {
		return err
	}
	transactions := newTransactions()
	var entries []entry
	err = cluster.ReadLog(ctx, job.Kafka(s.Cluster(k.output.Cluster)), k.output.Topic, func(r *kgo.Record) error {
		if !transactions.take(r) {
			return nil
		}
		of, raw, err := values.of(ctx, r.Value)
		if err != nil {
			return ctx.Err() // what cannot be read is no sample: an audit tells of it
		}
		written := r.Timestamp.UTC()
		sample := FoundSample{Partition: &r.Partition, Offset: &r.Offset, WrittenAt: &written, Version: groupVersion(r)}
		if text := correctedText(r); text != nil {
			sample.Corrected = &Corrected{}
			_ = json.Unmarshal(text, sample.Corrected) // of another writer it says nothing
		}
		one, err := f.take(of, raw, "", sample)
		if err != nil || one == nil {
			return err
		}
		at := entry{partition: r.Partition, offset: r.Offset, producer: noProducer}
		if r.Attrs.IsTransactional() {
			at.producer = r.ProducerID
		}
		entries = append(entries, at)
		return nil
	})
	if err != nil {
		return err
	}
	for i := range entries {
		f.found[i].State = states[transactions.of(&entries[i])]
	}
	return nil
}

// folder looks through the files of a folder.
func (f *finding) folder(ctx context.Context) error {
	return f.sink.eachFile(ctx, func(of *stage, path, name string) error {
		if !f.mayHold(of, path) {
			return nil
		}
		index := int64(0)
		return f.schemas.each(ctx, path, func(source *samples, raw []byte) error {
			at := index
			index++
			_, err := f.take(source, raw, of.name, FoundSample{File: name, Index: &at})
			return err
		}, func(error) error { return ctx.Err() }) // an audit tells of what is damaged
	})
}

// mayHold tells whether a file of a folder may hold a view of one of the times: its day is the one that its interval begins in.
func (f *finding) mayHold(of *stage, path string) bool {
	_, rest, _ := strings.Cut(path[len(strings.TrimSuffix(of.folder.Config.Path, "/")):], "dt=")
	day, err := time.Parse(time.DateOnly, rest[:min(len(rest), len(time.DateOnly))])
	if len(f.times) == 0 || err != nil {
		return true
	}
	const dayMs = 24 * hourMs
	longest := max(dayMs, of.step, of.folder.Config.Compact)
	return slices.ContainsFunc(f.times, func(at int64) bool { return day.UnixMilli() <= at && at < day.UnixMilli()+dayMs+longest })
}
