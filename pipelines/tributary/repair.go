package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/spf13/cobra"

	"tributary/pipelines/repair"
	"tributary/pipelines/spec"
)

// repairTimeout bounds --hanging: the log of the coordinators may be long.
const repairTimeout = 10 * time.Minute

func repairCmd() *cobra.Command {
	var (
		hanging, abortUnknown, asJSON, yes bool
		from, to                           timeFlag
		opt                                repair.CorrectOptions
	)
	cmd := &cobra.Command{
		Use:   "repair SPEC",
		Short: "Correct samples that are out, for engagements that came late; end transactions that nobody ends",
		Long: `Mend what a job cannot mend itself; it may run meanwhile. With --dry-run, say what would be
done and do nothing.

With --late, join the range again in batch with the engagements let in that came late: each
counts for a view in whose window it is, though the view's bucket had closed. Of each view
whose sample is another one then, write that to the topic of samples: under the same key,
with the next version, a header "corrected" that says which labels changed from what to
what, in transactions of its own. Who takes of each view the sample with the highest version
has the right ones: "tributary help outputs" has that rule, in Go, Python and SQL. Views that
came late themselves, by their own partition, stay without a sample, and kinds with credit for
some of the views of a key are refused.

With --from or --to alone, do so by the rules of lateness as they are: correct what an audit
finds. Samples that were corrected with --late stay.

A repair writes what a join of today says, and leaves, and tells of, what that cannot know
better: buckets that a job wrote while the spec meant something else, ids that somebody has
deleted from the topic, and samples and labels that the join does not give: another job may
have written them, or records are gone. --take-back takes those back, in a repair without
--late. Inputs that are compacted are refused: they have lost what the job has read. Late
engagements bring labels and take none: if more than one in a hundred of the samples would
lose one nothing is written. Look at --dry-run first, and say --yes to write.

Both work on whole buckets that the job has completed, as audit does, from inputs that are
still there, and correct a topic of samples with exactly-once delivery; folders are left
(--json and the text say so). A second run finds nothing to do; so does one after a run that
was killed, but for what that had not written. A newer run fences off an older one.

With --hanging, find the transactions that are open in the topics of a spec, inputs and
outputs, and end those that nobody ends: every reader of what is committed stands still
before them, the job among them. "tributary help streams" says how they come about.

Those of which the brokers have lost the end are ended as their coordinator had decided,
committed or aborted, so that nothing is lost or there twice. Those whose writer may go on
are told, and left alone. So are those of which nobody can tell any more how they ended,
unless --abort-unknown says to abort them: "tributary help streams" says what is lost then.

--hanging needs the rights to read all these topics and __transaction_state, to describe the
configuration of brokers, and ClusterAction on the cluster. If some could not be ended, or
are left of which nobody can tell how they ended, it ends with exit code 1.`,
		Example: `  tributary repair stream.yaml --late --dry-run
  tributary repair stream.yaml --late --from 2026-01-01 --to 2026-01-02 --yes
  tributary repair stream.yaml --hanging`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opt.From, opt.To = from.Time, to.Time
			ranged := !from.IsZero() || !to.IsZero()
			switch {
			case hanging && (opt.Late || ranged):
				return usageError{errors.New("--hanging is about transactions: repair samples in another run")}
			case abortUnknown && !hanging:
				return usageError{errors.New("--abort-unknown is of --hanging")}
			case opt.TakeBack && (hanging || opt.Late):
				return usageError{errors.New("--take-back is of a repair of a range without --late: late engagements take nothing back")}
			case !hanging && !opt.Late && !ranged:
				return usageError{errors.New("say what is to be repaired: --late, a range (--from, --to) or --hanging")}
			case !from.IsZero() && !to.IsZero() && !from.Before(to.Time):
				return usageError{fmt.Errorf("--from %s is not before --to %s", from.String(), to.String())}
			case !hanging && (opt.Late || ranged) && !opt.DryRun && !yes:
				return usageError{errors.New("a repair of samples writes to their topic: look at what it says with --dry-run, then add --yes")}
			}
			s, err := spec.Load(args[0])
			if err != nil {
				return err
			}
			if hanging {
				return endHanging(cmd, s, repair.Options{DryRun: opt.DryRun, AbortUnknown: abortUnknown}, asJSON)
			}
			beam.Init()
			show := newProgress(cmd.ErrOrStderr())
			opt.Progress = show.tell
			found, err := repair.Correct(cmd.Context(), s, opt)
			show.finish()
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if asJSON {
				return printJSON(out, found)
			}
			return found.Text(out)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&opt.Late, "late", false, "let engagements count that came late")
	flags.BoolVar(&opt.TakeBack, "take-back", false, "take back samples and labels that the join does not give, whoever has written them")
	flags.BoolVar(&yes, "yes", false, "write corrections of samples, after a look at --dry-run")
	flags.Var(&from, "from", "views from this time on, like 2026-01-02 or 2026-01-02T15:04:05Z (default: all)")
	flags.Var(&to, "to", "views before this time (default: all that is complete)")
	flags.BoolVar(&hanging, "hanging", false, "end transactions that nobody ends any more")
	flags.BoolVar(&abortUnknown, "abort-unknown", false, "abort those of which nobody can tell any more how they ended")
	flags.BoolVar(&opt.DryRun, "dry-run", false, "say what would be done, and do nothing")
	flags.BoolVar(&asJSON, "json", false, "what was found as JSON")
	flags.StringVar(&opt.Scratch, "scratch", "", "a folder on a local disk for what does not fit in memory: the samples of the range twice (default: the system's for temporary files)")
	must(cmd.MarkFlagDirname("scratch"))
	return cmd
}

// endHanging ends transactions that nobody ends.
func endHanging(cmd *cobra.Command, s *spec.Spec, opt repair.Options, asJSON bool) error {
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
}
