package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"tributary/pipelines/job/stream"
	"tributary/pipelines/report"
	"tributary/pipelines/spec"
)

// reportTimeout bounds reading the accounts: one record for every few thousand events.
const reportTimeout = 5 * time.Minute

func reportCmd() *cobra.Command {
	var out reportFlags
	cmd := &cobra.Command{
		Use:   "report SPEC",
		Short: "Tell what became of every event that a stream has read",
		Long: `Add up the accounts that a join of topics writes beside its samples, and report on them
like a join of files. The stream may go on meanwhile: events whose windows are still open
are counted as open. What a restart did twice is counted once.

A job puts accounts together that nothing changes any more, which changes no figure. The
timeline has the newest 1000 buckets one by one, older ones by two, by four and so on.`,
		Example: `  tributary report stream.yaml
  tributary report stream.yaml --json
  tributary report stream.yaml --html report.html`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := spec.Load(args[0])
			if err != nil {
				return err
			}
			if s.Outputs.Topics.Accounts == "" {
				return usageError{fmt.Errorf("%s has no topic of accounts: `tributary join` reports on what it joins", args[0])}
			}
			if err := checkHTML(cmd.Context(), out.html, s); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), reportTimeout)
			defer cancel()
			r, err := stream.Report(ctx, s)
			if err != nil {
				return err
			}
			return out.print(cmd.Context(), cmd.OutOrStdout(), r)
		},
	}
	out.add(cmd)
	return cmd
}

// reportFlags say how a report is shown.
type reportFlags struct {
	json bool
	html string // a page to write as well
	// limits say how much may be lost before the command fails.
	limits report.Limits
}

func (f *reportFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.json, "json", false, "the report as JSON")
	cmd.Flags().StringVar(&f.html, "html", "", "write the report as a self-contained page to this file, too")
	cmd.Flags().Var(&f.limits.Dead, "max-dead", "fail if more of an input is dead: a share like 1%, or a count")
	cmd.Flags().Var(&f.limits.Late, "max-late", "fail if more of an input is late")
	cmd.Flags().Var(&f.limits.Unmatched, "max-unmatched", "fail if more engagements of a kind find no view, or none in whose window they lie")
	must(cmd.MarkFlagFilename("html", "html"))
}

// print shows the report in w. The error is a *report.LostError if too much was lost.
func (f *reportFlags) print(ctx context.Context, w io.Writer, r *report.Report) error {
	r.Limits = f.limits
	if f.html != "" {
		if err := writeHTML(ctx, f.html, r); err != nil {
			return err
		}
	}
	write := func() error { return r.Text(w, width(w)) }
	if f.json {
		write = func() error { return r.JSON(w) }
	}
	if err := write(); err != nil {
		return err
	}
	return r.Lost()
}

// width is how many columns a report may take.
func width(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil {
			return min(columns, 120)
		}
	}
	return 80
}
