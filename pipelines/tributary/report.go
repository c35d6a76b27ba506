package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"tributary/pipelines/spec"
	"tributary/pipelines/stream"
)

// reportTimeout bounds reading the accounts: one record for every few thousand events.
const reportTimeout = 5 * time.Minute

func reportCmd() *cobra.Command {
	var (
		asJSON bool
		html   string
	)
	cmd := &cobra.Command{
		Use:   "report SPEC",
		Short: "Tell what became of every event that a stream has read",
		Long: `Add up the accounts that a join of topics writes beside its samples, and report on them
like a join of files. The stream may go on meanwhile: events whose windows are still open
are counted as open. What a restart did twice is counted once.`,
		Example: `  tributary report stream.yaml
  tributary report stream.yaml --json
  tributary report stream.yaml --html report.html`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := spec.Load(args[0])
			if err != nil {
				return err
			}
			if !s.Streams() {
				return usageError{fmt.Errorf("%s reads files: `tributary join` reports on them", args[0])}
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), reportTimeout)
			defer cancel()
			r, err := stream.Report(ctx, s)
			if err != nil {
				return err
			}
			if html != "" {
				if err := writeHTML(html, r); err != nil {
					return err
				}
			}
			if asJSON {
				return r.JSON(cmd.OutOrStdout())
			}
			return r.Text(cmd.OutOrStdout(), width(cmd.OutOrStdout()))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "the report as JSON")
	cmd.Flags().StringVar(&html, "html", "", "write the report as a self-contained page to this file, too")
	return cmd
}
