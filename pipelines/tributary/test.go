package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/spf13/cobra"

	"tributary/pipelines/join"
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

In a test nothing is late and every negative is kept.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := spec.Load(args[0])
			if err != nil {
				return err
			}
			beam.Init()
			began := time.Now()
			results, err := join.Test(cmd.Context(), s)
			if err != nil {
				return err
			}
			if asJSON {
				err = json.NewEncoder(cmd.OutOrStdout()).Encode(results)
			} else {
				printTests(cmd.OutOrStdout(), results, time.Since(began))
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

func failures(results []join.TestResult) (n int) {
	for _, r := range results {
		if len(r.Differences) > 0 {
			n++
		}
	}
	return n
}

func printTests(w io.Writer, results []join.TestResult, elapsed time.Duration) {
	for _, r := range results {
		if len(r.Differences) == 0 {
			fmt.Fprintf(w, "ok    %s\n", r.Name)
			continue
		}
		fmt.Fprintf(w, "FAIL  %s\n", r.Name)
		for _, d := range r.Differences {
			if d.Field == "" {
				fmt.Fprintf(w, "      %s: sample %s: got %s, want %s\n", d.At, d.Sample, d.Got, d.Want)
				continue
			}
			fmt.Fprintf(w, "      %s: sample %s: %s\n        got  %s\n        want %s\n", d.At, d.Sample, d.Field, d.Got, d.Want)
		}
	}
	switch failed := failures(results); {
	case len(results) == 0:
		fmt.Fprintln(w, "the spec has no tests; see \"tests\" in the README")
	case failed > 0:
		fmt.Fprintf(w, "%d of %d tests failed\n", failed, len(results))
	default:
		fmt.Fprintf(w, "%d tests passed in %s\n", len(results), elapsed.Round(time.Millisecond))
	}
}
