package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"tributary/pipelines/live"
	"tributary/pipelines/spec"
)

const (
	// topEvery is how often topics are read: accounts and commit logs change with checkpoints, and reading them again costs.
	topEvery = 5 * time.Second
	// topWithin bounds the reading of each source: somebody waits for it.
	topWithin = 20 * time.Second
	// usualPartitions fit a screen with the rest.
	usualPartitions = 20
)

func topCmd() *cobra.Command {
	opt := topOptions{every: topEvery, partitions: usualPartitions}
	var every durationFlag
	cmd := &cobra.Command{
		Use:   "top SPEC",
		Short: "Show what a stream is like now: which partition holds it back and why, and what is open, late and dead",
		Long: `Show what a stream is like now, again and again: the watermark, which partition holds it
back and why; watermark and lag of each partition, the worst first; how fast records arrive
and are read; what is late and dead; for each stage and sink what is complete, how many
buckets are open or overdue, and how long after its end a bucket is committed; transactions
that hang. It reads topics by the code of "tributary metrics" and "tributary report", so its
numbers are theirs. It writes nothing and is in no group.

On a terminal it draws in place; ctrl-C ends it. Elsewhere it writes one picture below the
other. Partitions marked * hold the watermark. Their states: leaderless, open_transaction
(hides its records), stalled (records wait, none is read), not_begun, behind, no_records,
not_noted (it was read, its event time is not noted yet), one_ahead (one record far ahead of
all others, which does not count yet), ahead_of_time, quiet (all is read; it waits for a
record), current, and idle, which holds nothing back.

Rates need two pictures: there are none with --once. The exit code of --once is 1 if
something could not be read.`,
		Example: `  tributary top stream.yaml
  tributary top stream.yaml --flink flink:8081
  tributary top stream.yaml --once
  tributary top stream.yaml --json | jq -c '[.at, .watermark, .holder.why]'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkJobFlags(opt.Flink, opt.Job); err != nil {
				return err
			}
			s, err := spec.Load(args[0])
			if err != nil {
				return err
			}
			opt.every, opt.Within = time.Duration(every), topWithin
			w, err := live.New(s, opt.Options)
			if err != nil {
				return usageError{err}
			}
			return top(cmd.Context(), cmd.OutOrStdout(), w, opt)
		},
	}
	every = durationFlag(topEvery)
	flags := cmd.Flags()
	flags.BoolVar(&opt.once, "once", false, "show one picture, and end")
	flags.BoolVar(&opt.json, "json", false, "each picture as JSON, an object a line")
	flags.Var(&every, "interval", "how often the topics are read")
	number(flags, &opt.partitions, "partitions", 1, mostNumber, "how many partitions are shown, the worst first; of the others their sums")
	jobFlags(flags, &opt.Flink, &opt.Job, "the state of the job")
	return cmd
}

type topOptions struct {
	live.Options
	once, json bool
	every      time.Duration
	partitions int
}

// top shows pictures until the context ends.
func top(ctx context.Context, out io.Writer, w *live.Watch, opt topOptions) error {
	show := newScreen(out)
	if opt.json || opt.once {
		show.size = nil
	}
	defer show.end()
	if show.size != nil {
		slog.SetDefault(slog.New(slog.DiscardHandler)) // it would write into the picture, which says what could not be read
		if err := show.draw("reading the topics ..."); err != nil {
			return err
		}
	}
	for first := true; ; first = false {
		state := w.Gather(ctx)
		if ctx.Err() != nil {
			return nil // it was ended
		}
		if err := picture(show, state.Bounded(opt.partitions), opt.json, first); err != nil {
			return err
		}
		if opt.once {
			for _, source := range state.Sources {
				if !source.OK {
					return errReported
				}
			}
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(opt.every):
		}
	}
}

// picture shows a State.
func picture(show *screen, s *live.State, asJSON, first bool) error {
	if asJSON {
		encoder := json.NewEncoder(show.w)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(s); err != nil {
			return fmt.Errorf("print the state: %w", err)
		}
		return nil
	}
	var text strings.Builder
	if !first && show.size == nil {
		text.WriteString("\n")
	}
	if err := s.Text(&text, show.columns()); err != nil {
		return err
	}
	return show.draw(text.String())
}

// screen draws one picture in the place of the other on a terminal, and one below the other elsewhere.
type screen struct {
	w     io.Writer
	size  func() (columns, lines int) // nil where there is no terminal
	drawn bool
}

// The alternate screen leaves what stood on the terminal before as it was.
const (
	enterScreen = "\x1b[?1049h\x1b[?25l"
	leaveScreen = "\x1b[?25h\x1b[?1049l"
	toTop       = "\x1b[H"
	clearRest   = "\x1b[K" // of the line
	clearBelow  = "\x1b[J" // of the screen
	noTerminal  = 120      // columns of text that no terminal shows
)

func newScreen(w io.Writer) *screen {
	s := &screen{w: w}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		s.size = func() (int, int) {
			columns, lines, err := term.GetSize(int(f.Fd()))
			if err != nil || columns == 0 || lines == 0 {
				return 80, 24
			}
			return columns, lines
		}
	}
	return s
}

func (s *screen) columns() int {
	if s.size == nil {
		return noTerminal
	}
	columns, _ := s.size()
	return columns
}

// draw shows text. On a terminal what does not fit is cut below, and that is said.
func (s *screen) draw(text string) error {
	if s.size == nil {
		_, err := io.WriteString(s.w, text)
		return err
	}
	var b strings.Builder
	if !s.drawn {
		b.WriteString(enterScreen)
		s.drawn = true
	}
	b.WriteString(toTop)
	_, most := s.size()
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if cut := len(lines) - most; cut > 0 && most > 1 {
		lines = append(lines[:most-1], fmt.Sprintf("... %d lines more: a higher window, or fewer --partitions", cut+1))
	}
	b.WriteString(strings.Join(lines, clearRest+"\r\n"))
	b.WriteString(clearRest + clearBelow)
	_, err := io.WriteString(s.w, b.String())
	return err
}

// end gives the terminal back.
func (s *screen) end() {
	if s.drawn {
		tell(s.w, leaveScreen)
	}
}
