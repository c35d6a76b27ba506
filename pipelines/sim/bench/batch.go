package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tributary/pipelines/sim/generate"
	"tributary/runners/devcluster/services"
)

// batchOptions are the choices of a benchmark of files.
type batchOptions struct {
	events int64
	rounds int
	only   string
	data   string
	json   bool
	long   bool
	// flink is the cluster for the join on Flink.
	flink services.Service
}

const (
	batchEventsPerHour = 1_000_000
	batchDisorder      = 5 * time.Second
)

// log is a log of files: views at a steady rate, and an engagement for one in ten within the window.
type log struct {
	Name   string        `json:"name"`
	Events int64         `json:"events"`
	Span   time.Duration `json:"span_ns"`
	Window time.Duration `json:"window_ns"`
}

// logs are the one that all contestants join, and, with long, one whose windows reach over many intervals, which ours joins beside it.
func (o batchOptions) logs() []log {
	span := time.Duration(max(1, o.events/batchEventsPerHour) * time.Hour.Nanoseconds())
	all := []log{{Name: "half an hour", Events: o.events, Span: span, Window: 30 * time.Minute}}
	if o.long {
		all = append(all, log{Name: "a week, of four", Events: o.events, Span: 4 * 7 * 24 * time.Hour, Window: 7 * 24 * time.Hour})
	}
	return all
}

func batchCommand() *cobra.Command {
	var o batchOptions
	cmd := &cobra.Command{
		Use: "batch", Args: cobra.NoArgs,
		Short: "Measure the join of files beside the same join in DuckDB",
		RunE: func(cmd *cobra.Command, _ []string) error {
			report, err := o.run(cmd.Context())
			if err != nil {
				return err
			}
			return report.print(cmd.OutOrStdout(), o.json)
		},
	}
	cmd.Flags().Int64Var(&o.events, "events", 10_000_000, "events that are joined")
	cmd.Flags().IntVar(&o.rounds, "rounds", 3, "turns of each contestant; the slow ones have one")
	cmd.Flags().StringVar(&o.only, "only", "", "measure only contestants whose name contains this")
	cmd.Flags().StringVar(&o.data, "data", "", "folder of input and output, with whole input of an earlier run taken as it is (default: a temporary one)")
	cmd.Flags().BoolVar(&o.long, "long", true, "have ours join a log with windows of a week, too")
	cmd.Flags().BoolVar(&o.json, "json", false, "the result as JSON")
	return cmd
}

// run makes the input, has each contestant join it in turns, and checks what each gave.
func (o batchOptions) run(ctx context.Context) (_ *BatchReport, err error) {
	dir := o.data
	if dir == "" {
		if dir, err = os.MkdirTemp("", "bench-batch-"); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	own := o.flink.Name == ""
	if own {
		o.flink = services.Service{Name: "flink", Data: filepath.Join(dir, "flink"), Log: os.Stderr, Owned: true}
	}
	list, err := contestants(ctx, o.only, o.flink)
	if err != nil {
		return nil, err
	}
	defer func() {
		for _, c := range list {
			if own && c.close != nil {
				err = errors.Join(err, c.close(context.WithoutCancel(ctx)))
			}
		}
	}()
	var turns []batchTurn
	for i, l := range o.logs() {
		in, err := makeBatchInput(ctx, filepath.Join(dir, strconv.Itoa(i)), l)
		if err != nil {
			return nil, err
		}
		for _, c := range list {
			if i > 0 && !c.long {
				continue
			}
			if c.prepare != nil {
				tell("preparing %s", c.Name)
				if err := c.prepare(ctx, in); err != nil {
					return nil, fmt.Errorf("%s: %w", c.Name, err)
				}
			}
			turns = append(turns, batchTurn{in, c})
		}
	}
	report := newBatchReport()
	for round := range o.rounds {
		for _, t := range turns {
			if t.by.once && round > 0 {
				continue
			}
			tell("round %d of %d: %s, windows of %s", round+1, o.rounds, t.by.Name, t.in.log.Name)
			turn, err := t.by.turn(ctx, t.in)
			if err != nil {
				return nil, fmt.Errorf("%s, windows of %s: %w", t.by.Name, t.in.log.Name, err)
			}
			tell("  %.2f CPU seconds per million events", turn.CPUSeconds/float64(t.in.events)*1e6)
			report.add(t, turn)
		}
	}
	return report, nil
}

// batchTurn is who joins what.
type batchTurn struct {
	in *batchInput
	by *contestant
}

// batchInput is what is joined, and what must come of it.
type batchInput struct {
	log    log
	dir    string
	events int64
	want   answer
}

// makeBatchInput makes the files, unless the folder has them.
func makeBatchInput(ctx context.Context, dir string, l log) (*batchInput, error) {
	config := generate.Default()
	config.Out, config.Views, config.Diurnal = filepath.Join(dir, "input"), int64(viewsOf(float64(l.Events))), 0
	config.Duration, config.Order, config.Disorder = l.Span, generate.OrderFile, batchDisorder
	var err error
	if config.Kinds, err = generate.ParseKinds("like:10%", l.Window); err != nil {
		return nil, err
	}
	path := filepath.Join(config.Out, "truth.json")
	var truth generate.Truth
	text, err := os.ReadFile(path) //nolint:gosec // of the folder that was asked for
	if err == nil {
		err = json.Unmarshal(text, &truth)
	} else if errors.Is(err, os.ErrNotExist) {
		tell("making %d events with windows of %s", l.Events, l.Name)
		truth, err = generate.Run(ctx, config, nil)
	}
	if err != nil {
		return nil, err
	}
	if truth.Views.Samples != config.Views {
		return nil, fmt.Errorf("%s has %d views, not %d: remove it, or ask for as many events", config.Out, truth.Views.Samples, config.Views)
	}
	return &batchInput{log: l, dir: config.Out, events: truth.Events(), want: answer{Samples: truth.Views.Samples, Positives: truth.Views.Positives}}, nil
}

// out is an empty folder for what a contestant writes.
func (in *batchInput) out() (string, error) {
	dir := filepath.Join(filepath.Dir(in.dir), "output")
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	return dir, os.MkdirAll(dir, 0o700)
}

// specInto writes the spec of the input beside it, with samples that go to a folder.
func (in *batchInput) specInto(out string) (path string, err error) {
	text, err := os.ReadFile(filepath.Join(in.dir, "spec.yaml"))
	if err != nil {
		return "", err
	}
	if out, err = filepath.Abs(filepath.Join(out, "samples")); err != nil {
		return "", err
	}
	path = filepath.Join(in.dir, "bench.yaml")
	return path, os.WriteFile(path, []byte(strings.Replace(string(text), "samples: out/samples", "samples: "+out, 1)), 0o600)
}

// answer is what a join came to, by what it wrote.
type answer struct {
	Samples   int64 `json:"samples"`
	Positives int64 `json:"positives"`
	// DelayMs is the sum of the delays of all positives' first engagements; 0 in what must come out.
	DelayMs int64 `json:"delay_ms"`
}

// check compares an answer with the truth and, but for the first one, with that of whoever was first.
func (in *batchInput) check(got answer) error {
	if in.want.DelayMs == 0 {
		in.want.DelayMs = got.DelayMs
	}
	if got != in.want {
		return fmt.Errorf("gave %d samples, %d of them positive, with delays of %d ms: it must be %d, %d and %d",
			got.Samples, got.Positives, got.DelayMs, in.want.Samples, in.want.Positives, in.want.DelayMs)
	}
	return nil
}

// print writes a report as it was asked for.
func (r *BatchReport) print(w io.Writer, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	}
	_, err := io.WriteString(w, strings.Join([]string{r.table().RenderMarkdown(), r.omissions().RenderMarkdown()}, "\n\n")+"\n")
	return err
}
