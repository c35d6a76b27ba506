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

// Result is what a join gives.
type Result struct {
	// Samples is a PCollection<sample.Block> (see sample.Merge), each block in order of
	// (view time, view ID), a bucket's blocks at the bucket's closing time.
	Samples beam.PCollection
	// Rejected is a PCollection<record.Rejected>: late and malformed records as they are met,
	// and orphans, if they are wanted, when their last bucket closes.
	Rejected beam.PCollection
	// Accounts is a PCollection<account.Sheet>; merged, they account for every record. Those
	// with an origin are of a piece of work that a restart may do again.
	Accounts beam.PCollection
}

// Join emits exactly one labelled sample for each distinct view.
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
	return JoinKept(s, p, batches, "")
}

// JoinKept is Join with the blocks that GroupByKey brings together in files of a folder, see package spill; with
// an empty folder they go through it themselves.
func JoinKept(s beam.Scope, p rules.Params, batches beam.PCollection, folder string) Result {
	return join(s, p, batches, folder, false)
}

// JoinInOrder is JoinKept for a runner of one process, which hands on what a DoFn emits as it comes: buckets are
// joined in order of time, in one bundle, and so come their samples. Who writes them need not bring them together.
func JoinInOrder(s beam.Scope, p rules.Params, batches beam.PCollection, folder string) Result {
	return join(s, p, batches, folder, true)
}

func join(s beam.Scope, p rules.Params, batches beam.PCollection, folder string, inOrder bool) Result {
	if err := p.Validate(); err != nil {
		panic(fmt.Errorf("attribution.Join: %w", err))
	}
	s = s.Scope("attribution.Join")

	blocks, refused, packed := beam.ParDo3(s.Scope("Pack"), &packFn{P: p}, batches)
	one := joinFn{P: p}
	var join any = &one
	if folder != "" {
		blocks = beam.ParDo(s.Scope("Keep"), &keepBlocksFn{Folder: folder}, blocks)
		join = &joinKeptFn{Join: one, Folder: folder}
	}
	if inOrder {
		join = &joinInOrderFn{Join: one, Folder: folder}
		blocks = beam.ParDo(s.Scope("Bucket"), placeOf, blocks)
	} else {
		blocks = byBucket(s.Scope("Bucket"), &p, blocks)
	}
	buckets := beam.GroupByKey(s.Scope("Bucket"), blocks)
	samples, partials, orphans, joined := beam.ParDo4(s.Scope("Bucket"), join, buckets)
	merged, moreOrphans := beam.ParDo2(s.Scope("Tally"), &tallyFn{P: p},
		beam.GroupByKey(s.Scope("Tally"), byBucket(s.Scope("Tally"), &p, partials)))

	global := func(c beam.PCollection) beam.PCollection {
		return beam.WindowInto(s.Scope("Global"), window.NewGlobalWindows(), c)
	}
	return Result{
		Samples:  global(samples),
		Rejected: beam.Flatten(s.Scope("Rejected"), refused, global(orphans), global(moreOrphans)),
		Accounts: beam.Flatten(s.Scope("Ledgers"), packed, global(joined), global(merged)),
	}
}

// byBucket puts every bucket into a window of its own: event times of successive buckets
// (rules.Params.EventTime) are one bucket length apart, and so are these windows.
func byBucket(s beam.Scope, p *rules.Params, c beam.PCollection) beam.PCollection {
	return beam.WindowInto(s, window.NewFixedWindows(time.Duration(p.Bucket)*time.Millisecond), c,
		beam.Trigger(trigger.Default()), beam.PanesDiscard())
}
