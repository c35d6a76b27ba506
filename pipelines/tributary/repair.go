package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"tributary/pipelines/repair"
	"tributary/pipelines/spec"
)

// repairTimeout bounds the whole command: the log of the coordinators may be long.
const repairTimeout = 10 * time.Minute

func repairCmd() *cobra.Command {
	var (
		hanging, asJSON bool
		opt             repair.Options
	)
	cmd := &cobra.Command{
		Use:   "repair SPEC --hanging",
		Short: "End transactions that nobody ends any more",
		Long: `With --hanging, find the transactions that are open in the topics of a spec, inputs and
outputs, and end those that nobody ends: every reader of what is committed stands still
before them, the job among them. "tributary help streams" says how they come about.

Those of which the brokers have lost the end are ended as their coordinator had decided,
committed or aborted, so that nothing is lost or there twice. Those whose writer may go on
are told, and left alone. So are those of which nobody can tell any more how they ended,
unless --abort-unknown says to abort them: "tributary help streams" says what is lost then.
The job may run meanwhile, and goes on by itself.

It needs the rights to read all these topics and __transaction_state, to describe the
configuration of brokers, and ClusterAction on the cluster. If some could not be ended, or
are left of which nobody can tell how they ended, it ends with exit code 1.`,
		Example: `  tributary repair stream.yaml --hanging --dry-run
  tributary repair stream.yaml --hanging`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !hanging {
				return usageError{errors.New("say what is to be repaired: --hanging")}
			}
			s, err := spec.Load(args[0])
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), repairTimeout)
			defer cancel()
			found, err := repair.EndHanging(ctx, s, opt)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if asJSON {
				err = printJSON(out, found)
			} else {
				err = found.Text(out)
			}
			if err == nil && found.Left+found.Failed+len(found.Errors) > 0 {
				err = errReported
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&hanging, "hanging", false, "end transactions that nobody ends any more")
	flags.BoolVar(&opt.AbortUnknown, "abort-unknown", false, "abort those of which nobody can tell any more how they ended")
	flags.BoolVar(&opt.DryRun, "dry-run", false, "say what would be done, and do nothing")
	flags.BoolVar(&asJSON, "json", false, "what was found as JSON")
	return cmd
}
