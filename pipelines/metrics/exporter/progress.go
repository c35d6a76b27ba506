package exporter

import (
	"strconv"
	"time"

	"tributary/pipelines/live"
	"tributary/pipelines/metrics"
	"tributary/runners/flink"
)

// partitions tell how far each is read, and what of each topic is not stable.
func partitions(s *live.State, out *collected) {
	for i := range s.Partitions {
		p := &s.Partitions[i]
		labels := []string{topicLabel(p.Cluster, p.Topic), strconv.Itoa(int(p.Partition))}
		if p.Lag != nil {
			out.add(metrics.PartitionLag, float64(*p.Lag), labels...)
		}
		out.add(metrics.PartitionIdle, truth(p.Idle), labels...)
		out.time(metrics.PartitionWatermark, p.Watermark, labels...)
	}
	out.time(metrics.Watermark, s.Watermark)
	for i := range s.Topics {
		if t := &s.Topics[i]; t.Error == "" {
			out.add(metrics.StableGap, float64(t.Gap), topicLabel(t.Cluster, t.Topic))
		}
	}
}

// committed tells what is committed, and how far that is behind the watermark.
func committed(s *live.State, out *collected) {
	out.add(metrics.TransactionTimeout, s.TransactionTimeout)
	for _, stage := range s.Stages {
		if c := stage.Commits; c != nil {
			out.distribution(metrics.CommitDelay, c.Delay, stage.Stage)
			out.add(metrics.Commits, float64(c.Groups), stage.Stage)
			out.add(metrics.Transactions, float64(c.Committed), stage.Stage, "commit")
			out.add(metrics.Transactions, float64(c.Aborted), stage.Stage, "abort")
			out.add(metrics.TransactionOpen, c.Open, stage.Stage)
		}
		for _, sink := range stage.Sinks {
			labels := []string{stage.Stage, sink.Sink}
			out.time(metrics.StageComplete, sink.Complete, labels...)
			if sink.Open != nil {
				out.add(metrics.StageOpen, float64(*sink.Open), labels...)
			}
			if sink.Overdue != nil {
				out.add(metrics.StageOverdue, *sink.Overdue, labels...)
			}
		}
	}
}

// flinkJob tells how the job on Flink is, and its checkpoints.
func flinkJob(s *flink.Status, out *collected) {
	out.add(metrics.JobRunning, truth(s.State == flink.Running && s.TasksRunning == s.Tasks))
	out.add(metrics.Checkpoints, float64(s.Checkpoints.Completed), "completed")
	out.add(metrics.Checkpoints, float64(s.Checkpoints.Failed), "failed")
	out.add(metrics.Restores, float64(s.Checkpoints.Restored))
	if last := s.Checkpoints.Last; last != nil {
		out.add(metrics.CheckpointTime, seconds(last.Taken))
		out.add(metrics.CheckpointDuration, last.Duration.Seconds())
		out.add(metrics.CheckpointSize, float64(last.Size))
	}
}

// time adds a time, if there is one.
func (c *collected) time(m *metrics.Metric, at *time.Time, labels ...string) {
	if at != nil {
		c.add(m, seconds(*at), labels...)
	}
}

// topicLabel names a topic, with its cluster where that has a name.
func topicLabel(cluster, topic string) string {
	if cluster == "" {
		return topic
	}
	return cluster + "/" + topic
}
