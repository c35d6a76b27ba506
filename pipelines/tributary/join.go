package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tributary/pipelines/job/batch"
	"tributary/pipelines/spec"
)

func joinCmd() *cobra.Command {
	var (
		opt      = batch.Options{Folders: batch.Folders{Slack: folderSlack}}
		from, to timeFlag
		until    stopFlag
		out      reportFlags
		where    = streamRun{runner: directRunner}
	)
	cmd := &cobra.Command{
		Use:   "join SPEC",
		Short: "Join views with engagements, as far as they go now, into labelled samples",
		Long: `Join the files and topics of a spec into labelled samples, one interval of event time
after another, and report what became of every event. Topics are read from where the spec
says to what is there now, or to --until; the samples are those that a stream would give.

With --runner flink all intervals are joined at once, on as many machines as the cluster has:
the same files of samples, and the same samples in a topic. Each event is read once there,
however long the windows are. The folders of the spec must be the same ones for all workers.

A run that was stopped goes on where it was: what is finished is not joined again
unless its files or the spec have changed. Output files appear whole or not at all.

An input whose path is "-" is stdin, and samples whose path is "-" go to stdout, all at
once when everything has succeeded. The report is on stderr then.

When all of an input is dead, late or unmatched, or more of it than a limit allows, all is
written and reported, and the command ends with exit code 3.`,
		Example: `  tributary join feed.yaml
  tributary join feed.yaml --from 2026-01-01 --to 2026-01-08 --interval 1h
  tributary join feed.yaml --runner flink --worker 127.0.0.1:50000 --parallel 2
  tributary join feed.yaml --json | jq .accounts.views
  zcat views.jsonl.gz | tributary join piped.yaml > samples.jsonl
  tributary join feed.yaml --html report.html --max-dead 1% --max-unmatched 5%`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opt.From, opt.To, opt.Until = from.Time, to.Time, until.Stop
			if !from.IsZero() && !to.IsZero() && !from.Before(to.Time) {
				return usageError{fmt.Errorf("--from %s is not before --to %s", from.String(), to.String())}
			}
			if cmd.Flags().Changed("interval") && opt.Interval < time.Second {
				return usageError{fmt.Errorf("--interval %s: must be a second or more", spec.FormatDuration(opt.Interval))}
			}
			if err := where.checkFlags(); err != nil {
				return err
			}
			s, err := where.load(args[0])
			if err != nil {
				return err
			}
			if err := where.checkCommands(s); err != nil {
				return err
			}
			if where.runner == flinkRunner {
				where.flink.Parallelism = max(opt.Parallel, 1)
				opt.Runner = where.onceOnFlink(s)
			}
			beam.Init()
			return join(cmd, s, opt, &out)
		},
	}
	flags := cmd.Flags()
	word(cmd, &where.runner, "runner", []string{directRunner, flinkRunner}, "where it runs: direct for this process, or flink")
	where.addFlinkFlags(cmd)
	flags.Var(&from, "from", "join views from this time on, like 2026-01-02 or 2026-01-02T15:04:05Z (default: all)")
	flags.Var(&to, "to", "join views before this time (default: all)")
	flags.Var(&until, "until", "of topics, read up to the first record that Kafka has stamped with this time: end, or a time that has passed (default: what is there)")
	flags.Var((*durationFlag)(&opt.Interval), "interval", "length of an interval of event time (default: the longest that fits in memory, up to 24h)")
	number(flags, &opt.Parallel, "parallel", 1, mostNumber, "intervals joined at once (default: one a processor); on Flink, subtasks of each step (default: 1)")
	flags.BoolVar(&opt.Folders.Trust, "trust-folders", false, "leave files unread whose folder (dt=2026-01-02, hour=05 in it) is outside of --from and --to; labels are missing where records are not where their folder says")
	flags.Var((*durationFlag)(&opt.Folders.Slack), "folder-slack", "with --trust-folders, how far from the time of its folder a record may be")
	flags.BoolVar(&opt.Again, "force", false, "join finished intervals again")
	flags.BoolVar(&opt.Prune, "prune", false, "remove files of an earlier run from times that the inputs no longer reach to")
	out.add(cmd)
	return cmd
}

// checkFlags refuses flags that say nothing of the runner that was chosen.
func (r *streamRun) checkFlags() error {
	var err error
	r.flinkFlags.VisitAll(func(f *pflag.Flag) {
		if err == nil && f.Changed && r.runner != flinkRunner {
			err = usageError{fmt.Errorf("--%s is for --runner %s, and this is --runner %s", f.Name, flinkRunner, r.runner)}
		}
	})
	return err
}

// folderSlack is how far from the time of its folder a record may be, where folders are believed.
const folderSlack = 24 * time.Hour

// join joins a spec as far as it goes, and prints the report.
func join(cmd *cobra.Command, s *spec.Spec, opt batch.Options, out *reportFlags) error {
	if err := checkHTML(cmd.Context(), out.html, s); err != nil {
		return err
	}
	tell(cmd.ErrOrStderr(), "%s", warnings(s))
	pipes, err := openPipes(cmd, s, &opt)
	if err != nil {
		return err
	}
	show := newProgress(cmd.ErrOrStderr())
	opt.Progress = show.tell
	r, err := batch.Run(cmd.Context(), s, opt)
	show.finish()
	if errors.Is(err, context.Canceled) && s.WritesStdout() {
		return errors.New("stopped, before any samples were written to stdout")
	}
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("stopped, %s; the same command goes on from there", show.intervals())
	}
	if err != nil {
		return err
	}
	pipes.end(cmd)
	return out.print(cmd.Context(), pipes.results, r)
}

// warnings are the spec's warnings as they are printed before work begins.
func warnings(s *spec.Spec) string {
	if len(s.Warnings) == 0 {
		return ""
	}
	return s.Warnings.Error() + "\n"
}
