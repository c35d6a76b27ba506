// Command benchstream measures the join of topics beside its controls, the same join in Flink
// SQL and in Kafka Streams, and beside a floor, a copy of the topics: on the same topics, the same
// machine, in the same run, in turns; and likewise the join of files beside DuckDB.
//
//	main.go        the command line; run.go: the turns; systems.go: who has them
//	traffic.go     the log; topics.go: its topics; cluster.go: the servers of a side
//	ours.go, control.go, streams.go, copy.go: the sides; stages.go: ours in stages; running.go: a job on Flink; program.go: one elsewhere
//	throughput.go, state.go, delay.go, soak.go: what is measured; samples.go: whether it is right
//	batch.go       the join of files beside DuckDB; contestants.go, contestflink.go: who joins; batchsamples.go: whether it is right;
//	batchreport.go: the result
//	process.go, profile.go: processes; scale.go: what it would take at size
//	report.go, table.go, plot.go: the result
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/spf13/cobra"

	"tributary/runners/devcluster/services"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchstream:", err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use: "benchstream", Args: cobra.NoArgs, SilenceUsage: true, SilenceErrors: true,
		Short: "Measure the join of topics beside the same join in Flink SQL and in Kafka Streams",
		RunE: func(cmd *cobra.Command, _ []string) error {
			beam.Init()
			report, err := o.report(cmd.Context())
			if err != nil {
				return err
			}
			return o.print(cmd.OutOrStdout(), report)
		},
	}
	cmd.AddCommand(&cobra.Command{
		Use: workerCommand, Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			beam.Init()
			return runWorker(cmd.Context())
		},
	})
	cmd.AddCommand(soakCommand(), batchCommand())
	cmd.AddCommand(&cobra.Command{
		Use: joinCommand, Hidden: true, Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			beam.Init()
			return runJoin(cmd.Context(), args[0], services.Address(strings.Join(args[1:], " ")))
		},
	})
	cmd.AddCommand(&cobra.Command{
		Use: copyCommand, Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runCopy(cmd.Context(), args[0]) },
	})
	flags := cmd.Flags()
	flags.Int64Var(&o.events, "events", 4_000_000, "events that our side and the copies read")
	flags.Int64Var(&o.controlEvents, "control-events", 600_000, "first of them, that the controls read")
	flags.Int64Var(&o.warmup, "warmup-events", 50_000, "events that Flink SQL warms up with; 0: no side warms up")
	flags.IntSliceVar(&o.parallelisms, "parallelism", []int{1, 2}, "parallelisms to measure at")
	flags.DurationVar(&o.delayFor, "delay", 150*time.Second, "for how long delays are measured; 0: not at all")
	flags.Float64Var(&o.rate, "rate", 0, "events per second to measure delays at (default: a quarter of what was managed)")
	flags.Float64Var(&o.density, "density", logDensity, "views per second of event time in the log that throughput is measured with")
	flags.BoolVar(&o.state, "state", true, "measure state")
	flags.BoolVar(&o.stages, "stages", false, "measure ours with stages, too")
	flags.StringArrayVar(&o.only, "only", nil, "measure only the system of this name, or else those whose names contain it; may be repeated")
	flags.BoolVar(&o.json, "json", false, "the result as JSON")
	flags.StringVar(&o.plot, "plot", "", "image to draw the result into, like result.svg")
	flags.StringVar(&o.profile, "profile", "", "folder to write profiles of our side's throughput to, worker.pprof and taskmanager.jfr")
	flags.StringVar(&o.from, "from", "", "print the result of an earlier run, a file that --json wrote, and measure nothing")
	flags.StringVar(&o.data, "data", "", "folder of the servers' data and logs (default: a temporary one)")
	return cmd
}
