package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"tributary/pipelines/sim/generate"
)

func generateCmd() *cobra.Command {
	c := generate.Default()
	start := timeFlag{c.Start}
	window := durationFlag(30 * time.Minute)
	kinds := "like:10%:median=22s,sigma=1.2 share:1% purchase:0.5%:amount=20"
	order := string(c.Order)
	asJSON := false
	cmd := &cobra.Command{
		Use:   "generate --out DIR",
		Short: "Make views and engagements whose right samples are known",
		Long: `Make up views and engagements, with the faults of real logs at the rates you ask for,
and write them as Avro files, together with the truth:

  DIR/views/, DIR/engagements/   the input: part-PARTITION-NUMBER.avro
  DIR/truth/                     one record for each view that must become a sample
  DIR/truth.json                 the counts that the join's accounts must arrive at
  DIR/spec.yaml                  the spec that joins it all

The same flags and seed give the same bytes, on any number of cores. A rate is like
10% or 0.1. What an earlier run left in DIR is replaced.`,
		Example: `  tributary generate --out made && tributary join made/spec.yaml
  tributary generate --out made --views 50000000 --duration 1d
  tributary generate --out hard --order file --disorder 50s --clock-skew 2s \
      --duplicates 1% --late 1% --orphans 1% --malformed 0.1% --early 5% --edges 5%
  tributary generate --out shop --kinds 'click:3%:median=8s buy:0.2%:window=1d,median=1h,amount=40'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.Start, c.Order = start.Time, generate.Order(order)
			var err error
			if c.Kinds, err = generate.ParseKinds(kinds, time.Duration(window)); err != nil {
				return usageError{err}
			}
			if c.Out == "" {
				return usageError{errors.New("--out is missing: the folder to write to")}
			}
			if err := c.Validate(); err != nil {
				return usageError{err}
			}
			began := time.Now()
			show := newMeter(cmd.ErrOrStderr())
			show.begin("making events", countsEvents, c.ExpectedEvents())
			truth, err := generate.Run(cmd.Context(), c, show.at)
			show.end()
			if err != nil {
				return err
			}
			made := summary{Out: c.Out, Events: truth.Events(), Seconds: time.Since(began).Seconds(), Truth: truth}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), made)
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), made.text(c.Spec))
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&c.Out, "out", "", "the folder to write to, local, gs://, s3:// or az://; required")
	flags.Uint64Var(&c.Seed, "seed", c.Seed, "where all random numbers come from")
	flags.Int64Var(&c.Views, "views", c.Views, "how many distinct views")
	flags.Var(&start, "start", "event time of the first view")
	flags.Var((*durationFlag)(&c.Duration), "duration", "span of the views' event times")
	flags.Float64Var(&c.Diurnal, "diurnal", c.Diurnal, "how much the rate of views swings over a day, from 0 to 1; it is highest at 18:00 UTC")
	flags.StringVar(&kinds, "kinds", kinds, "kinds of engagement, NAME:RATE[:OPTION=VALUE,...]; options: window, median and sigma of the log-normal delay, repeat (rate of another one), amount (mean)")
	flags.Var(&window, "window", "attribution window of kinds that do not name theirs")
	flags.Int64Var(&c.Users, "users", c.Users, "how many users there are")
	flags.Int64Var(&c.Items, "items", c.Items, "how many items there are")
	flags.Float64Var(&c.Zipf, "zipf", c.Zipf, "exponent of the Zipf distributions of users and items, over 1")
	flags.IntVar(&c.Partitions, "partitions", c.Partitions, "partitions of views, and of engagements")
	flags.StringVar(&order, "order", order, "none: files have no order, nothing is late; file: each partition is one file, in order")
	flags.StringVar(&c.Codec, "codec", c.Codec, "compression of the files: null, deflate, snappy or zstandard")
	flags.Int64Var(&c.FileRecords, "file-records", c.FileRecords, "records in a file, without an order")
	flags.BoolVar(&c.Evolve, "evolve", false, "write every other partition with an older schema")
	flags.BoolVar(&c.ViewTime, "view-time", false, "put the view's time into its engagements")
	flags.Var((*durationFlag)(&c.OutOfOrderness), "out-of-orderness", "out-of-orderness that the join is to allow")
	flags.Var((*durationFlag)(&c.ClockSkew), "clock-skew", "clock skew that the join is to tolerate")
	flags.Var((*durationFlag)(&c.DuplicatesWithin), "duplicates-within", "how far apart in event time duplicates of a view may be")
	flags.Var((*durationFlag)(&c.Disorder), "disorder", "how far records are displaced in event time; less than the out-of-orderness")
	flags.Var((*rateFlag)(&c.Duplicates), "duplicates", "rate of views and engagements that come twice")
	flags.Var((*rateFlag)(&c.Late), "late", "rate of views and engagements held back until they are late; only displaced without an order")
	flags.Var((*rateFlag)(&c.Orphans), "orphans", "rate of engagements that bring along one whose view never comes")
	flags.Var((*rateFlag)(&c.Malformed), "malformed", "rate of views and engagements that bring along a record of no use")
	flags.Var((*rateFlag)(&c.Early), "early", "rate of engagements stamped before their view, within the clock skew")
	flags.Var((*rateFlag)(&c.Edges), "edges", "rate of engagements at an exact edge of the attribution window")
	flags.IntVar(&c.CorruptBlocks, "corrupt-blocks", 0, "how many blocks of views cannot be read")
	flags.BoolVar(&c.Spec, "spec", c.Spec, "write spec.yaml, too")
	flags.BoolVar(&asJSON, "json", false, "what was made as JSON")
	complete(cmd, "order", string(generate.OrderNone), string(generate.OrderFile))
	complete(cmd, "codec", generate.Codecs...)
	return cmd
}

// summary says what was made.
type summary struct {
	Out     string         `json:"out"`
	Events  int64          `json:"events"`
	Seconds float64        `json:"seconds"`
	Truth   generate.Truth `json:"truth"`
}

func (s *summary) text(withSpec bool) string {
	v := s.Truth.Views
	text := fmt.Sprintf("%s: %d events in %.1f s; %d views must become samples, %d of them positive\n",
		s.Out, s.Events, s.Seconds, v.Samples, v.Positives)
	if withSpec {
		text += fmt.Sprintf("join them with: tributary join %s/spec.yaml\n", s.Out)
	}
	return text
}

// rateFlag is a rate on the command line.
type rateFlag float64

func (r *rateFlag) Set(text string) error {
	rate, err := generate.ParseRate(text)
	*r = rateFlag(rate)
	return err
}

func (r *rateFlag) String() string {
	if *r == 0 {
		return "" // the default is not worth a word in the help
	}
	return fmt.Sprintf("%g", float64(*r))
}

func (r *rateFlag) Type() string { return "rate" }
