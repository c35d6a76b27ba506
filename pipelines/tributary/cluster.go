package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"tributary/runners/devcluster"
)

func clusterCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cluster up|down|status",
		Short: "Run Kafka, Flink and a worker on this machine, to try joins of streams",
		Long: `Run real servers on 127.0.0.1: Kafka, Flink with Beam's job server, and a worker.
They are fetched from package registries the first time; that takes a minute or two.

Needs Linux with bash, curl, a JDK 17, Maven and Python 3.`,
		Example: `  tributary cluster up
  tributary cluster status --json
  tributary cluster down`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		clusterAction("up", "Start what does not run yet, and wait until all of it answers",
			func(cmd *cobra.Command, dir string) ([]devcluster.Part, error) {
				tell(cmd.ErrOrStderr(), "starting Kafka and Flink in %s\n", dir)
				return devcluster.Up(cmd.Context(), dir, cmd.ErrOrStderr())
			}),
		clusterAction("down", "Stop all of it; data stays, jobs do not",
			func(cmd *cobra.Command, dir string) ([]devcluster.Part, error) {
				// An interrupt must not leave half of it running.
				ctx := context.WithoutCancel(cmd.Context())
				if err := devcluster.Down(ctx, dir); err != nil {
					return nil, err
				}
				return devcluster.Status(ctx, dir)
			}),
		clusterAction("status", "Tell what runs, and where",
			func(cmd *cobra.Command, dir string) ([]devcluster.Part, error) {
				return devcluster.Status(cmd.Context(), dir)
			}),
	)
	return cmd
}

func clusterAction(name, short string, act func(*cobra.Command, string) ([]devcluster.Part, error)) *cobra.Command {
	var (
		dir    string
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:     name,
		Short:   short,
		Example: "  tributary cluster " + name,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" {
				var err error
				if dir, err = devcluster.DefaultDir(); err != nil {
					return err
				}
			}
			parts, err := act(cmd, dir)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), parts)
			}
			table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			_, _ = fmt.Fprintln(table, "SERVER\tSTATE\tADDRESS\tLOG")
			for _, part := range parts {
				_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", part.Name, part.State, part.Address, part.Log)
			}
			return table.Flush()
		},
	}
	cmd.Flags().StringVar(&dir, "data", "", "folder of the servers' data and logs (default: tributary/cluster below the user's cache)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "the result as JSON")
	return cmd
}
