package main

import (
	"log/slog"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/spf13/cobra"

	"tributary/runners/flink"
)

func workerCmd() *cobra.Command {
	var opt flink.WorkerOptions
	cmd := &cobra.Command{
		Use:   "worker --listen ADDR",
		Short: "Run the Go code of jobs on Flink, beside a TaskManager",
		Long: `Run the Go code of jobs on Flink. One worker stands beside each TaskManager, serves any
number of jobs, and must be the same binary that submits them: it refuses the jobs of
another one, and they fail with both versions in their error.

It stops on an interrupt or SIGTERM. Its jobs then fail, and restart from their last
checkpoint when a worker is back at the address.`,
		Example: `  tributary worker --listen 127.0.0.1:50000
  tributary worker --listen 127.0.0.1:50000 --health 0.0.0.0:9100
  curl 127.0.0.1:9100/metrics`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			beam.Init()
			opt.Log = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
			return flink.Worker(cmd.Context(), opt)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&opt.Listen, "listen", "127.0.0.1:50000", "address for TaskManagers; whoever reaches it can run this binary's code")
	flags.StringVar(&opt.Health, "health", "", "address for /healthz, /metrics and /debug/pprof/ over HTTP (default: none)")
	return cmd
}
