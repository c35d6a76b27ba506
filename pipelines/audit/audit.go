// Package audit holds the samples of a job against a join of the same records, done again in batch: equality, not a
// tolerance.
//
//	commit logs ─► what is closed ─► a join of that range, in batch ─► samples as they must be ─┐
//	topics, folders of samples, as they lie there ──────────────────────────────────────────────┼─► parts ─► compared
//	late records, of partitions that were idle ─────────────────────────────────────────────────┘   by id
//
// Both sides go to disk, in parts by the hash of the view's id, and parts that do not fit in memory are parted again; so
// memory is that of one part, whatever the range.
//
//	audit.go     Run: the sinks of a spec, one after another
//	inputs.go    whether the inputs can be read again; closed.go: up to where each sink is complete, by sheets.go where a join of files says so, and
//	             groups.go: how many samples commit logs tell of
//	meaning.go   what the spec meant when the samples were written; expected.go: the join in batch
//	topic.go     samples of a topic, with what became of their transactions (transactions.go), and those that it does not take; values.go: its values; folder.go: samples of a folder; files.go: files of samples
//	idle.go      views that a stream may have judged by the clock of others; reread.go: their records
//	entry.go     a sample on its way; parts.go: on disk
//	compare.go   one part; fields.go: what differs in a sample; accounts.go: what accounts say
//	correct.go   what must be written behind what is there, so that the right samples count: for pipelines/repair; edit.go: their values
//	counted.go   which sample of a view counts; corrected.go: whether those are right that a repair has written
//	find.go      samples of some views, for whoever looks for them
//	result.go    what was found; text.go: as tables
package audit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"tributary/io/kafkaio/commitlog"
	"tributary/pipelines/job"
	"tributary/pipelines/job/batch"
	"tributary/pipelines/spec"
)

// Options are the choices of an audit. The zero value audits all that is closed.
type Options struct {
	// From and To bound the event times of the views that are audited, [From, To), to the whole buckets in them. Zero for no bound.
	From, To time.Time
	// Passed says that the job has completed all before To, where its commit logs say of no bucket that it is complete: those of a job that
	// read what came only after it had begun, and was drained, leave all to one that goes on.
	Passed bool
	// Examples is how many findings of each class are told one by one for each sink; 0 for DefaultExamples.
	Examples int
	// Scratch is a folder on a local disk for what does not fit in memory, empty for the system's: the samples of the range twice. It is
	// removed from there when the audit ends.
	Scratch string
	// Memory bounds what is compared at once, in bytes; 0 for DefaultMemory.
	Memory int64
	// Progress is told how far the join is; nil for nobody.
	Progress func(batch.Progress)
}

// Defaults of Options.
const (
	DefaultExamples = 10
	// DefaultMemory is of samples as they are: with what points to them they take twice as much.
	DefaultMemory = 64 << 20
)

// ErrNothingClosed says that there is nothing to audit: no bucket of the range is complete.
var ErrNothingClosed = errors.New("no bucket is complete in that range")

// Run audits the sinks of a spec. What it finds is in the result; the error says that it could not be done.
//
// The range is that of buckets which the job's commit logs say are complete: those of the topic, in the folder, or, of a join
// of files, its accounts. The inputs must still hold all that these buckets came of. Nothing is written but to Scratch.
func Run(ctx context.Context, s *spec.Spec, opt Options) (_ *Result, returned error) {
	if opt.Examples <= 0 {
		opt.Examples = DefaultExamples
	}
	if opt.Memory <= 0 {
		opt.Memory = DefaultMemory
	}
	if err := checkInputs(s); err != nil {
		return nil, err
	}
	if err := checkStarts(ctx, s, opt); err != nil {
		return nil, err
	}
	started := time.Now()
	sinks, finished, err := sinksOf(ctx, s, opt)
	if err != nil {
		return nil, err
	}
	as, err := checkMeaning(ctx, s, sinks)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(opt.Scratch, "tributary-audit-")
	if err != nil {
		return nil, fmt.Errorf("a folder for the audit: %w", err)
	}
	defer func() { returned = errors.Join(returned, os.RemoveAll(dir)) }()
	want, err := join(ctx, s, sinks, as, dir, opt, false)
	if err != nil {
		return nil, err
	}
	if err := checkFiles(s, sinks, finished, want); err != nil {
		return nil, err
	}
	idle, err := readIdle(ctx, s, sinks, dir+"/idle")
	if err != nil {
		return nil, err
	}
	defer idle.ids.remove()
	out := &Result{Format: Format, Spec: s.File, Events: want.events}
	for _, sink := range sinks {
		found, err := sink.audit(ctx, s, as, want, idle, dir, opt)
		if err != nil {
			return nil, fmt.Errorf("audit of %s: %w", sink.name(), err)
		}
		out.Sinks = append(out.Sinks, found)
		out.Findings += found.Findings
	}
	if out.Accounts, err = compareAccounts(ctx, s, want, sinks, out.Sinks, opt); err != nil {
		return nil, err
	}
	if out.Accounts != nil {
		out.Findings += int64(len(out.Accounts.Differences))
	}
	out.ElapsedMs = time.Since(started).Milliseconds()
	return out, nil
}

// audit compares what is in a sink with what must be.
func (k *sink) audit(ctx context.Context, s *spec.Spec, as asWritten, want *expected, idle *idle, dir string, opt Options) (*SinkResult, error) {
	parts, err := newParts(dir+"/parts", 0)
	if err != nil {
		return nil, err
	}
	defer parts.remove()
	for i := range k.stages {
		if note := k.stages[i].mature(want.immature); note != "" {
			k.notes = append(k.notes, note)
		}
	}
	c := newComparison(k, opt.Examples, len(s.Views.Key) > 0)
	if err := want.put(ctx, k, parts, c); err != nil {
		return nil, fmt.Errorf("samples of the join: %w", err)
	}
	if k.topic() {
		if err = k.readTopic(ctx, s, want.schema, parts, c); err == nil {
			err = k.putRefused(ctx, s, parts, c)
		}
		if err == nil && c.late {
			err = k.putLate(ctx, s, as, dir, opt, parts, c)
		}
	} else {
		err = k.readFolder(ctx, parts, c)
	}
	if err == nil {
		err = idle.put(parts, c)
	}
	if err == nil {
		err = parts.each(ctx, opt.Memory, c.part)
	}
	if err != nil {
		return nil, err
	}
	c.tellHanging(s.Stream.TransactionTimeout, time.Now())
	return c.finish(), nil
}

// sink is a topic or a folder of samples, with the stages that it takes.
type sink struct {
	output spec.Output
	// stages are those that are closed in the range, by their number.
	stages []stage
	// wholeViews says that samples hold their view as it was read: if it has no schema, JSON text.
	wholeViews  bool
	atLeastOnce bool
	// notes are for who reads the result.
	notes []string
}

// stage is one of a sink: its samples of views in [from, to) are compared.
type stage struct {
	number int
	// name is that of the samples, empty without stages.
	name     string
	from, to int64
	// early: what is late for a stage and not for the job shows in its samples, as those of a stage before the last, or of a last one that
	// gives what differs from those.
	early bool
	// closed is before what time all is complete; to is not after it.
	closed int64
	// intervals are those that a join of files has finished, where its accounts say what is complete; nil otherwise.
	intervals []interval
	// cut: it is not complete up to where the range ends that was asked for.
	cut bool
	// lag is how long after its views a bucket is complete, in event time. Where nothing is complete in the range, due is before when all
	// must be, and missed the samples that the join has of views before.
	lag    time.Duration
	due    int64
	missed int64
	// streamed: a stream has begun to write it; written is what its log says of that.
	streamed bool
	written  written
	// folder is where its files are; nil for a topic.
	folder *job.SampleFolder
	// groups are what the commit log of a topic says, and step is how far apart they are.
	groups groups
	step   int64
	// logs are the commit logs of its shards; nil for a folder.
	logs map[int32]*commitlog.Log
}

func (k *sink) topic() bool { return k.output.Topic != "" }

func (k *sink) name() string {
	if k.topic() {
		return "topic " + k.output.Topic
	}
	return "folder " + k.output.Path
}

// nameOf names a stage of it.
func (k *sink) nameOf(of *stage) string {
	if of.name == "" {
		return k.name()
	}
	return k.name() + ", stage " + of.name
}

// final tells whether it takes no stage but the last.
func (k *sink) final() bool { return k.output.Stages == spec.FinalStage }

// of returns the stage of that name, nil if there is none.
func (k *sink) of(name string) *stage {
	for i := range k.stages {
		if k.stages[i].name == name {
			return &k.stages[i]
		}
	}
	return nil
}
