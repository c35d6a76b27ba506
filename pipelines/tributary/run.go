package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/spf13/cobra"

	"tributary/io/kafkaio"
	"tributary/pipelines/online"
	"tributary/pipelines/spec"
	"tributary/pipelines/stream"
	"tributary/runners/flink"
	"tributary/runners/local"
)

// Where a stream can run.
const (
	onFlinkCluster = "flink"
	onThisProcess  = "local"
)

func runCmd() *cobra.Command {
	var (
		run       streamRun
		unchecked bool
	)
	cmd := &cobra.Command{
		Use:   "run SPEC",
		Short: "Join views with engagements from topics into labelled samples, as a stream",
		Long: `Join the topics of a spec for as long as they go on, and write each sample exactly once.

On Flink the job is submitted through Beam's job server. With --worker its Go code runs in
the worker pools beside the TaskManagers, and the job outlives this command; without, it
runs in this process, and ends with it. With --on local all of it runs in this process.

What "check --online" looks at is looked at first, and a problem keeps the job from starting.`,
		Example: `  tributary run stream.yaml --on local --until-end
  tributary run stream.yaml --worker 127.0.0.1:50000 --parallelism 2
  tributary run stream.yaml --worker 127.0.0.1:50000 --savepoint file:///savepoints/savepoint-1`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if run.on != onFlinkCluster && run.on != onThisProcess {
				return usageError{fmt.Errorf("--on %s: must be %s or %s", run.on, onFlinkCluster, onThisProcess)}
			}
			beam.Init()
			s, err := spec.Load(args[0])
			if err != nil {
				return err
			}
			if !s.Streams() {
				return usageError{fmt.Errorf("%s reads files: join them with `tributary join`", args[0])}
			}
			if !unchecked {
				if err := run.check(cmd, s); err != nil {
					return err
				}
			}
			return run.start(cmd, s)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&run.on, "on", onFlinkCluster, "where it runs: flink, or local for this process")
	flags.BoolVar(&run.untilEnd, "until-end", false, "end with what is in the topics when it starts")
	flags.BoolVar(&run.newLedger, "new-ledger", false, "accept samples in their topic that an empty ledger knows nothing of")
	flags.BoolVar(&unchecked, "no-check", false, "start without looking at brokers, topics and rights first")
	flags.BoolVar(&run.wait, "wait", false, "follow a job that outlives this command")
	flags.StringVar(&run.flink.REST, "flink", flink.DefaultREST, "address of Flink's REST interface")
	flags.StringVar(&run.flink.JobServer, "jobserver", flink.DefaultJobServer, "address of Beam's job server")
	flags.StringVar(&run.flink.Worker, "worker", "", "address of the worker beside each TaskManager (default: this process)")
	flags.IntVar(&run.flink.Parallelism, "parallelism", 1, "subtasks of each step")
	flags.DurationVar(&run.flink.Checkpoints.Interval, "checkpoint-interval", 10*time.Second, "time between checkpoints")
	flags.StringVar(&run.flink.Savepoint, "savepoint", "", "savepoint or retained checkpoint to resume from")
	return cmd
}

// streamRun is one run of a spec that reads topics.
type streamRun struct {
	on                        string
	untilEnd, newLedger, wait bool
	flink                     flink.Options
}

// check refuses to start what would fail.
func (r *streamRun) check(cmd *cobra.Command, s *spec.Spec) error {
	targets := online.Targets{Progress: waiting(cmd.ErrOrStderr())}
	if r.on == onFlinkCluster {
		targets.Flink, targets.JobServer = r.flink.REST, r.flink.JobServer
	}
	findings := online.Check(cmd.Context(), s, targets)
	if online.Passed(findings) {
		return nil
	}
	tell(cmd.ErrOrStderr(), "%s", online.Text(findings))
	return errReported
}

func (r *streamRun) start(cmd *cobra.Command, s *spec.Spec) error {
	opt := stream.Options{NewLedger: r.newLedger}
	if r.untilEnd {
		opt.Stop = kafkaio.Stop{At: kafkaio.StopAtEnd}
	}
	if r.on == onThisProcess {
		opt.Rest = 100 * time.Millisecond // nobody else waits for the watermark
		opt.Readers = stream.OnPrism
	}
	plan, err := stream.New(cmd.Context(), s, opt)
	if err != nil {
		return err
	}
	if r.on == onThisProcess {
		return stopped(local.Run(cmd.Context(), plan.Pipeline()))
	}
	r.flink.Name = s.Stream.Name
	if err := alone(cmd.Context(), r.flink.REST, s.Stream.Name); err != nil {
		return err
	}
	job, err := flink.Submit(cmd.Context(), plan.Pipeline(), r.flink)
	if err != nil {
		return err
	}
	tell(cmd.ErrOrStderr(), "job %s: %s\n", job.FlinkID, job.URL())
	follow := func(status flink.Status) { tell(cmd.ErrOrStderr(), "%s\n", status) }
	switch {
	case r.untilEnd:
		_, err = job.WaitExhausted(cmd.Context(), follow)
	case r.flink.Worker == "" || r.wait:
		_, err = job.Wait(cmd.Context(), follow)
	}
	err = stopped(err)
	if r.flink.Worker == "" {
		// Its code is in this process: without it the job would fail for ever.
		if status, statusErr := job.Status(context.WithoutCancel(cmd.Context())); statusErr == nil && !status.State.Ended() {
			err = errors.Join(err, job.Cancel(context.WithoutCancel(cmd.Context())))
		}
	}
	return errors.Join(err, job.Close())
}

// alone refuses to start a second job of a name: the two would fence off each other's writers
// again and again, and both would fail for ever.
func alone(ctx context.Context, address, name string) error {
	client, err := flink.NewClient(address)
	if err != nil {
		return usageError{err}
	}
	jobs, err := client.List(ctx)
	if err != nil {
		return err
	}
	for _, job := range jobs {
		if job.Name == name && !job.State.Ended() {
			return fmt.Errorf("job %s of the name %s is %s on this cluster already, and two would fence off each other's writers: end it (tributary job stop %s), or give this one another stream.name", job.ID, name, job.State, job.ID)
		}
	}
	return nil
}

// stopped makes an interrupt a good end: there is no other one for a stream.
func stopped(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
