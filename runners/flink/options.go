// Package flink runs pipelines on a Flink cluster, through Beam's Flink job server, and
// manages them there: submission with every option a user sets, names that let a savepoint
// survive a changed pipeline, the workers that run Go code beside the TaskManagers, and jobs
// by Flink's REST interface.
//
// It was written for and tested with Beam's Flink runner 2.62.0 on Flink 1.19.3.
//
//	runner.go      the runners.Runner; options.go: what users set
//	submit.go      a pipeline to a job; pipeline.go: its portable form; jobserver.go: Beam's job server; mark.go: finding it again
//	rest.go        Flink's REST interface; memory.go: what a slot has; job.go, savepoint.go, find.go, status.go, rootcause.go: jobs by it
//	exhaust.go     the end of a job whose sources have one; laststate.go: savepoints and checkpoints to go on from
//	worker.go      workers; pool.go: serving runners; token.go, checkworker.go, version.go: whose code they run
package flink

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// Addresses where Flink and Beam's job server listen unless told otherwise.
const (
	DefaultJobServer = "127.0.0.1:8099"
	DefaultREST      = "127.0.0.1:8081"
)

// StateBackend is where Flink keeps the state of a running job.
type StateBackend string

// State backends.
const (
	RocksDB StateBackend = "rocksdb"    // on local disk, larger than memory, incremental checkpoints
	Heap    StateBackend = "filesystem" // in the TaskManager's heap
)

// Options say where and how a pipeline runs. The zero value runs it at parallelism 1 on a
// cluster on this machine, with its Go code in this process.
//
// How often and how fast a failed job restarts is the cluster's setting (restart-strategy in
// its configuration): Beam has no option for it. Without one, a job with checkpoints restarts
// for ever, a second apart, and a job without them fails at its first failure.
type Options struct {
	JobServer string // address of Beam's job server; default DefaultJobServer
	REST      string // address of Flink's REST interface; default DefaultREST

	// Worker is the worker pool that runs the Go code: an address as the TaskManagers see it,
	// usually 127.0.0.1 and a port, with a Worker beside each of them. Empty means this process
	// (LOOPBACK): for development, on the machine of the TaskManagers; the job dies with it.
	Worker string

	// WorkerTokenFile holds the token that the workers were started with, if they were: its first
	// line. The job carries a proof of it, and not the token.
	WorkerTokenFile string

	Name           string // of the job, as Flink shows it; default "pipeline"
	Parallelism    int    // subtasks of each step; default 1
	MaxParallelism int    // the most a savepoint can be resumed with; default 128, fixed once there is state

	// Tied says that the job is of no use to anybody but who submits it: Close cancels it wherever its code runs, and
	// one of its name that was left by a submitter who was killed is canceled by the next.
	Tied bool

	// Streaming runs a bounded pipeline as a stream, too; a pipeline with an unbounded source
	// always is one.
	Streaming bool

	Checkpoints Checkpoints

	StateBackend StateBackend // default RocksDB
	StoragePath  string       // URI of the folder for checkpoints; default: the cluster's state.checkpoints.dir

	Savepoint        string // resume from this savepoint or retained checkpoint
	AllowNonRestored bool   // drop state of the savepoint whose step is no longer there, instead of refusing

	// BundleTime and BundleSize close a bundle of a stream, whichever is reached first.
	// Residuals of a splittable DoFn reach the runner, and watermarks move, only between
	// bundles, so a long one delays both. Defaults: 50 ms and 1000 elements.
	BundleTime time.Duration
	BundleSize int

	// ObjectReuse spares Flink the copy of an element between chained steps. It is safe for a
	// pipeline of Go steps, which see encoded elements alone, but Beam's default is false.
	ObjectReuse bool

	// IdleShutdown ends a source that has had nothing to emit for this long. A stream of bounded
	// sources with checkpoints on never ends without it. Default: a millisecond for a bounded
	// pipeline; never for one with an unbounded source, which it would end as well.
	IdleShutdown time.Duration
}

// Checkpoints say how a stream is secured against failures.
type Checkpoints struct {
	Interval time.Duration // default 10 s; negative: no checkpoints, and no recovery
	Timeout  time.Duration // one that takes longer is given up; default 10 min
	MinPause time.Duration // from the end of one to the start of the next; default 0

	// Unaligned lets barriers overtake elements in the network buffers: faster checkpoints under
	// back pressure, at the cost of larger ones.
	Unaligned bool

	// FailJob restarts the job when a checkpoint fails. By default the job goes on and tries the
	// next: the first ones may well fail, while tasks are starting. Beam can tell Flink all or
	// nothing here; a number of tolerable failures is a setting of the cluster.
	FailJob bool

	// Discard removes the last checkpoint of a job that is cancelled. By default it is kept, as
	// something to resume from.
	Discard bool
}

// withDefaults is what a zero field means.
func (o Options) withDefaults() Options {
	setDefault(&o.JobServer, DefaultJobServer)
	setDefault(&o.REST, DefaultREST)
	setDefault(&o.Name, "pipeline")
	setDefault(&o.Parallelism, 1)
	setDefault(&o.MaxParallelism, 128)
	setDefault(&o.Checkpoints.Interval, 10*time.Second)
	setDefault(&o.Checkpoints.Timeout, 10*time.Minute)
	setDefault(&o.StateBackend, RocksDB)
	setDefault(&o.BundleTime, 50*time.Millisecond)
	setDefault(&o.BundleSize, 1000)
	return o
}

// Bounded are the options for a pipeline whose sources all end, of somebody who waits for it. It runs as a stream:
// Flink's batch translation of Beam takes all that a task reads for one bundle, and buffers in the network for every
// step at once. A bundle is of one element, since what it emits is taken from the worker only when it ends: more
// than a hundred messages of 4 MB would wait there for ever, and what is less is in the TaskManager's memory.
func (o Options) Bounded() Options {
	o.Streaming, o.BundleSize, o.Tied = true, 1, true
	return o
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Validate reports every problem at once, each with its field, its rule and the value.
func (o Options) Validate() error {
	o = o.withDefaults()
	var errs []error
	bad := func(field, rule string, got any) {
		errs = append(errs, fmt.Errorf("%s: must be %s, got %v", field, rule, got))
	}
	address := func(field, value string) {
		if _, _, err := net.SplitHostPort(value); err != nil {
			bad(field, "host:port", fmt.Sprintf("%q", value))
		}
	}
	address("JobServer", o.JobServer)
	if _, err := baseURL(o.REST); err != nil {
		bad("REST", "host:port or a URL", fmt.Sprintf("%q", o.REST))
	}
	if o.Worker != "" {
		address("Worker", o.Worker)
	} else if o.WorkerTokenFile != "" {
		bad("WorkerTokenFile", "set only with Worker", fmt.Sprintf("%q", o.WorkerTokenFile))
	}
	// Flink keeps key groups as 16-bit numbers.
	const most = 1 << 15
	if o.Parallelism < 1 || o.Parallelism > most {
		bad("Parallelism", fmt.Sprintf("from 1 to %d", most), o.Parallelism)
	}
	if o.MaxParallelism < o.Parallelism || o.MaxParallelism > most {
		bad("MaxParallelism", fmt.Sprintf("from Parallelism (%d) to %d", o.Parallelism, most), o.MaxParallelism)
	}
	// Flink refuses intervals below 10 ms; the others it counts in milliseconds.
	if c := o.Checkpoints; c.Interval > 0 {
		if c.Interval < 10*time.Millisecond {
			bad("Checkpoints.Interval", "10ms or more, or negative for none", c.Interval)
		}
		if c.Timeout < 10*time.Millisecond {
			bad("Checkpoints.Timeout", "10ms or more", c.Timeout)
		}
		if c.MinPause < 0 {
			bad("Checkpoints.MinPause", "0 or more", c.MinPause)
		}
	}
	if o.StateBackend != RocksDB && o.StateBackend != Heap {
		bad("StateBackend", fmt.Sprintf("%q or %q", RocksDB, Heap), fmt.Sprintf("%q", o.StateBackend))
	}
	if o.StoragePath != "" && !strings.Contains(o.StoragePath, ":/") {
		bad("StoragePath", "a URI like file:///checkpoints or gs://bucket/checkpoints", fmt.Sprintf("%q", o.StoragePath))
	}
	if o.AllowNonRestored && o.Savepoint == "" {
		bad("AllowNonRestored", "set only with Savepoint", o.AllowNonRestored)
	}
	if o.BundleTime < time.Millisecond {
		bad("BundleTime", "1ms or more", o.BundleTime)
	}
	if o.BundleSize < 1 {
		bad("BundleSize", "1 or more", o.BundleSize)
	}
	if o.IdleShutdown < 0 {
		bad("IdleShutdown", "0 or more", o.IdleShutdown)
	}
	return errors.Join(errs...)
}

// beamOptions are the options under the names of Beam's FlinkPipelineOptions, in lower case
// with underscores. Beam ignores a name it does not know, without a word: the tests hold
// every name against those of the runner. bounded is whether all sources of the pipeline are.
func (o Options) beamOptions(bounded bool) map[string]any {
	m := map[string]any{
		"job_name":              o.Name,
		"app_name":              o.Name,
		"experiments":           []any{"beam_fn_api"},
		"streaming":             o.Streaming || !bounded,
		"parallelism":           o.Parallelism,
		"max_parallelism":       o.MaxParallelism,
		"state_backend":         string(o.StateBackend),
		"max_bundle_time_mills": o.BundleTime.Milliseconds(),
		"max_bundle_size":       o.BundleSize,
		"object_reuse":          o.ObjectReuse,
		// Otherwise the runner keeps what a bundle that a checkpoint cuts short has put out
		// with the checkpoint, and lets the watermark pass it: further on it is late, and is
		// dropped without a word.
		"finish_bundle_before_checkpointing": true,
	}
	if o.StoragePath == "" {
		delete(m, "state_backend") // Beam refuses it without a path
	} else {
		m["state_backend_storage_path"] = o.StoragePath
	}
	if c := o.Checkpoints; c.Interval > 0 {
		m["checkpointing_interval"] = c.Interval.Milliseconds()
		m["checkpoint_timeout_millis"] = c.Timeout.Milliseconds()
		m["min_pause_between_checkpoints"] = c.MinPause.Milliseconds()
		m["unaligned_checkpoint_enabled"] = c.Unaligned
		m["fail_on_checkpointing_errors"] = c.FailJob
		m["externalized_checkpoints_enabled"] = true
		m["retain_externalized_checkpoints_on_cancellation"] = !c.Discard
	}
	if o.Savepoint != "" {
		m["savepoint_path"] = o.Savepoint
		m["allow_non_restored_state"] = o.AllowNonRestored
	}
	switch {
	case o.IdleShutdown > 0:
		m["shutdown_sources_after_idle_ms"] = max(1, o.IdleShutdown.Milliseconds())
	case bounded:
		m["shutdown_sources_after_idle_ms"] = 1
	}
	return m
}
