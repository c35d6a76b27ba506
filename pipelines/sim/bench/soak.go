package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

func soakCommand() *cobra.Command {
	var (
		data   string
		rate   float64
		length time.Duration
		asJSON bool
	)
	cmd := &cobra.Command{
		Use: "soak", Args: cobra.NoArgs,
		Short: "Run the join at a steady rate for long, and look at its state and memory every minute",
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			beam.Init()
			if data == "" {
				if data, err = os.MkdirTemp("", "soak-"); err != nil {
					return err
				}
			}
			result, err := soak(cmd.Context(), data, rate, length)
			if err != nil {
				return err
			}
			return result.print(cmd.OutOrStdout(), asJSON)
		},
	}
	cmd.Flags().StringVar(&data, "data", "", "folder of the servers' data and logs (default: a temporary one, which stays)")
	cmd.Flags().Float64Var(&rate, "rate", 1000, "events per second")
	cmd.Flags().DurationVar(&length, "for", time.Hour, "how long")
	cmd.Flags().BoolVar(&asJSON, "json", false, "the result as JSON")
	return cmd
}

// Soak is how a job does over a long time at a steady rate.
type Soak struct {
	EventsPerSecond float64  `json:"events_per_second"`
	Readers         int      `json:"readers"`
	Minutes         []Minute `json:"minutes"`
}

// Minute is a look at the job.
type Minute struct {
	Minute      int `json:"minute"`
	Checkpoints int `json:"checkpoints"` // completed so far
	Failed      int `json:"checkpoints_failed"`
	// State is the size of the last checkpoint, Files the number of files of all that are kept.
	State int64         `json:"state_bytes"`
	Took  time.Duration `json:"checkpoint_ns"`
	Files int           `json:"files"`
	// Memory is the most that was resident in the minute, by process.
	Memory  map[string]int64 `json:"resident_bytes"`
	Samples int64            `json:"samples"`
	// CPU is what the processes took in each second of the last minute.
	CPU float64 `json:"cpu_seconds_per_second"`
}

// soak runs our job on a live stream, and tells row by row what every minute adds.
func soak(ctx context.Context, dir string, eventsPerSecond float64, length time.Duration) (*Soak, error) {
	s := &servers{dir: dir}
	if err := s.start(ctx, []*side{&s.ours}); err != nil {
		return nil, err
	}
	out := &Soak{EventsPerSecond: eventsPerSecond, Readers: readers}
	return out, errors.Join(s.soak(ctx, out, length), s.stop(context.WithoutCancel(ctx)))
}

func (s *servers) soak(ctx context.Context, out *Soak, length time.Duration) error {
	j := job{
		name: "samples-soak", from: topicPair{"soak-views", "soak-engagements"}, window: liveWindow, bucket: liveBucket,
		parallelism: 2, checkpoints: liveCheckpoints,
	}
	if err := s.broker.create(ctx, j.from.views, j.from.engagements); err != nil {
		return err
	}
	r, err := s.submitOurs(ctx, j)
	if err != nil {
		return err
	}
	if err := r.waitRunning(ctx); err != nil {
		return err
	}
	begun := time.Now().Add(time.Second)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		return s.broker.publishLive(ctx, j.from, newTraffic(begun, viewsOf(out.EventsPerSecond), j.window), begun.Add(length))
	})
	group.Go(func() error {
		used, err := cpu(s.ours.processes)
		if err != nil {
			return err
		}
		for n := 1; time.Duration(n)*time.Minute <= length; n++ {
			if err := pause(ctx, time.Until(begun.Add(time.Duration(n)*time.Minute))); err != nil {
				return err
			}
			now, err := cpu(s.ours.processes)
			if err != nil {
				return err
			}
			m, err := s.look(ctx, j, r, n)
			if err != nil {
				return err
			}
			m.CPU = now.since(used).total().Seconds() / 60
			used = now
			out.Minutes = append(out.Minutes, m)
			tell("minute %d: %d checkpoints (%d failed), last %d bytes in %s, %d files, %d samples, %.2f cores, memory %s",
				n, m.Checkpoints, m.Failed, m.State, m.Took.Round(time.Millisecond), m.Files, m.Samples, m.CPU, megabytes(m.Memory))
		}
		return nil
	})
	return errors.Join(group.Wait(), r.stop(context.WithoutCancel(ctx)))
}

func (s *servers) look(ctx context.Context, j job, r *flinkJob, minute int) (Minute, error) {
	status, err := r.client.Status(ctx, r.id)
	if err != nil {
		return Minute{}, err
	}
	m := Minute{Minute: minute, Checkpoints: status.Checkpoints.Completed, Failed: status.Checkpoints.Failed}
	if last := status.Checkpoints.Last; last != nil {
		m.State, m.Took = last.Size, last.Duration
	}
	if m.Memory, err = peaks(s.ours.processes); err != nil {
		return m, err
	}
	if err := forgetPeaks(s.ours.processes); err != nil {
		return m, err
	}
	if m.Samples, err = s.broker.readable(ctx, j.name); err != nil {
		return m, err
	}
	m.Files, err = countFiles(filepath.Join(s.dir, "flink-ours", "checkpoints"))
	return m, err
}

// countFiles counts files below a folder, from which others may vanish meanwhile.
func countFiles(dir string) (int, error) {
	n := 0
	err := filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && !entry.IsDir() {
			n++
		}
		return err
	})
	return n, err
}

// print writes a row for the first minute, for each ten and for the last.
func (s *Soak) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(s)
	}
	t := newTable("minute", "checkpoints", "failed", "checkpoint, MB", "takes, s", "files", "TaskManager, MB", "worker, MB", "samples", "CPU, cores")
	for i, m := range s.Minutes {
		if i > 0 && i < len(s.Minutes)-1 && m.Minute%10 != 0 {
			continue
		}
		t.AppendRow(table.Row{
			m.Minute, m.Checkpoints, m.Failed, fmt.Sprintf("%.1f", float64(m.State)/1e6), fmt.Sprintf("%.2f", m.Took.Seconds()), thousands(float64(m.Files)),
			thousands(float64(m.Memory["taskmanager"]) / 1e6), thousands(float64(m.Memory["worker"]) / 1e6), thousands(float64(m.Samples)), fmt.Sprintf("%.2f", m.CPU),
		})
	}
	_, err := fmt.Fprintf(w, "%s events/s, %d readers\n\n%s\n", thousands(s.EventsPerSecond), s.Readers, t.RenderMarkdown())
	return err
}

func megabytes(bytes map[string]int64) string {
	var parts []string
	for name, n := range bytes {
		parts = append(parts, fmt.Sprintf("%s %d MB", name, n/1_000_000))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}
