// Command mutants breaks the module on purpose, one small bug at a time, and sees whether its
// tests notice.
//
// The bugs are in table/*.txt, see mutant. All are compiled in at once by `go test -overlay`, so the
// code itself stays as it is: a function with bugs begins by asking an environment variable which of them is
// wanted. Then the tests that should catch each run with it, and once without any. Tests of real services
// do not run.
//
// It fails if less than 95 % of the bugs are caught, if one that is not names no fault of `make chaos` that
// shows it, or if its place is no longer in the code once.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// bar is the share of the bugs that tests have to catch.
const bar = 0.95

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

type options struct {
	only    string
	json    bool
	whole   bool
	seed    uint64
	atOnce  int
	timeout time.Duration
}

func command() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use: "mutants", Args: cobra.NoArgs, SilenceUsage: true, SilenceErrors: true,
		Short: "See whether tests notice bugs",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.only, "only", "", "only bugs whose name or file matches, a regular expression")
	flags.BoolVar(&o.json, "json", false, "the result as JSON")
	flags.BoolVar(&o.whole, "whole", false, "run all tests of the packages that a bug names, not only the tests named: for new bugs")
	flags.Uint64Var(&o.seed, "seed", 1, "of what tests draw at random, so that no bug is caught by luck; 0: another each time")
	flags.IntVar(&o.atOnce, "at-once", 2, "bugs that are tried at the same time")
	flags.DurationVar(&o.timeout, "timeout", time.Minute, "after which a test that hangs has caught its bug")
	return cmd
}

func (o *options) run(ctx context.Context, out, progress io.Writer) error {
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	all, err := readTables(root)
	if err != nil {
		return err
	}
	only, err := regexp.Compile(o.only)
	if err != nil {
		return fmt.Errorf("--only: %w", err)
	}
	var chosen []*mutant
	for _, m := range all {
		if only.MatchString(m.Name) || only.MatchString(m.File) {
			chosen = append(chosen, m)
		}
	}
	if len(chosen) == 0 {
		return errors.New("--only: no bug matches")
	}
	dir, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // of no use to anybody
	l := &lab{options: *o, root: root, dir: dir, progress: progress}
	if err := l.compile(ctx, all, chosen); err != nil {
		return err
	}
	if err := l.control(ctx, chosen); err != nil {
		return err
	}
	r, err := l.tryAll(ctx, chosen)
	if err != nil {
		return err
	}
	if o.json {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		err = e.Encode(r)
	} else {
		err = r.print(out)
	}
	return errors.Join(err, r.verdict())
}
