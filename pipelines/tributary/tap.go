package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"tributary/pipelines/spec"
	"tributary/pipelines/tap"
)

// usualRate is as many lines a second as somebody can follow.
const usualRate = 20

func tapCmd() *cobra.Command {
	opt := tap.Options{Rate: usualRate}
	var (
		only  [5]bool
		since string
	)
	cmd := &cobra.Command{
		Use:   "tap SPEC",
		Short: "Show what a stream writes while it writes it: samples, changes, late records, dead letters, orphans",
		Long: `Show what a stream writes to its topics, a line a record, from now on until ctrl-C: samples;
changes, which are samples of a later stage or version, or written by "tributary repair", with
what changed; late records, dead letters and orphans, with their reasons. The first word of a
line says which it is. It reads what is committed, in no group, and writes nothing.

No more than --rate lines are shown in a second. What is left out is counted and told, and a
last line on stderr says how many were shown and left out. Long values are cut, but not with
--json. With --mask there are ids, times, labels and reasons only: no field of a view, and
nothing of a record.

--id is the id of a view as samples have it; a late or dead record is shown if a field of it
is that. Labels of views are remembered for the last 10,000, so that a change can say what they
were. Partitions that are added meanwhile are not seen. Samples in Avro without a registry are
read by the schema that the spec has for them now.`,
		Example: `  tributary tap stream.yaml
  tributary tap stream.yaml --dead --late --mask
  tributary tap stream.yaml --since 1h --id v1 --id v2
  tributary tap stream.yaml --changed --kind buy --json | jq -c '[.view_id, .labels_before, .labels]'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			for i, w := range tap.All() {
				if only[i] {
					opt.What = append(opt.What, w)
				}
			}
			if since != "" && opt.FromBeginning {
				return usageError{errors.New("--since and --from-beginning say different beginnings: give one")}
			}
			var err error
			if opt.Since, err = sinceTime(since, time.Now()); err != nil {
				return usageError{err}
			}
			s, err := spec.Load(args[0])
			if err != nil {
				return err
			}
			t, err := tap.New(s, opt)
			if err != nil {
				return usageError{err}
			}
			return t.Run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&only[0], "samples", false, "show samples (default: all that there is)")
	flags.BoolVar(&only[1], "changed", false, "show changes of samples")
	flags.BoolVar(&only[2], "late", false, "show late records")
	flags.BoolVar(&only[3], "dead", false, "show dead letters")
	flags.BoolVar(&only[4], "orphans", false, "show orphans")
	flags.StringArrayVar(&opt.IDs, "id", nil, "show what has that id; may be given several times (default: all)")
	flags.StringVar(&opt.Kind, "kind", "", "show rejected records of that kind of engagement, and samples with that label (default: all)")
	number(flags, &opt.Rate, "rate", 0, mostNumber, "how many lines are shown in a second; 0 for all")
	number(flags, &opt.Count, "count", 0, mostNumber, "end after so many lines; 0 for never")
	flags.StringVar(&since, "since", "", "show what was written since then: a time, or a duration before now (default: from now on)")
	flags.BoolVar(&opt.FromBeginning, "from-beginning", false, "show all that the topics hold")
	flags.BoolVar(&opt.Mask, "mask", false, "show ids, times, labels and reasons only")
	flags.BoolVar(&opt.JSON, "json", false, "each record as JSON, an object a line")
	return cmd
}

// sinceTime is a time, or one a duration before now; zero for an empty text.
func sinceTime(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := spec.ParseDuration(text); err == nil {
		return now.Add(-d), nil
	}
	t, err := spec.ParseTime(text)
	if err != nil {
		return time.Time{}, errors.New("--since is not a duration like 30m, nor a time like 2026-01-02 or 2026-01-02T15:04:05Z")
	}
	return t, nil
}
