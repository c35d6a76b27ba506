// Command tributary joins views with engagements into labelled training samples.
//
//	main.go        the root command and exit codes; usage.go: wrong command lines; flags.go, complete.go, version.go
//	init.go, check.go, checkinputs.go, checkstages.go, advise.go, test.go, schema.go: specs
//	join.go, pipes.go, run.go, runner.go, job.go, worker.go, report.go, html.go, audit.go, repair.go, why.go, top.go, tap.go, ui.go, metrics.go: jobs
//	topics.go, cluster.go: what jobs need; show.go: what they give
//	generate.go, demo.go: made input
//	help.go        help; helptopics.go: its pages
//	meter.go, progress.go: how far a piece of work is
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"tributary/pipelines/report"
	"tributary/pipelines/spec/problem"
)

// Exit codes; they are part of the interface, and "tributary help exit-codes" lists them.
const (
	exitFine   = 0
	exitFailed = 1 // the work failed, or a check found problems
	exitUsage  = 2 // the command line is wrong
	exitLost   = 3 // all is written, but too much of the input was lost
	exitFound  = 4 // an audit was done, and has found something
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// subcommands makes every subcommand. Those that run a pipeline call beam.Init
// themselves: the others must not pay for it, nor become workers.
func subcommands() []*cobra.Command {
	return []*cobra.Command{
		initCmd(),
		checkCmd(),
		topicsCmd(),
		schemaCmd(),
		joinCmd(),
		runCmd(),
		reportCmd(),
		auditCmd(),
		repairCmd(),
		whyCmd(),
		adviseCmd(),
		topCmd(),
		uiCmd(),
		tapCmd(),
		metricsCmd(),
		testCmd(),
		generateCmd(),
		showCmd(),
		workerCmd(),
		jobCmd(),
		clusterCmd(),
		demoCmd(),
		versionCmd(),
	}
}

// errFound ends an audit that has told what it has found.
var errFound = errors.New("samples are not what they must be")

// errReported fails a command that has said already what is wrong.
var errReported = errors.New("problems were found")

// run executes a command line and returns its exit code. What the user asked for
// goes to stdout, everything else to stderr.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return execute(ctx, rootCmd(), args, stdout, stderr)
}

func execute(ctx context.Context, root *cobra.Command, args []string, stdout, stderr io.Writer) int {
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	switch {
	case err == nil:
		return exitFine
	case errors.Is(err, errReported):
		return exitFailed
	case errors.Is(err, errFound):
		return exitFound
	}
	asJSON := false
	if flag := cmd.Flags().Lookup("json"); flag != nil {
		asJSON = flag.Value.String() == "true"
	}
	var usage usageError
	isUsage := errors.As(err, &usage)
	printError(stderr, cmd, err, isUsage, asJSON)
	var lost *report.LostError
	switch {
	case isUsage:
		return exitUsage
	case errors.As(err, &lost):
		return exitLost
	}
	return exitFailed
}

func rootCmd() *cobra.Command {
	root := &cobra.Command{
		Use:   "tributary",
		Short: "Turn views and engagements into labelled training samples",
		Long: `Tributary joins views with the engagements that refer to them, and writes one
labelled sample for each view. A YAML file, the spec, describes a join.`,
		Version: thisBuild().String(),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{unknownCommand(cmd, args[0])}
			}
			return nil
		},
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(subcommands()...)
	root.SetHelpCommand(helpCmd())
	root.SetFlagErrorFunc(flagError)
	root.SetVersionTemplate("{{.Version}}\n")
	markUsage(root)
	completeSpecs(root)
	return root
}

// printError tells what went wrong: problems of a spec one by one, with what they
// need; for programs, all of it as one JSON object.
func printError(w io.Writer, cmd *cobra.Command, err error, usage, asJSON bool) {
	var list problem.List
	isList := errors.As(err, &list)
	if asJSON {
		out := struct {
			Error    string       `json:"error"`
			Problems problem.List `json:"problems,omitempty"`
		}{err.Error(), list}
		if isList {
			out.Error = list.Summary()
		}
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		_ = encoder.Encode(out) // nowhere is left to report this to
		return
	}
	switch {
	case isList:
		tell(w, "%v\n%s\n", list, list.Summary())
	case usage:
		tell(w, "tributary: %v\nusage: %s\nrun \"%s --help\" for more\n", err, cmd.UseLine(), cmd.CommandPath())
	default:
		tell(w, "tributary: %v\n", err)
	}
}

// tell writes what accompanies a result, to stderr: nowhere is left to report to if that
// cannot be written, and it is no reason to stop.
func tell(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }

// printJSON writes a result for programs.
func printJSON(w io.Writer, result any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(result); err != nil {
		return fmt.Errorf("print the result: %w", err)
	}
	return nil
}
