package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"tributary/pipelines/job/stream"
	"tributary/pipelines/job/topics"
	"tributary/pipelines/spec"
	"tributary/runners/flink"
)

// job is what either side is asked to do.
type job struct {
	name        string // and the topic of its samples
	from        topicPair
	window      time.Duration
	bucket      time.Duration // of ours
	stages      []stage       // of ours
	parallelism int
	checkpoints time.Duration
	heap        bool   // state on the JVM's heap, not in RocksDB; the control alone
	until       *truth // the events to read, and for the control the end; nil: go on for ever
}

const (
	outOfOrderness = 5 * time.Second
	readers        = 4
)

// specText is the spec of a job of ours.
func specText(dir, brokers string, j job) string {
	return fmt.Sprintf(`clusters: {main: {brokers: [%q]}}
views: {inputs: [{topic: %s, format: avro, schema: %s/view.avsc}], id: view_id, time: ts}
engagements:
  like: {inputs: [{topic: %s, format: avro, schema: %s/engagement.avsc}], view: view_id, time: ts, window: %s}
out_of_orderness: %s
bucket: %s
shards: 4
%sstream: {name: %s, source_parallelism: %d, idle_timeout: never}
outputs: {samples: {topic: %s, codec: lz4}}
`, brokers, j.from.views, dir, j.from.engagements, dir, spec.FormatDuration(j.window), spec.FormatDuration(outOfOrderness), spec.FormatDuration(j.bucket), stagesLine(j.stages), j.name, readers, j.name)
}

// submitOurs starts the job as `tributary run` does, with the worker beside the cluster. It reads all there is, and goes on.
func (s *servers) submitOurs(ctx context.Context, j job) (*flinkJob, error) {
	for name, schema := range map[string]string{"view.avsc": viewSchema, "engagement.avsc": engagementSchema} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(schema), 0o600); err != nil {
			return nil, err
		}
	}
	parsed, err := spec.Parse(filepath.Join(s.dir, j.name+".yaml"), []byte(specText(s.dir, s.broker.address, j)))
	if err != nil {
		return nil, err
	}
	if _, err := topics.Create(ctx, parsed, topics.CreateOptions{Partitions: partitions, Replicas: 1}); err != nil {
		return nil, err
	}
	plan, err := stream.New(ctx, parsed, stream.Options{})
	if err != nil {
		return nil, err
	}
	submitted, err := flink.Submit(ctx, plan.Pipeline(), flink.Options{
		JobServer: s.ours.jobserver, REST: s.ours.rest, Worker: s.worker, Name: j.name,
		Parallelism: j.parallelism, Checkpoints: flink.Checkpoints{Interval: j.checkpoints, Discard: true},
	})
	if err != nil {
		return nil, err
	}
	return &flinkJob{id: submitted.FlinkID, client: submitted.Client(), rest: s.ours.rest}, nil
}
