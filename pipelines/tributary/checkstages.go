package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"tributary/pipelines/report"
	"tributary/pipelines/spec"
)

// printStages shows what each stage gives and takes.
func printStages(w io.Writer, stages []spec.StageCost) error {
	if _, err := io.WriteString(w, "\n"); err != nil {
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "  stage\temit\tout of orderness\tbucket\tsamples within\tengagement copies\tview markers\topen state\n")
	duration := func(ms int64) string { return spec.FormatDuration(time.Duration(ms) * time.Millisecond) }
	for _, s := range stages {
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t%s\t%d\t%d\t%s\n",
			s.Stage, s.Emit, duration(s.OutOfOrdernessMs), duration(s.BucketMs), duration(s.SamplesWithinMs), s.EngagementCopies, s.ViewMarkers, report.Share(s.SamplesWithinMs, stages[len(stages)-1].SamplesWithinMs))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(w, `
  samples within: the time after its view by which a sample is there at most, in event
  time. Engagement copies, view markers: the buckets that an engagement goes to, and
  those besides its own that a view is marked in to find its duplicates, at most.
  Open state: as a share of the last stage's.
`)
	return err
}

// printBuckets shows what lengths of buckets give and take where views share a key.
func printBuckets(w io.Writer, buckets []spec.BucketCost) error {
	if _, err := io.WriteString(w, "\n"); err != nil {
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "  bucket\tsamples within\tview markers\tengagement copies\n")
	duration := func(ms int64) string { return spec.FormatDuration(time.Duration(ms) * time.Millisecond) }
	for _, b := range buckets {
		now := ""
		if b.Now {
			now = "  now"
		}
		fmt.Fprintf(table, "  %s\t%s\t%d\t%d%s\n", duration(b.Cost.BucketMs), duration(b.Cost.SamplesWithinMs), b.Cost.ViewMarkers, b.Cost.EngagementCopies, now)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(w, `
  No sample changes with bucket. Views share a key, so each is marked in all buckets that
  a window reaches: with three markers the join costs about what one by id does, with
  fifteen four to five times as much. Longer buckets have samples later, and are in
  memory as a whole, by shards.
`)
	return err
}
