package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"tributary/pipelines/sim/demo"
)

func demoCmd() *cobra.Command {
	opt := demo.Default()
	asJSON := false
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show a join of a stream at work, and hold its samples against the truth",
		Long: `Send made-up views and engagements to topics while the join runs, show samples as they
arrive, and hold all that is in the topics against the truth in the end. Then it shows what
there is where nobody knows the truth: an audit of the samples, and what became of one view,
as "tributary audit" and "tributary why" tell it.

Everything happens in this process, the broker included: nothing needs to be there, and
nothing is left. With --real it happens on Kafka and Flink as "cluster up" starts them;
they stay, and "cluster down" stops them.

It fails if a single sample is missing, doubled or other than it must be, or if the audit
finds anything.`,
		Example: `  tributary demo
  tributary demo --views 100000 --seed 7 --for 30s
  tributary demo --json | jq .views
  tributary demo --real --keep made`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := opt.Validate(); err != nil {
				return usageError{err}
			}
			beam.Init()
			// What the runner does is not what is to be seen, nor how it ends when it is stopped.
			slog.SetDefault(slog.New(untilDone{cmd.Context(), slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelError})}))
			opt.Log = cmd.ErrOrStderr()
			if f, ok := opt.Log.(*os.File); ok {
				opt.Terminal = term.IsTerminal(int(f.Fd()))
			}
			r, err := demo.Run(cmd.Context(), opt)
			if err != nil {
				return err
			}
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), r)
			} else {
				err = r.Text(cmd.OutOrStdout())
			}
			if err == nil && !r.Right() {
				return errReported
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.Int64Var(&opt.Views, "views", opt.Views, "how many distinct views")
	flags.Uint64Var(&opt.Seed, "seed", opt.Seed, "where all random numbers come from")
	flags.Var((*durationFlag)(&opt.Sending), "for", "how long views are sent; 0 for as fast as the broker takes them")
	number(flags, &opt.Port, "port", 1, 65535, "port of the broker in this process (default: any free one)")
	flags.BoolVar(&opt.Real, "real", false, "on Kafka and Flink, started if they do not run")
	flags.StringVar(&opt.Cluster, "data", "", "folder of the real servers (default: that of `tributary cluster`)")
	flags.StringVar(&opt.Keep, "keep", "", "folder to leave the made input, its truth and the spec in, and with --real the topics")
	flags.BoolVar(&asJSON, "json", false, "the report as JSON")
	return cmd
}

// untilDone logs until a context ends.
type untilDone struct {
	ctx context.Context
	to  slog.Handler
}

func (h untilDone) Enabled(ctx context.Context, l slog.Level) bool {
	return h.ctx.Err() == nil && h.to.Enabled(ctx, l)
}

func (h untilDone) Handle(ctx context.Context, r slog.Record) error { return h.to.Handle(ctx, r) }

func (h untilDone) WithAttrs(attrs []slog.Attr) slog.Handler {
	return untilDone{h.ctx, h.to.WithAttrs(attrs)}
}

func (h untilDone) WithGroup(name string) slog.Handler { return untilDone{h.ctx, h.to.WithGroup(name)} }
