// Package attribution joins views with the engagements that refer to them.
//
// A view is joined with its engagements in memory, one (shard, bucket) at a time: views
// are spread over shards by a hash of their id and over buckets by their time, and an
// engagement goes to every bucket that may hold its view. Beam sees blocks of many
// records, never a record, and needs no state and no timers: an element of a bucket
// has the event time at which its last engagement may come, so plain windowing
// closes the bucket then.
//
//	batches -> pack -> GroupByKey(shard), window(bucket) -> join -> samples
//	             |                                           |
//	             +-> late, malformed                         +-> partial outcomes -> GroupByKey -> merge outcomes -> orphans
//
// A join may have stages (rules.Stage): samples that come early, and are put right later. A stage is the same join with its windows
// cut, from the same packing, on buckets of its own. It knows from its own bucket what the stages before it have said (package
// bucket, said.go), so nothing is remembered, and every stage is a function of the log like the whole.
//
// A record passes through these packages in this order; none of them knows Beam but this one.
//
//	rules/    what is joined, and which views an engagement may refer to
//	decode/   reads records as views and engagements
//	shuffle/  judges lateness, and routes records into blocks of (shard, bucket)
//	bucket/   joins one bucket
//	outcome/  brings together what all buckets saw of an engagement
//
// Here are the composite, its DoFns (fn.go; kept.go: with blocks in files, inorder.go: and in order of time), the output of one bucket, encoded and counted (output.go), and
// the Inspector, which reads records as a join does for whoever looks at one (inspect.go).
package attribution

import (
	"fmt"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/window"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/window/trigger"

	"tributary/transforms/attribution/rules"
)

// Result is what a join gives, or one of its stages.
type Result struct {
	// Samples is a PCollection<sample.Block> (see sample.Merge), each block in order of
	// (view time, view ID), a bucket's blocks at the bucket's closing time.
	Samples beam.PCollection
	// Rejected is a PCollection<record.Rejected>: late and malformed records as they are met,
	// and orphans, if they are wanted, when their last bucket closes. Not valid for a stage but the last.
	Rejected beam.PCollection
	// Accounts is a PCollection<account.Sheet>; merged, those of all stages account for every record. Those
	// with an origin are of a piece of work that a restart may do again.
	Accounts beam.PCollection
}

// Join emits exactly one labelled sample for each distinct view. It is Pack and Packed.Join of the last stage, if
// there are any.
//
// Input: a PCollection<record.Batch> of raw records, each batch of one partition in
// log order, views and engagements alike, bounded or not, batches in any order.
//
// Timing: a bucket closes when the watermark passes its end plus the longest window.
// A record is late only by its own partition's watermark, so the result is a function
// of the log: not of parallelism, interleaving, bucket length, shards or restarts.
//
// Cost: an engagement without a view time is copied to (longest window + 2 *
// out-of-orderness + duplicates within) / bucket + 1 buckets, at 40 to 60 bytes each. One
// GroupByKey over blocks of 64 KiB. With N shards, window W, bucket length L and v views a
// second of p bytes, a bucket of one shard holds v*L/N views and takes about
// v*L/N*(p+130) bytes while it is joined; the open buckets together hold
// v*(W+L)*(p+25) bytes plus the engagements' copies.
//
// Failure: an error fails the bundle; a replay gives the same blocks of samples, up to
// how they are cut. Malformed records are never an error.
//
// Join panics while the pipeline is built if p is invalid.
func Join(s beam.Scope, p rules.Params, batches beam.PCollection) Result {
	return Pack(s, p, batches, InState()).Join(p.StageCount()-1, beam.PCollection{})
}

// How says how a runner brings blocks together.
type How struct {
	folder  string
	inOrder bool
}

// InState has the runner keep blocks itself, in its GroupByKey.
func InState() How { return How{} }

// InFiles has them in files of a folder, see package spill; with an empty folder it is InState.
func InFiles(folder string) How { return How{folder: folder} }

// InOrder is InFiles for a runner of one process, which hands on what a DoFn emits as it comes: buckets are
// joined in order of time, in one bundle, and so come their samples. Who writes them need not bring them together.
func InOrder(folder string) How { return How{folder, true} }

// Packed are the records of a join on their way to its stages.
type Packed struct {
	s   beam.Scope
	p   rules.Params
	how How
	// blocks is a PCollection<KV<key, shuffle.Block>>, see keyOf.
	blocks            beam.PCollection
	refused, accounts beam.PCollection
}

// Pack decodes records and judges lateness, once for all stages of a join. Its input is that of Join.
//
// Pack panics while the pipeline is built if p is invalid.
func Pack(s beam.Scope, p rules.Params, batches beam.PCollection, how How) *Packed {
	p.Stage = p.StageCount() - 1
	if err := p.Validate(); err != nil {
		panic(fmt.Errorf("attribution.Pack: %w", err))
	}
	k := &Packed{s: s.Scope("attribution.Join"), p: p, how: how}
	k.blocks, k.refused, k.accounts = beam.ParDo3(k.s.Scope("Pack"), &packFn{P: p}, batches)
	return k
}

// Join joins one stage, by its number; the last is the whole join, which tells what became of each record.
//
// Input: before, a PCollection<sample.Correction> of what was written of the samples of the stage before, each at the event time
// of its samples or later. A bucket is joined when all that the stage before has of its views is written: so the versions
// of a view come in order wherever both write to, and behind a correction all that follows from it comes again. Not valid
// where that does not matter.
//
// Timing: a bucket of a stage closes when the watermark passes its end plus the stage's After, less Params.Shift.
//
// Cost: as for Join, with the stage's own bucket and window. A stage that goes on from others labels views that have engagements
// once more for each of those.
func (k *Packed) Join(stage int, before beam.PCollection) (r Result) {
	p := k.p.OfStage(stage)
	s, blocks := k.s, k.blocks
	if !p.Final() {
		s = s.Scope("Stage " + p.Stages[stage].Name)
	}
	if len(p.Stages) > 0 {
		blocks = beam.ParDo(s.Scope("Pick"), &pickFn{Stage: int64(stage)}, blocks)
	}
	if before.IsValid() {
		blocks = beam.Flatten(s.Scope("Follow"), blocks, beam.ParDo(s.Scope("Follow"), &followFn{P: k.p, Stage: stage}, before))
	}
	one := joinFn{P: p, Corrected: corrections(&k.p, stage)}
	var join any = &one
	if k.how.folder != "" {
		blocks = beam.ParDo(s.Scope("Keep"), &keepBlocksFn{Folder: k.how.folder}, blocks)
		join = &joinKeptFn{Join: one, Folder: k.how.folder}
	}
	if k.how.inOrder {
		join = &joinInOrderFn{Join: one, Folder: k.how.folder}
		blocks = beam.ParDo(s.Scope("Bucket"), placeOf, blocks)
	} else {
		blocks = byBucket(s.Scope("Bucket"), &p, blocks)
	}
	global := func(c beam.PCollection) beam.PCollection {
		return beam.WindowInto(s.Scope("Global"), window.NewGlobalWindows(), c)
	}
	samples, partials, orphans, joined := beam.ParDo4(s.Scope("Bucket"), join, beam.GroupByKey(s.Scope("Bucket"), blocks))
	if !p.Final() {
		return Result{Samples: global(samples), Accounts: global(joined)}
	}
	merged, moreOrphans := beam.ParDo2(s.Scope("Tally"), &tallyFn{P: p},
		beam.GroupByKey(s.Scope("Tally"), byBucket(s.Scope("Tally"), &p, partials)))
	return Result{
		Samples:  global(samples),
		Rejected: beam.Flatten(s.Scope("Rejected"), k.refused, global(orphans), global(moreOrphans)),
		Accounts: beam.Flatten(s.Scope("Ledgers"), k.accounts, global(joined), global(merged)),
	}
}

// byBucket puts every bucket into a window of its own: event times of successive buckets
// (rules.Params.EventTime) are one bucket length apart, and so are these windows.
func byBucket(s beam.Scope, p *rules.Params, c beam.PCollection) beam.PCollection {
	return beam.WindowInto(s, window.NewFixedWindows(time.Duration(p.Bucket)*time.Millisecond), c,
		beam.Trigger(trigger.Default()), beam.PanesDiscard())
}
