package main

import (
	"fmt"
	"math"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/spf13/cobra"

	"tributary/pipelines/audit"
	"tributary/pipelines/spec"
)

func auditCmd() *cobra.Command {
	var (
		opt      audit.Options
		from, to timeFlag
		asJSON   bool
	)
	cmd := &cobra.Command{
		Use:   "audit SPEC",
		Short: "Hold the samples of a job against a join of the same records, done again",
		Long: `Join the records of a spec again, in batch, and compare each sample with what the job has
written to its topic and its folders: what is missing, what is there that must not be,
what differs and in which fields, and what is there twice; by stage, hour and partition.
So are the numbers of samples that commit log and accounts tell of.

The range is that of whole buckets which the job has completed, as its commit log says. A
stream may go on meanwhile: what is not complete yet is counted, and not compared. The
inputs must still hold what the range came of, which is two of the longest windows more.

What a record changed that is late only because its partition had been idle is counted
apart: the join knows of no idleness. So are records of transactions that were aborted or
are open.

A sink or stage of which nothing is complete, though the rest of the job is, and a
transaction that is open for longer than stream.transaction_timeout are findings, too.

It writes nothing but what does not fit in memory, to a folder for temporary files. With
findings it ends with exit code 4, and with 1 if it could not be done.`,
		Example: `  tributary audit stream.yaml
  tributary audit stream.yaml --from 2026-01-01 --to 2026-01-02
  tributary audit stream.yaml --json | jq .sinks[].stages`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opt.From, opt.To = from.Time, to.Time
			if !from.IsZero() && !to.IsZero() && !from.Before(to.Time) {
				return usageError{fmt.Errorf("--from %s is not before --to %s", from.String(), to.String())}
			}
			s, err := spec.Load(args[0])
			if err != nil {
				return err
			}
			beam.Init()
			show := newProgress(cmd.ErrOrStderr())
			opt.Progress = show.tell
			r, err := audit.Run(cmd.Context(), s, opt)
			show.finish()
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			write := func() error { return r.Text(out, width(out)) }
			if asJSON {
				write = func() error { return r.JSON(out) }
			}
			if err := write(); err != nil || r.Findings == 0 {
				return err
			}
			return errFound
		},
	}
	flags := cmd.Flags()
	flags.Var(&from, "from", "views from this time on, like 2026-01-02 or 2026-01-02T15:04:05Z (default: all)")
	flags.Var(&to, "to", "views before this time (default: all that is complete)")
	flags.BoolVar(&asJSON, "json", false, "what was found as JSON, every row of it")
	number(flags, &opt.Examples, "examples", 1, math.MaxInt, "how many findings of each class are told one by one for each topic or folder (default: 10)")
	flags.StringVar(&opt.Scratch, "scratch", "", "a folder on a local disk for what does not fit in memory: the samples of the range twice (default: the system's for temporary files)")
	must(cmd.MarkFlagDirname("scratch"))
	return cmd
}
