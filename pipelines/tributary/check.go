package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"tributary/pipelines/job/preflight"
	"tributary/pipelines/job/preview"
	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
)

func checkCmd() *cobra.Command {
	var (
		asJSON, world bool
		look          inputsFlag
		targets       preflight.Targets
	)
	cmd := &cobra.Command{
		Use:   "check SPEC...",
		Short: "Check specs and show what they resolve to",
		Long: `Check reads specs and reports every problem in them, each with its place, the
line as it should read where that can be told, and a code that "tributary help
CODE" explains. Warnings do not fail the check.

For a spec without problems it shows what the spec resolves to, and which values
are defaults. Of a spec with stages it also shows when samples of each come, and
what the stage costs; of one whose views share a key, what other lengths of buckets
would cost, and when samples would come.

With --inputs it also opens every file that the spec names, and tells for each
input how many files there are, which fields they have, the first record, from
when to when the records are, how many of them a join would refuse and why, and
how many meet the conditions of "where". It reads the first 1000 records of each
file; --inputs=all reads them all, --records N so many. It writes nothing.

With --online it also looks at what a spec of topics needs: brokers, sign-in,
topics and their settings, rights, transactions, the registry, and where the job
is to run; of servers there it warns that other machines reach without a login. It
takes seconds at most for each step, and changes nothing. For such a spec --inputs
is --online.`,
		Example: `  tributary check feed.yaml
  tributary check --json specs/*.yaml
  tributary check feed.yaml --inputs
  tributary check stream.yaml --online --flink localhost:8081 --jobserver localhost:8099
  tributary check stream.yaml --online --worker 127.0.0.1:50000 --worker-token-file token`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			results := make([]checked, 0, len(args))
			stdin := pipedIn(cmd)
			for _, file := range args {
				s, result, err := check(file)
				if err != nil {
					return err
				}
				if s != nil && look.set && s.ReadsFiles() {
					if err := result.look(cmd.Context(), s, look.records, stdin); err != nil {
						return err
					}
					if s.ReadsStdin() {
						stdin = nil // it has been read
					}
				}
				if s != nil && (world || look.set && !s.ReadsFiles() || targets.Flink+targets.JobServer+targets.Worker != "") {
					targets.Progress = waiting(cmd.ErrOrStderr())
					result.Online = preflight.Check(cmd.Context(), s, targets)
					result.OK = result.OK && preflight.Passed(result.Online)
				}
				results = append(results, result)
			}
			return printResults(cmd.OutOrStdout(), results, asJSON)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&asJSON, "json", false, "print one JSON object: files, each with ok, problems, values, stages and buckets, and what was found in inputs and online")
	look.add(flags)
	complete(cmd, "inputs", "first", "all")
	flags.BoolVar(&world, "online", false, "look at brokers, topics, rights and registry too")
	flags.StringVar(&targets.Flink, "flink", "", "look at Flink too, at this host:port of its REST interface")
	flags.StringVar(&targets.JobServer, "jobserver", "", "look at Beam's job server too, at this host:port")
	flags.StringVar(&targets.Worker, "worker", "", "look at a worker too, at this host:port")
	flags.StringVar(&targets.WorkerTokenFile, "worker-token-file", "", "file of the worker's token, its first line (default: none)")
	return cmd
}

// checked is what was found about one spec.
type checked struct {
	File     string         `json:"file"`
	OK       bool           `json:"ok"`
	Problems problem.List   `json:"problems"`
	Values   []spec.Setting `json:"values,omitempty"`
	// Stages is nil for a spec without stages.
	Stages []spec.StageCost `json:"stages,omitempty"`
	// Buckets is nil unless views share a key.
	Buckets []spec.BucketCost `json:"buckets,omitempty"`
	// Inputs and Online are nil unless they were asked for.
	Inputs []preview.Input     `json:"inputs,omitempty"`
	Online []preflight.Finding `json:"online,omitempty"`
}

// waiting tells a person, not a program, which step is being waited for.
func waiting(w io.Writer) func(step, target string) {
	if f, ok := w.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return func(step, target string) { tell(w, "checking %s: %s\n", step, target) }
}

// check reads a spec; it is nil if that has problems.
func check(file string) (*spec.Spec, checked, error) {
	s, err := spec.Load(file)
	var list problem.List
	switch {
	case err == nil:
		return s, checked{File: file, OK: true, Problems: s.Warnings, Values: s.Settings(), Stages: s.StageCosts(), Buckets: s.BucketCosts()}, nil
	case errors.As(err, &list):
		return nil, checked{File: file, Problems: list}, nil
	}
	return nil, checked{}, err
}

func printResults(w io.Writer, results []checked, asJSON bool) error {
	var all problem.List
	ok := true
	for i := range results {
		ok = ok && results[i].OK
		all = append(all, results[i].Problems...)
		if results[i].Problems == nil {
			results[i].Problems = problem.List{} // [] in JSON, not null
		}
	}
	if asJSON {
		if err := printJSON(w, map[string][]checked{"files": results}); err != nil {
			return err
		}
	} else if err := printChecked(w, results, all); err != nil {
		return fmt.Errorf("print the result: %w", err)
	}
	if !ok {
		return errReported
	}
	return nil
}

func printChecked(w io.Writer, results []checked, all problem.List) error {
	for _, result := range results {
		if len(result.Problems) > 0 {
			if _, err := fmt.Fprintln(w, result.Problems); err != nil {
				return err
			}
		}
		if result.Values == nil {
			continue
		}
		if result.OK || len(result.Problems.Errors()) == 0 {
			if _, err := fmt.Fprintf(w, "%s: ok\n", result.File); err != nil {
				return err
			}
		}
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, s := range result.Values {
			origin := "default"
			if s.Set {
				origin = "set"
			}
			fmt.Fprintf(table, "  %s\t%s\t%s\n", s.Key, origin, s.Value)
		}
		if err := table.Flush(); err != nil {
			return err
		}
		if len(result.Stages) > 0 {
			if err := printStages(w, result.Stages); err != nil {
				return err
			}
		}
		if len(result.Buckets) > 0 {
			if err := printBuckets(w, result.Buckets); err != nil {
				return err
			}
		}
		if len(result.Inputs) > 0 {
			if _, err := io.WriteString(w, "\n"+preview.Text(result.Inputs)); err != nil {
				return err
			}
		}
		if len(result.Online) > 0 {
			if _, err := io.WriteString(w, "\n"+preflight.Text(result.Online)); err != nil {
				return err
			}
		}
	}
	if len(all) > 0 {
		if _, err := fmt.Fprintln(w, all.Summary()); err != nil {
			return err
		}
	}
	return nil
}
