package main

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"tributary/pipelines/problem"
	"tributary/pipelines/reading"
)

var codeForm = regexp.MustCompile(`^[tT][0-9]+$`)

func helpCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND | CODE | codes | reading]",
		Short: "Explain a command, or the code of a problem",
		Long: `Help explains a command, or a problem by its code: the cause, an example, and the
example mended. "tributary help codes" lists the codes, and "tributary help
reading" shows how Python, Spark and DuckDB read samples.`,
		Example: "  tributary help check\n  tributary help T1201\n  tributary help codes\n  tributary help reading",
		RunE: func(cmd *cobra.Command, args []string) error {
			root, out := cmd.Root(), cmd.OutOrStdout()
			if len(args) == 1 && args[0] == "codes" {
				return listCodes(out)
			}
			if len(args) == 1 && args[0] == "reading" {
				_, err := io.WriteString(out, reading.Page())
				return err
			}
			if len(args) == 1 && codeForm.MatchString(args[0]) {
				return explain(out, args[0])
			}
			if len(args) == 0 {
				return root.Help()
			}
			found, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				var usage usageError
				if err == nil || !errors.As(err, &usage) {
					err = unknownCommand(root, args[0])
				}
				return usageError{fmt.Errorf("%w; \"tributary help codes\" lists the codes of problems", err)}
			}
			found.InitDefaultHelpFlag()
			return found.Help()
		},
	}
}

func explain(w io.Writer, id string) error {
	code, ok := problem.Find(id)
	if !ok {
		return usageError{fmt.Errorf("there is no code %s; \"tributary help codes\" lists all", strings.ToUpper(id))}
	}
	if _, err := io.WriteString(w, code.Text()); err != nil {
		return fmt.Errorf("print the explanation: %w", err)
	}
	return nil
}

func listCodes(w io.Writer) error {
	for _, code := range problem.Codes() {
		if _, err := fmt.Fprintf(w, "%s  %-7s  %s\n", code.ID, code.Severity, code.Title); err != nil {
			return fmt.Errorf("print the codes: %w", err)
		}
	}
	return nil
}
