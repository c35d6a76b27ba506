package main

import (
	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/spf13/cobra"

	"tributary/pipelines/advise"
	"tributary/pipelines/spec"
)

func adviseCmd() *cobra.Command {
	var (
		opt    advise.Options
		asJSON bool
	)
	catch, late := rateFlag(advise.DefaultCatch), rateFlag(advise.DefaultLate)
	cmd := &cobra.Command{
		Use:   "advise SPEC",
		Short: "Tell what other windows and times would catch, cost and lose, and which lines to change",
		Long: `Tell what another window, out_of_orderness, stage, bucket, or number of shards or readers
would give, cost and lose, by the records that a spec reads: files, and topics up to where
they end now.

Of each kind it tells the share of engagements that each window catches, with 95 % bounds,
and for each window, and each out_of_orderness, the numbers that the accounts of a join
with it would have: caught, outside, orphans, late, and fake negatives: views without a
label of which the data hold an engagement all the same, late or beyond the window. These
are computed of the times of all records, and are exact; of very many events, those of a
part of the ids are kept, and numbers have bounds. How long samples take, and how much
waits meanwhile, is by models: of window + out_of_orderness + bucket, and of the rates and
sizes that were read.

It advises the shortest window that catches --catch of the engagements, and the least
out_of_orderness by which no more than --late is late, where the bounds say that what there
is misses that, or that less is enough; with the line of the spec to change, and what a join
with all of it would count. No window over a quarter of the time of the data is advised. What comes later than half of the time of the
data after its view cannot be told, nor what names a view before the data.

Each input is read once, and nothing is written. At most 2 million events are kept, which
takes some 400 MB in all. A kind that counts after another one (credit: {after: click}) is
refused: what it counts for depends on the windows of both. So are accounts without the
inputs: they know nothing of longer windows.`,
		Example: `  tributary advise feed.yaml
  tributary advise feed.yaml --catch 95% --late 1%
  tributary advise feed.yaml --json | jq .advice`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := spec.Load(args[0])
			if err != nil {
				return err
			}
			beam.Init()
			show := newProgress(cmd.ErrOrStderr())
			opt.Progress, opt.Catch, opt.Late = show.tell, float64(catch), float64(late)
			r, err := advise.Run(cmd.Context(), s, opt)
			show.finish()
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if asJSON {
				return r.JSON(out)
			}
			return r.Text(out, width(out))
		},
	}
	flags := cmd.Flags()
	flags.Var(&catch, "catch", "the share of engagements that a window is to catch")
	flags.Var(&late, "late", "the share of records that may be late")
	flags.BoolVar(&asJSON, "json", false, "the result as JSON, every row of it")
	return cmd
}
