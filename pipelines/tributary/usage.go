package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tributary/pipelines/spec"
)

// usageError is a wrong command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// markUsage makes errors about arguments usage errors in our words, in every subcommand.
func markUsage(cmd *cobra.Command) {
	if check := cmd.Args; check != nil && cmd.HasParent() {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if check(cmd, args) == nil {
				return nil
			}
			return usageError{argsError(cmd, args)}
		}
	}
	for _, sub := range cmd.Commands() {
		markUsage(sub)
	}
}

// argsError says what is wrong with the arguments of a command: its use names them.
func argsError(cmd *cobra.Command, args []string) error {
	if cmd.HasAvailableSubCommands() && len(args) > 0 && len(cmd.ValidArgs) == 0 {
		return unknownCommand(cmd, args[0])
	}
	wanted := wantedArgs(cmd)
	path := cmd.CommandPath()
	if len(cmd.ValidArgs) > 0 {
		if slices.Contains(cmd.ValidArgs, args[0]) {
			return fmt.Errorf("%s takes one argument, got %q as well", path, args[1])
		}
		words := slices.Clone(cmd.ValidArgs)
		for _, sub := range cmd.Commands() {
			words = append(words, sub.Name())
		}
		return fmt.Errorf("%s %q: %s", path, args[0], mustBe(args[0], words))
	}
	switch {
	case len(args) < len(wanted):
		return fmt.Errorf("%s is missing", wanted[len(args)])
	case len(wanted) == 0:
		return fmt.Errorf("%s takes no arguments, got %q", path, args[0])
	default:
		return fmt.Errorf("%s takes one %s, got %q as well", path, strings.Join(wanted, " and one "), args[len(wanted)])
	}
}

// wantedArgs are the arguments in a command's use: what is no flag, nor its value.
func wantedArgs(cmd *cobra.Command) (wanted []string) {
	words := strings.Fields(cmd.Use)[1:]
	for i, word := range words {
		flag := strings.HasPrefix(word, "-") || i > 0 && strings.HasPrefix(words[i-1], "-")
		if !flag && !strings.HasPrefix(word, "[") {
			wanted = append(wanted, strings.TrimSuffix(word, "..."))
		}
	}
	return wanted
}

func unknownCommand(cmd *cobra.Command, name string) error {
	what := strings.TrimPrefix(cmd.CommandPath()+" "+name, cmd.Root().Name()+" ")
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(name); len(near) > 0 {
		return fmt.Errorf("there is no command %q; did you mean %s?", what, strings.Join(near, " or "))
	}
	return fmt.Errorf("there is no command %q", what)
}

// flagError says in our words what is wrong with a flag.
func flagError(cmd *cobra.Command, err error) error {
	var (
		unknown *pflag.NotExistError
		empty   *pflag.ValueRequiredError
		invalid *pflag.InvalidValueError
		syntax  *pflag.InvalidSyntaxError
	)
	switch {
	case errors.As(err, &unknown):
		return usageError{unknownFlag(cmd, unknown)}
	case errors.As(err, &empty):
		return usageError{fmt.Errorf("--%s needs a value: %s", empty.GetFlag().Name, valueOf(empty.GetFlag()))}
	case errors.As(err, &invalid):
		return usageError{invalidValue(invalid)}
	case errors.As(err, &syntax):
		return usageError{fmt.Errorf("%q is no flag", syntax.GetSpecifiedFlag())}
	}
	return usageError{err}
}

func unknownFlag(cmd *cobra.Command, err *pflag.NotExistError) error {
	name := err.GetSpecifiedName()
	if err.GetSpecifiedShortnames() != "" {
		name = "-" + err.GetSpecifiedShortnames()
		return fmt.Errorf("there is no flag %s; flags have names, like --help", name)
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	if near := spec.Nearest(name, names); near != "" {
		return fmt.Errorf("there is no flag --%s; did you mean --%s?", name, near)
	}
	return fmt.Errorf("there is no flag --%s", name)
}

// valueOf says in words what a flag takes.
func valueOf(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "int", "int64", "int32", "int16", "uint64":
		return "a whole number"
	case "float64":
		return "a number"
	case "bool":
		return "true or false"
	case "duration":
		return "a duration like 30m or 1d12h"
	case "time":
		return "a time like 2026-01-02 or 2026-01-02T15:04:05Z"
	case "rate":
		return "a rate like 10% or 0.1"
	case "string", "stringArray":
		return strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
	default:
		return f.Value.Type()
	}
}

func invalidValue(err *pflag.InvalidValueError) error {
	flag, value := err.GetFlag(), err.GetValue()
	var number *strconv.NumError // of Go's own parsers, for booleans too
	if errors.As(err, &number) {
		return fmt.Errorf("--%s %q: must be %s", flag.Name, value, valueOf(flag))
	}
	return fmt.Errorf("--%s %q: %w", flag.Name, value, err.Unwrap())
}
