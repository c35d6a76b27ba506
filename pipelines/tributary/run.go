package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/zeebo/xxh3"

	"tributary/io/kafkaio/source"
	"tributary/pipelines/job/batch"
	"tributary/pipelines/job/preflight"
	"tributary/pipelines/job/stream"
	"tributary/pipelines/spec"
	"tributary/runners"
	"tributary/runners/flink"
)

func runCmd() *cobra.Command {
	run := streamRun{}
	cmd := &cobra.Command{
		Use:   "run SPEC",
		Short: "Join views with engagements from topics into labelled samples, as a stream",
		Long: `Join the topics of a spec for as long as they go on, and write each sample exactly once.

On Flink the job is submitted through Beam's job server. With --worker its Go code runs in
the worker pools beside the TaskManagers, and the job outlives this command; without, it
runs in this process, and ends with it. With --runner prism all of it runs in this process.
The direct runner joins what is there now, or up to --until, as "tributary join" does. A
spec of files is joined on Flink, as "tributary join --runner flink" does, and one of stdin
or stdout in this process.

A job that has written samples is not begun again. It goes on with --resume:
  log    begins anew from what its topics hold, with no state at all. The commit log says
         which samples are complete, the time index where the rest begins. Parallelism and
         shards may be other ones, and so may windows, kinds, schemas and the versions of
         everything: what is written stays, and all else is as the spec says now
  last   goes on from the newest savepoint or checkpoint that Flink knows of
  PATH   goes on from that savepoint or retained checkpoint. Only if the spec means what it
         did; views keep the schema that they have in it
Each gives the same samples, each exactly once. Late records, dead letters and orphans may
be written again; their key, the record's place in the log, tells.

A run that ends with --until decides what no later record can change: views whose windows
the watermark of the log has passed. The rest is for the run that goes on with --resume log.
With --drain it is decided as well, as if the log was finished there: the samples tell how
much of their windows was seen, and a run that goes on all the same writes those that change
once more, as their next version.

What "check --online" looks at is looked at first, and a problem keeps the job from starting.`,
		Example: `  tributary run stream.yaml --runner prism --until end
  tributary run finished.yaml --runner prism --until end --drain
  tributary run stream.yaml --worker 127.0.0.1:50000 --parallelism 2
  tributary run stream.yaml --worker 127.0.0.1:50000 --resume log
  tributary run stream.yaml --worker 127.0.0.1:50000 --resume file:///savepoints/savepoint-1`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return run.run(cmd, args[0]) },
	}
	flags := cmd.Flags()
	run.runner = flinkRunner
	word(cmd, &run.runner, "runner", runnerNames(), "where it runs: flink, or prism or direct for this process; direct joins what has an end")
	flags.StringVar(&run.resume, "resume", "", "what a job that has run before goes on from: log, last or the path of a savepoint (default: where the spec starts)")
	flags.Var(&run.until, "until", "end before the first record that Kafka has stamped with this time, or with what is there when it starts: end, or a time that has passed")
	flags.BoolVar(&run.drain, "drain", false, "with --until: decide also what later records could still change")
	flags.BoolVar(&run.newCommitLog, "new-commit-log", false, "accept samples in their topic that an empty commit log knows nothing of")
	complete(cmd, "resume", resumeLog, resumeLast)
	complete(cmd, "until", string(source.StopAtEnd))
	run.addJobFlags(cmd)
	return cmd
}

// streamRun is one run of a spec that reads topics.
type streamRun struct {
	runner, resume      string
	until               stopFlag
	newCommitLog, drain bool
	wait, unchecked     bool
	flink               flink.Options
	flinkFlags          pflag.FlagSet // those that say something of Flink
}

// stopFlag says where reading ends: at the end of the topics as they are, or at a time.
type stopFlag struct{ source.Stop }

func (f *stopFlag) Set(text string) (err error) {
	if text == string(source.StopAtEnd) {
		f.At = source.StopAtEnd
		return nil
	}
	f.At = source.StopAtTime
	if f.Time, err = spec.ParseTime(text); err != nil {
		return fmt.Errorf("must be %s, or: %w", source.StopAtEnd, err)
	}
	if f.Time.After(time.Now()) {
		return errors.New("that time has not come yet")
	}
	return nil
}

func (f *stopFlag) String() string {
	if f.At != source.StopAtTime {
		return string(f.At)
	}
	return f.Time.Format(time.RFC3339)
}

func (f *stopFlag) Type() string { return "end|time" }

// addJobFlags adds the flags that all commands have which start streams.
func (r *streamRun) addJobFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&r.unchecked, "no-check", false, "start without looking at brokers, topics and rights first")
	flags.BoolVar(&r.wait, "wait", false, "follow a job that outlives this command")
	r.flink.Parallelism = 1
	number(flags, &r.flink.Parallelism, "parallelism", 1, mostNumber, "subtasks of each step")
	r.addFlinkFlags(cmd)
}

// addFlinkFlags adds the flags that say where Flink is and how it runs a job.
func (r *streamRun) addFlinkFlags(cmd *cobra.Command) {
	r.flink.Checkpoints.Interval = 10 * time.Second
	flags := &r.flinkFlags
	flags.SortFlags = false
	flags.StringVar(&r.flink.REST, "flink", flink.DefaultREST, "address of Flink's REST interface")
	flags.StringVar(&r.flink.JobServer, "jobserver", flink.DefaultJobServer, "address of Beam's job server")
	flags.StringVar(&r.flink.Worker, "worker", "", "address of the worker beside each TaskManager (default: this process)")
	flags.StringVar(&r.flink.WorkerTokenFile, "worker-token-file", "", "file of the token that the workers were started with, its first line (default: none)")
	flags.Var((*durationFlag)(&r.flink.Checkpoints.Interval), "checkpoint-interval", "time between checkpoints")
	cmd.Flags().AddFlagSet(flags)
}

// What a run can resume from, beside a path.
const (
	resumeLog  = "log"
	resumeLast = "last"
)

func (r *streamRun) run(cmd *cobra.Command, file string) error {
	s, err := r.load(file)
	if err == nil && !cmd.Flags().Changed("runner") && !s.ReadsTopics() && (s.ReadsStdin() || s.WritesStdout()) {
		r.runner = directRunner // which is the only one that has them
	}
	limits := r.on().Limits()
	if r.resume != "" && r.resume != resumeLog && limits.NoState {
		return usageError{fmt.Errorf("--resume %s: what runs in this process has no savepoints; use --resume %s", r.resume, resumeLog)}
	}
	if r.resume != "" && r.resume != resumeLog && r.resume != resumeLast && !strings.Contains(r.resume, "/") {
		return usageError{fmt.Errorf("--resume %s: must be %s, %s or a path", r.resume, resumeLog, resumeLast)}
	}
	if r.drain && r.until.At == source.StopNever {
		return usageError{errors.New("--drain: only a run that ends can decide all; give --until as well")}
	}
	if r.until.At != source.StopNever && r.resume != "" && r.resume != resumeLog {
		return usageError{fmt.Errorf("--resume %s: a run that goes on from state reads as far as the one before was to; with --until, use --resume %s", r.resume, resumeLog)}
	}
	beam.Init()
	if err != nil {
		return err
	}
	if limits.Bounded || !limits.Small && !s.ReadsTopics() {
		return r.joinAll(cmd, s)
	}
	if !s.ReadsTopics() {
		return usageError{fmt.Errorf("%s reads files, which have an end: join them with `tributary join`, or with --runner %s or %s", file, directRunner, flinkRunner)}
	}
	if err := r.checkCommands(s); err != nil {
		return err
	}
	opt := r.options(limits)
	if opt.Resume != stream.FromLog {
		if err := r.check(cmd, s); err != nil {
			return err
		}
	}
	if r.runner == flinkRunner {
		if err := r.succeed(cmd, s.Stream.Name); err != nil {
			return err
		}
	}
	plan, err := stream.New(cmd.Context(), s, opt)
	if err != nil {
		return err
	}
	if opt.Resume == stream.FromLog {
		tell(cmd.ErrOrStderr(), "resuming from the log: %s\n", plan.Resumed())
		// Not before: the commit log has got what it lacked for more shards.
		if err := r.check(cmd, s); err != nil {
			return err
		}
	}
	if plan.KeptSchema() {
		tell(cmd.ErrOrStderr(), "views keep the schema that the state has, though the registry has a newer one: --resume log takes that one\n")
	}
	if end := plan.End(); end != nil {
		tell(cmd.ErrOrStderr(), "this run ends: %s\n", end)
	}
	return r.start(cmd, s, plan)
}

// load reads a spec. Workers have a folder of their own to start paths from, so its paths have to be whole.
func (r *streamRun) load(file string) (*spec.Spec, error) {
	if r.runner == flinkRunner && r.flink.Worker != "" {
		whole, err := filepath.Abs(file)
		if err != nil {
			return nil, err
		}
		file = whole
	}
	return spec.Load(file)
}

// checkCommands refuses a spec whose commands no worker would run.
func (r *streamRun) checkCommands(s *spec.Spec) error {
	if r.runner == flinkRunner && r.flink.Worker != "" && r.flink.WorkerTokenFile == "" && s.RunsCommands() {
		return usageError{fmt.Errorf("%s has commands that print tokens, and workers run none for jobs that prove nothing: start them with --token-file, and give --worker-token-file here", s.File)}
	}
	return nil
}

// joinAll joins what has an end: on the direct runner one interval of event time after another, on others all at once.
func (r *streamRun) joinAll(cmd *cobra.Command, s *spec.Spec) error {
	if r.resume != "" || r.drain {
		return usageError{errors.New("what has an end is joined as a whole, each time: leave out --resume and --drain")}
	}
	opt := batch.Options{Until: r.until.Stop, Folders: batch.Folders{Slack: folderSlack}}
	switch r.runner {
	case directRunner:
	case flinkRunner:
		opt.Runner = r.onceOnFlink(s)
	default:
		opt.Runner = r.on()
	}
	return join(cmd, s, opt, &reportFlags{})
}

// onceOnFlink is Flink for a join of a spec that ends. The job has a name by its accounts, whose folder the run has for
// itself: another job of the name is one that a run left which was killed.
func (r *streamRun) onceOnFlink(s *spec.Spec) runners.Runner {
	opt := r.flink.Bounded()
	folder := s.Outputs.Accounts
	if !strings.Contains(folder, "://") {
		if whole, err := filepath.Abs(folder); err == nil {
			folder = whole
		}
	}
	opt.Name = fmt.Sprintf("join-%s-%08x", filepath.Base(s.File), uint32(xxh3.HashString(folder)))
	return flink.Runner{Options: opt}
}

func (r *streamRun) options(limits runners.Limits) stream.Options {
	opt := stream.Options{Readers: limits.Readers, Rest: limits.Rest, NewCommitLog: r.newCommitLog, Stop: r.until.Stop, Drain: r.drain}
	switch r.resume {
	case "":
	case resumeLog:
		opt.Resume = stream.FromLog
	default:
		opt.Resume = stream.FromState
	}
	return opt
}

// succeed makes sure that the last run on Flink has ended, and finds the state it left if
// that is what this one goes on from.
func (r *streamRun) succeed(cmd *cobra.Command, name string) error {
	client, err := flink.NewClient(r.flink.REST)
	if err != nil {
		return usageError{err}
	}
	switch r.resume {
	case "", resumeLog:
	case resumeLast:
		state, err := client.LastState(cmd.Context(), name)
		if err != nil {
			return err
		}
		tell(cmd.ErrOrStderr(), "resuming from %s\n", state)
		r.flink.Savepoint = state.Path
		return nil
	default:
		r.flink.Savepoint = r.resume
	}
	return client.EnsureEnded(cmd.Context(), name)
}

// check refuses to start what would fail, unless it was told not to look.
func (r *streamRun) check(cmd *cobra.Command, s *spec.Spec) error {
	if r.unchecked {
		return nil
	}
	targets := preflight.Targets{Progress: waiting(cmd.ErrOrStderr())}
	if r.runner == flinkRunner {
		targets.Flink, targets.JobServer = r.flink.REST, r.flink.JobServer
		targets.Worker, targets.WorkerTokenFile = r.flink.Worker, r.flink.WorkerTokenFile
	}
	findings := preflight.Check(cmd.Context(), s, targets)
	if preflight.Passed(findings) {
		return nil
	}
	tell(cmd.ErrOrStderr(), "%s", preflight.Text(findings))
	return errReported
}

func (r *streamRun) start(cmd *cobra.Command, s *spec.Spec, plan *stream.Plan) error {
	r.flink.Name = s.Stream.Name
	job, err := r.on().Start(cmd.Context(), plan.Pipeline())
	if err != nil {
		return err
	}
	if where := job.String(); where != "" {
		tell(cmd.ErrOrStderr(), "%s\n", where)
	}
	exhausted := r.until.At != source.StopNever
	if exhausted || r.wait || !job.Outlives() {
		err = stopped(job.Wait(cmd.Context(), exhausted, func(status runners.Status) { tell(cmd.ErrOrStderr(), "%s\n", status) }))
	}
	return errors.Join(err, job.Close(context.WithoutCancel(cmd.Context())))
}

// stopped makes an interrupt a good end: there is no other one for a stream.
func stopped(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
