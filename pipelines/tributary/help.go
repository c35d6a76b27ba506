package main

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
)

var codeForm = regexp.MustCompile(`^[tT][0-9]+$`)

func helpCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND | CODE | codes | KEY | TOPIC]",
		Short: "Explain a command, the code of a problem, a key of a spec, or a topic",
		Long: `Help explains a command, a problem by its code (the cause, an example, and the example
mended), or a key of a spec by its path: what it means, takes and defaults to.
"tributary help codes" lists the codes, "tributary help spec" the keys.

` + topicList(),
		Example:           "  tributary help check\n  tributary help T1201\n  tributary help codes\n  tributary help views.time\n  tributary help exit-codes",
		ValidArgsFunction: helpWords,
		RunE: func(cmd *cobra.Command, args []string) error {
			root, out := cmd.Root(), cmd.OutOrStdout()
			if len(args) == 1 && args[0] == "codes" {
				return listCodes(out)
			}
			if len(args) == 1 && codeForm.MatchString(args[0]) {
				return explain(out, args[0])
			}
			if len(args) == 0 {
				return root.Help()
			}
			if len(args) == 1 {
				for _, t := range topicsOfHelp {
					if t.name == args[0] {
						return printText(out, t.text)
					}
				}
			}
			found, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				if text, ok := spec.Explain(args[0]); ok && len(args) == 1 {
					return printText(out, text)
				}
				var usage usageError
				if err == nil || !errors.As(err, &usage) {
					err = unknownHelp(root, args[0])
				}
				return usageError{fmt.Errorf("%w; \"tributary help codes\" lists the codes of problems", err)}
			}
			found.InitDefaultHelpFlag()
			return found.Help()
		},
	}
}

// unknownHelp says that there is no such thing to explain.
func unknownHelp(root *cobra.Command, word string) error {
	var names []string
	for _, t := range topicsOfHelp {
		names = append(names, t.name)
	}
	for _, k := range spec.Keys() {
		names = append(names, k.Path)
	}
	if near := spec.Nearest(word, append(names, "codes")); near != "" {
		return fmt.Errorf("there is no command, code, key or topic %q; did you mean %s?", word, near)
	}
	return unknownCommand(root, word)
}

func explain(w io.Writer, id string) error {
	code, ok := problem.Find(id)
	if !ok {
		return usageError{fmt.Errorf("there is no code %s; \"tributary help codes\" lists all", strings.ToUpper(id))}
	}
	return printText(w, code.Text())
}

func printText(w io.Writer, text string) error {
	if _, err := io.WriteString(w, text); err != nil {
		return fmt.Errorf("print the explanation: %w", err)
	}
	return nil
}

// topicList names the topics for the help about help.
func topicList() string {
	text := "Topics:\n"
	for _, t := range topicsOfHelp {
		text += fmt.Sprintf("  %-10s  %s\n", t.name, t.short)
	}
	return strings.TrimSuffix(text, "\n")
}

func listCodes(w io.Writer) error {
	for _, code := range problem.Codes() {
		if _, err := fmt.Fprintf(w, "%s  %-7s  %s\n", code.ID, code.Severity, code.Title); err != nil {
			return fmt.Errorf("print the codes: %w", err)
		}
	}
	return nil
}
