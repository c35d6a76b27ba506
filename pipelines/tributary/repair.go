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
	var hanging, dry, asJSON bool
	cmd := &cobra.Command{
		Use:   "repair SPEC --hanging",
		Short: "End transactions that nobody ends any more",
		Long: `With --hanging, find the transactions that are open in the topics of a spec, inputs and
outputs, and end those that nobody ends: every reader of what is committed stands still
before them, the job among them. "tributary help streams" says how they come about.

Those of which the brokers have lost the end are ended as their coordinator had decided,
committed or aborted, so that nothing is lost or there twice. Those that no coordinator
knows, for longer than transaction.max.timeout.ms, are aborted. Those whose writer may go
on are told, and left alone. The job may run meanwhile, and goes on by itself.

It needs the rights to describe topics and brokers, to read __transaction_state, and
ClusterAction on the cluster. If any hang of which no log says how they ended, it ends
with exit code 1.`,
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
			found, err := repair.EndHanging(ctx, s, dry)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if asJSON {
				err = printJSON(out, found)
			} else {
				err = found.Text(out)
			}
			if err == nil && found.Left > 0 {
				err = errReported
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&hanging, "hanging", false, "end transactions that nobody ends any more")
	flags.BoolVar(&dry, "dry-run", false, "say what would be done, and do nothing")
	flags.BoolVar(&asJSON, "json", false, "what was found as JSON")
	return cmd
}
