package main

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/spf13/cobra"

	"tributary/io/kafkaio/cluster"
	"tributary/pipelines/metrics"
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

Without a token, anybody who reaches the address can have the binary's code run: read what
its user may read, and send it anywhere. So on an address that other machines reach it needs
--token-file, the file of a token that "run" is given too (--worker-token-file), or else
--let-anyone-run-code. The file may have several tokens, a line each, while they change.
Flink and its workers talk without encryption: the token keeps out who can connect, not who
can read along, so keep the network between them to themselves all the same. A worker
without a token runs no commands for tokens of brokers (help signing-in).

It stops on an interrupt or SIGTERM. Its jobs then fail, and restart from their last
checkpoint when a worker is back at the address.`,
		Example: `  tributary worker --listen 127.0.0.1:50000
  tributary worker --listen 127.0.0.1:50000 --health 0.0.0.0:9100
  curl 127.0.0.1:9100/metrics
  openssl rand -hex 32 >token
  tributary worker --listen 0.0.0.0:50000 --token-file token
  tributary worker --pprof 127.0.0.1:6060`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			beam.Init()
			if opt.TokenFile == "" {
				cluster.DenyCommands()
			}
			opt.Meter = meterOf
			opt.Log = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
			err := flink.Worker(cmd.Context(), opt)
			if errors.Is(err, flink.ErrOpen) {
				return usageError{fmt.Errorf("%w: give a --token-file, listen on 127.0.0.1, or say --let-anyone-run-code", err)}
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&opt.Listen, "listen", "127.0.0.1:50000", "address for TaskManagers")
	flags.StringVar(&opt.TokenFile, "token-file", "", "file of tokens, a line each; a job's submitter must know one (default: none is needed)")
	flags.BoolVar(&opt.Open, "let-anyone-run-code", false, "take jobs of anybody who reaches the address from other machines, without a token")
	flags.StringVar(&opt.Health, "health", "", "address for /healthz and /metrics over HTTP (default: none)")
	flags.StringVar(&opt.Profiles, "pprof", "", "address on loopback for /debug/pprof/ over HTTP; profiles hold records (default: none)")
	return cmd
}

// meterOf is what a worker of a version counts in.
func meterOf(version string) *flink.Meter {
	m := metrics.NewWorker(version)
	return &flink.Meter{Gatherer: m.Registry, Harnesses: m.Harnesses, Started: m.Started, Failed: m.Failed, Refused: m.Refused}
}
