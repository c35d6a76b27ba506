package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/spf13/cobra"

	"tributary/pipelines/job/batch"
	"tributary/pipelines/spec"
)

func testCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "test SPEC",
		Short: "Run the tests of a spec through the real join",
		Long: `Run the tests of a spec: a few views and engagements with times, and the samples
they must become. They go through the join that files go through. Every sample has
to be named; of each, only the fields that the test names are compared.

Records need what "where" asks for, as in a join: what it leaves out and what is a
dead letter is told of a test that fails, and dead letters of any.

In a test nothing is late and every negative is kept. With stages a sample that names none is of
the last one, which gives all of them here. A test may name samples of earlier stages as well
("stage: 10s"); then those of all stages have to be named, as they emit them.`,
		Example: "  tributary test feed.yaml\n  tributary test --json feed.yaml | jq '.[] | select(.differences)'",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := spec.Load(args[0])
			if err != nil {
				return err
			}
			beam.Init()
			began := time.Now()
			results, err := batch.Test(cmd.Context(), s)
			if err != nil {
				return err
			}
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), results)
			} else if _, err = io.WriteString(cmd.OutOrStdout(), testsText(results, time.Since(began))); err != nil {
				err = fmt.Errorf("print the result: %w", err)
			}
			if err == nil && failures(results) > 0 {
				return errReported
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "the results as JSON")
	return cmd
}

func failures(results []batch.TestResult) (n int) {
	for _, r := range results {
		if len(r.Differences) > 0 {
			n++
		}
	}
	return n
}

func testsText(results []batch.TestResult, elapsed time.Duration) string {
	var w strings.Builder
	for _, r := range results {
		if len(r.Differences) == 0 {
			fmt.Fprintf(&w, "ok    %s\n", r.Name)
			writeDead(&w, &r)
			continue
		}
		fmt.Fprintf(&w, "FAIL  %s\n", r.Name)
		for _, d := range r.Differences {
			sample := d.Sample
			if d.Stage != "" {
				sample += " at " + d.Stage
			}
			if d.Field == "" {
				fmt.Fprintf(&w, "      %s: sample %s: got %s, want %s\n", d.At, sample, d.Got, d.Want)
				continue
			}
			fmt.Fprintf(&w, "      %s: sample %s: %s\n        got  %s\n        want %s\n", d.At, sample, d.Field, d.Got, d.Want)
		}
		for _, role := range slices.Sorted(maps.Keys(r.Filtered)) {
			fmt.Fprintf(&w, "      %s: left out by where: %d\n", role, r.Filtered[role])
		}
		writeDead(&w, &r)
	}
	switch failed := failures(results); {
	case len(results) == 0:
		fmt.Fprintln(&w, "the spec has no tests; see \"tests\" in the README")
	case failed > 0:
		fmt.Fprintf(&w, "%d of %d tests failed\n", failed, len(results))
	default:
		fmt.Fprintf(&w, "%d tests passed in %s\n", len(results), elapsed.Round(time.Millisecond))
	}
	return w.String()
}

// writeDead writes the dead letters of a test.
func writeDead(w *strings.Builder, r *batch.TestResult) {
	for _, d := range r.Dead {
		fmt.Fprintf(w, "      %s: record %d is a dead letter: %s\n", d.Role, d.Record, d.Detail)
	}
}
