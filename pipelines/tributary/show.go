package main

import (
	"math"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"tributary/pipelines/report/show"
	"tributary/transforms/recipe"
)

func showCmd() *cobra.Command {
	var opt show.Options
	cmd := &cobra.Command{
		Use:   "show FILE|DIR|PATTERN",
		Short: "Show samples as a table, or whatever else is in a file",
		Long: `Show what is in a file, in all files of a folder or in those that match a
pattern, on a local disk, on gs://, s3:// or az://.

Samples become a table: view, label and delay of each kind, weight, and the view's own
fields as far as there is room. Accounts are added up and shown as in the report. Any
other Avro, JSON or CSV file becomes a table of its records.

With --weights a sample shows how much it counts when a model is trained on it, as a
positive and as a negative, beside what that follows from; in JSON that is a field more.
Recipes, what each needs and which stages it wants: "tributary help weights".

Control characters in the data are written as escapes.`,
		Example: `  tributary show out/samples --positive
  tributary show out/samples --label 'like>=2' --from 2026-01-01T10:00
  tributary show out/samples --kind click --json --limit 0 | jq .view
  tributary show out/samples --weights importance
  tributary show out/ledger`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := opt.Validate(); err != nil {
				return usageError{err}
			}
			if f, ok := cmd.OutOrStdout().(*os.File); ok && opt.Width <= 0 {
				if columns, _, err := term.GetSize(int(f.Fd())); err == nil {
					opt.Width = columns
				}
			}
			return show.Run(cmd.Context(), args[0], opt, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	opt.Limit = 20
	flags := cmd.Flags()
	flags.StringVar(&opt.Kind, "kind", "", "only samples with an engagement of this kind that counts")
	flags.BoolVar(&opt.Positive, "positive", false, "only positive samples")
	flags.BoolVar(&opt.Negative, "negative", false, "only negative samples")
	flags.StringArrayVar(&opt.Labels, "label", nil, "only samples whose label is so: its name, one of = != < <= > >= and a value (may be repeated)")
	flags.StringVar(&opt.From, "from", "", "only views at or after this time, like 2026-01-02T15:04:05Z or 2026-01-02")
	flags.StringVar(&opt.To, "to", "", "only views before this time")
	flags.StringVar(&opt.Weights.Recipe, "weights", "", "weights of samples by this recipe: "+strings.Join(recipe.Names(), ", "))
	flags.StringVar(&opt.Weights.P, "p", "", "the model's prediction that a view is positive in the end, for weights: a number from 0 to 1, or the field of the samples that has it, like view.score")
	flags.StringVar(&opt.Weights.Delayed, "delayed", "", "the prediction that a view becomes positive after the first stage, for weights: as --p")
	flags.Var((*durationFlag)(&opt.Weights.MeanDelay), "mean-delay", "the mean delay of engagements, for weights by a model of the delay")
	flags.Var((*durationFlag)(&opt.Weights.Window), "window", "the longest window, for weights by a model of the delay; without it delays have no end")
	flags.StringVar(&opt.Weights.Target, "target", "", "the label that is a part of a positive, for weights of parts; without it the only one there is")
	number(flags, &opt.Limit, "limit", 0, math.MaxInt, "how many records to show; 0 for all")
	flags.BoolVar(&opt.JSON, "json", false, "whole records as JSON lines")
	number(flags, &opt.Width, "width", 1, mostNumber, "columns of a table; by default those of the terminal, or 80")
	complete(cmd, "weights", recipe.Names()...)
	must(cmd.RegisterFlagCompletionFunc("kind", kindWords))
	return cmd
}
