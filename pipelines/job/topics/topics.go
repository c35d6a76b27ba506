// Package topics knows which topics a spec needs and with which settings, compares them
// with those that a cluster has, and creates the ones that are missing.
package topics

import (
	"time"

	"tributary/pipelines/job"
	"tributary/pipelines/spec"
)

// Topic is a topic that a spec needs.
type Topic struct {
	// Cluster is the name of its cluster in the spec.
	Cluster string `json:"cluster"`
	Name    string `json:"topic"`
	// Role is what it is to the spec: views, a kind of engagement, samples, late,
	// dead_letters, orphans, accounts, commit_log or time_index.
	Role string `json:"role"`
	// Output tells topics that the join writes.
	Output bool `json:"output"`
	// Partitions is how many it must have at least; 0 for any number.
	Partitions int32 `json:"partitions,omitempty"`
	// Compacted topics keep the last record of each key for ever; others keep all
	// records for a time.
	Compacted bool `json:"compacted"`
	// MayCompact says that a topic which is not made compacted may be: its records are versions, of which the last of a key is what counts.
	MayCompact bool `json:"-"`
	// Retention is how long an input must keep records at least, counted from their
	// timestamps; 0 for outputs, which are stamped when they are written and may be kept as
	// long as their readers like.
	Retention time.Duration `json:"retention_ns,omitempty"`
}

// accountsRole is the role of the topic of accounts.
const accountsRole = "accounts"

// Names of settings of topics.
const (
	cleanupPolicy  = "cleanup.policy"
	retentionMs    = "retention.ms"
	retentionBytes = "retention.bytes"
	forEver        = "-1"
)

// Needed lists the topics of a spec, inputs first, each once. It is empty for a spec of
// files.
func Needed(s *spec.Spec) []Topic {
	var out []Topic
	seen := map[[2]string]bool{}
	add := func(t Topic) {
		if key := [2]string{t.Cluster, t.Name}; t.Name != "" && !seen[key] {
			seen[key] = true
			out = append(out, t)
		}
	}
	keep := Retention(s)
	inputs := func(role string, inputs []spec.Input) {
		for _, in := range inputs {
			add(Topic{Cluster: in.Cluster, Name: in.Topic, Role: role, Retention: keep})
		}
	}
	inputs("views", s.Views.Inputs)
	for _, e := range s.Engagements {
		inputs(e.Kind, e.Inputs)
	}
	o, cluster := s.Outputs, s.OutputCluster()
	output := func(role, name string) Topic {
		return Topic{Cluster: cluster, Name: name, Role: role, Output: true}
	}
	if samples := o.SamplesTopic(); samples != nil {
		t := output("samples", samples.Topic)
		t.MayCompact = len(s.Stages) > 0 && samples.Stages != spec.FinalStage
		add(t)
	}
	add(output("late", o.Topics.Late))
	add(output("dead_letters", o.Topics.DeadLetters))
	add(output("orphans", o.Topics.Orphans))
	add(Topic{Cluster: cluster, Name: o.Topics.CommitLog, Role: "commit_log", Output: true, Partitions: int32(s.Shards), Compacted: true})
	for stage := range max(0, len(s.Stages)-1) {
		add(Topic{Cluster: cluster, Name: job.StageConfig(job.SampleConfig(s), s, stage).CommitLog, Role: "commit_log", Output: true, Partitions: int32(job.StageShards(s, stage)), Compacted: true})
	}
	add(Topic{Cluster: cluster, Name: o.Topics.TimeIndex, Role: "time_index", Output: true, Compacted: true})
	add(Topic{Cluster: cluster, Name: o.Topics.Accounts, Role: accountsRole, Output: true, Compacted: true})
	return out
}

// Retention is how long records must be kept for a job to start again from the log: a
// bucket that was open then began that much before the latest event, and what matters for
// it reaches back further, disorder counted at both ends. Samples carry the times of their
// views, so they need as much to be there at all when they are written. Files that are put together are joined again
// whole.
func Retention(s *spec.Spec) time.Duration {
	p, _ := job.Of(s)
	bucket := s.Bucket
	if o := s.Outputs.SamplesFolder(); o != nil {
		bucket = max(bucket, o.Compact)
	}
	return s.LongestWindow() + bucket + s.OutOfOrderness + time.Duration(p.Lookback())*time.Millisecond
}

// settings are what a new topic is created with.
func (t Topic) settings() map[string]string {
	if t.Role == accountsRole {
		// Brokers compact what is no longer written to: an hour's segments, not a week's.
		return map[string]string{cleanupPolicy: "compact", "segment.ms": "3600000", "min.cleanable.dirty.ratio": "0.1"}
	}
	if t.Compacted {
		return map[string]string{cleanupPolicy: "compact"}
	}
	// For ever: what is made for a backfill may hold records with timestamps of any age,
	// by which retention counts.
	return map[string]string{cleanupPolicy: "delete", retentionMs: forEver, retentionBytes: forEver}
}
