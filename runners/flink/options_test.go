package flink

import (
	"bufio"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// full sets every field, so that every option is sent.
func full() Options {
	return Options{
		Name: "feed", Parallelism: 4, MaxParallelism: 64, Streaming: true,
		Checkpoints:  Checkpoints{Interval: 5 * time.Second, Timeout: time.Minute, MinPause: time.Second, Unaligned: true, FailJob: true, Discard: true},
		StateBackend: Heap, StoragePath: "gs://bucket/checkpoints", Savepoint: "gs://bucket/savepoint-1", AllowNonRestored: true,
		BundleTime: 300 * time.Millisecond, BundleSize: 50, ObjectReuse: true, IdleShutdown: 2 * time.Second,
	}
}

func TestOptionsUnderBeamsNames(t *testing.T) {
	with := func(change func(*Options)) Options {
		o := Options{StoragePath: "file:///checkpoints"}
		change(&o)
		return o.withDefaults()
	}
	tests := []struct {
		name    string
		options Options
		bounded bool
		want    map[string]any // some of them; nil for one that must not be sent
	}{
		{"every field", full().withDefaults(), false, map[string]any{
			"job_name": "feed", "parallelism": 4, "max_parallelism": 64, "streaming": true,
			"checkpointing_interval": int64(5000), "checkpoint_timeout_millis": int64(60000), "min_pause_between_checkpoints": int64(1000),
			"unaligned_checkpoint_enabled": true, "fail_on_checkpointing_errors": true,
			"externalized_checkpoints_enabled": true, "retain_externalized_checkpoints_on_cancellation": false,
			"state_backend": "filesystem", "state_backend_storage_path": "gs://bucket/checkpoints",
			"savepoint_path": "gs://bucket/savepoint-1", "allow_non_restored_state": true,
			"max_bundle_time_mills": int64(300), "finish_bundle_before_checkpointing": true, "max_bundle_size": 50, "object_reuse": true,
			"shutdown_sources_after_idle_ms": int64(2000),
		}},
		{"defaults of a stream", with(func(*Options) {}), false, map[string]any{
			"parallelism": 1, "max_parallelism": 128, "streaming": true, "checkpointing_interval": int64(10000),
			"checkpoint_timeout_millis": int64(600000), "state_backend": "rocksdb", "max_bundle_time_mills": int64(50), "finish_bundle_before_checkpointing": true,
			"max_bundle_size": 1000, "object_reuse": false, "fail_on_checkpointing_errors": false,
			"retain_externalized_checkpoints_on_cancellation": true, "savepoint_path": nil, "shutdown_sources_after_idle_ms": nil,
		}},
		{"bounded pipeline as a batch", with(func(*Options) {}), true, map[string]any{"streaming": false, "shutdown_sources_after_idle_ms": 1}},
		{"bounded pipeline as a stream", with(func(o *Options) { o.Streaming = true }), true, map[string]any{"streaming": true, "shutdown_sources_after_idle_ms": 1}},
		{"no checkpoints", with(func(o *Options) { o.Checkpoints.Interval = -1 }), false, map[string]any{
			"checkpointing_interval": nil, "externalized_checkpoints_enabled": nil,
		}},
		{"no storage path", Options{}.withDefaults(), false, map[string]any{"state_backend": nil, "state_backend_storage_path": nil}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.options.beamOptions(tt.bounded)
			for name, want := range tt.want {
				assert.Equal(t, want, got[name], name)
			}
		})
	}
}

// Beam takes an option that it does not know without a word. The names here are those of
// the runner's own class: `javap org.apache.beam.runners.flink.FlinkPipelineOptions` and the
// interfaces it extends.
func TestBeamKnowsEveryOption(t *testing.T) {
	known := map[string]bool{}
	file, err := os.Open("testdata/FlinkPipelineOptions-2.62.0.txt")
	require.NoError(t, err)
	defer file.Close() //nolint:errcheck // only read
	for lines := bufio.NewScanner(file); lines.Scan(); {
		known[strings.TrimSpace(lines.Text())] = true
	}
	require.Greater(t, len(known), 50)
	every := everyOption()
	for _, name := range every {
		assert.True(t, known[name], "Beam's runner has no option %s", name)
	}
	for name := range full().withDefaults().beamOptions(true) {
		assert.Contains(t, every, name)
	}
	assert.False(t, known[markOption])
}

func TestValidateReportsAllProblems(t *testing.T) {
	require.NoError(t, Options{}.Validate(), "the zero value")
	require.NoError(t, full().Validate())
	tests := []struct {
		name   string
		change func(*Options)
		want   string
	}{
		{"job server without a port", func(o *Options) { o.JobServer = "flink" }, `JobServer: must be host:port, got "flink"`},
		{"REST is no address", func(o *Options) { o.REST = "ftp://flink" }, `REST: must be host:port or a URL, got "ftp://flink"`},
		{"worker without a port", func(o *Options) { o.Worker = "localhost" }, `Worker: must be host:port, got "localhost"`},
		{"negative parallelism", func(o *Options) { o.Parallelism = -1 }, "Parallelism: must be from 1 to 32768, got -1"},
		{"more subtasks than ever", func(o *Options) { o.MaxParallelism = 3 }, "MaxParallelism: must be from Parallelism (4) to 32768, got 3"},
		{"interval too short", func(o *Options) { o.Checkpoints.Interval = time.Millisecond }, "Checkpoints.Interval: must be 10ms or more, or negative for none, got 1ms"},
		{"timeout too short", func(o *Options) { o.Checkpoints.Timeout = 1 }, "Checkpoints.Timeout: must be 10ms or more, got 1ns"},
		{"negative pause", func(o *Options) { o.Checkpoints.MinPause = -1 }, "Checkpoints.MinPause: must be 0 or more, got -1ns"},
		{"unknown backend", func(o *Options) { o.StateBackend = "redis" }, `StateBackend: must be "rocksdb" or "filesystem", got "redis"`},
		{"storage path is no URI", func(o *Options) { o.StoragePath = "/checkpoints" }, "StoragePath: must be a URI like"},
		{"nothing to restore", func(o *Options) { o.Savepoint = "" }, "AllowNonRestored: must be set only with Savepoint"},
		{"bundle too short", func(o *Options) { o.BundleTime = -1 }, "BundleTime: must be 1ms or more, got -1ns"},
		{"bundle too small", func(o *Options) { o.BundleSize = -1 }, "BundleSize: must be 1 or more, got -1"},
		{"negative idle time", func(o *Options) { o.IdleShutdown = -1 }, "IdleShutdown: must be 0 or more, got -1ns"},
	}
	all := full()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := full()
			tt.change(&o)
			require.ErrorContains(t, o.Validate(), tt.want)
		})
		if tt.name != "negative parallelism" { // the bound of another rule
			tt.change(&all)
		}
	}
	assert.Len(t, strings.Split(all.Validate().Error(), "\n"), len(tests)-1, "all problems at once")
}
