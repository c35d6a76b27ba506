package main

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"tributary/pipelines/problem"
	"tributary/pipelines/spec"
)

func checkCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check SPEC...",
		Short: "Check specs and show what they resolve to",
		Long: `Check reads specs and reports every problem in them, each with its place, the
line as it should read where that can be told, and a code that "tributary help
CODE" explains. It opens no input. Warnings do not fail the check.

For a spec without problems it shows what the spec resolves to, and which values
are defaults.`,
		Example: "  tributary check feed.yaml\n  tributary check --json specs/*.yaml",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			results := make([]checked, 0, len(args))
			for _, file := range args {
				result, err := check(file)
				if err != nil {
					return err
				}
				results = append(results, result)
			}
			return report(cmd.OutOrStdout(), results, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object: files, each with ok, problems and values")
	return cmd
}

// checked is what was found about one spec.
type checked struct {
	File     string         `json:"file"`
	OK       bool           `json:"ok"`
	Problems problem.List   `json:"problems"`
	Values   []spec.Setting `json:"values,omitempty"`
}

func check(file string) (checked, error) {
	s, err := spec.Load(file)
	var list problem.List
	switch {
	case err == nil:
		return checked{File: file, OK: true, Problems: s.Warnings, Values: s.Settings()}, nil
	case errors.As(err, &list):
		return checked{File: file, Problems: list}, nil
	}
	return checked{}, err
}

func report(w io.Writer, results []checked, asJSON bool) error {
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
		if !result.OK {
			continue
		}
		if _, err := fmt.Fprintf(w, "%s: ok\n", result.File); err != nil {
			return err
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
	}
	if len(all) > 0 {
		if _, err := fmt.Fprintln(w, all.Summary()); err != nil {
			return err
		}
	}
	return nil
}
