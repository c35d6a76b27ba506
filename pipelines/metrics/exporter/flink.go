package exporter

import (
	"context"

	"tributary/pipelines/metrics"
	"tributary/runners/flink"
)

// flink tells how the job on Flink is, and its checkpoints.
func (e *Exporter) flink(ctx context.Context, out *collected) error {
	client, err := flink.NewClient(e.opt.Flink)
	if err != nil {
		return err
	}
	job, err := client.Find(ctx, e.opt.Job)
	if err != nil {
		return err
	}
	s, err := client.Status(ctx, job.ID)
	if err != nil {
		return err
	}
	out.add(metrics.JobRunning, truth(s.State == flink.Running && s.TasksRunning == s.Tasks))
	out.add(metrics.Checkpoints, float64(s.Checkpoints.Completed), "completed")
	out.add(metrics.Checkpoints, float64(s.Checkpoints.Failed), "failed")
	out.add(metrics.Restores, float64(s.Checkpoints.Restored))
	if last := s.Checkpoints.Last; last != nil {
		out.add(metrics.CheckpointTime, seconds(last.Taken))
		out.add(metrics.CheckpointDuration, last.Duration.Seconds())
		out.add(metrics.CheckpointSize, float64(last.Size))
	}
	return nil
}
