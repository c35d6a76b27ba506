package main

import (
	"strings"

	"github.com/spf13/cobra"

	"tributary/pipelines/report/show"
	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
)

// complete has the shell complete a flag with words.
func complete(cmd *cobra.Command, flag string, words ...string) {
	completions := make([]cobra.Completion, len(words))
	copy(completions, words)
	must(cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(completions, cobra.ShellCompDirectiveNoFileComp)))
}

// must is for what can only go wrong where commands are made: every run would show it.
func must(err error) {
	if err != nil {
		panic("make commands: " + err.Error())
	}
}

// specFiles has the shell complete an argument with files that may be specs.
func specFiles(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return []cobra.Completion{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}

// moreSpecFiles is specFiles for commands that take several.
func moreSpecFiles(cmd *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return specFiles(cmd, nil, typed)
}

// completeSpecs gives every command without another completion one for its arguments.
func completeSpecs(cmd *cobra.Command) {
	if cmd.ValidArgsFunction == nil {
		switch words := strings.Fields(cmd.Use); {
		case len(words) > 1 && words[1] == "SPEC":
			cmd.ValidArgsFunction = specFiles
		case len(words) > 1 && words[1] == "SPEC...":
			cmd.ValidArgsFunction = moreSpecFiles
		case !cmd.HasSubCommands() && len(wantedArgs(cmd)) == 0 && len(cmd.ValidArgs) == 0:
			cmd.ValidArgsFunction = cobra.NoFileCompletions
		}
	}
	for _, sub := range cmd.Commands() {
		completeSpecs(sub)
	}
}

// helpWords completes what can be explained: commands, topics, codes and keys of specs.
func helpWords(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var out []cobra.Completion
	at := cmd.Root()
	if len(args) > 0 {
		found, rest, err := at.Find(args)
		if err != nil || len(rest) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		at = found
	}
	for _, sub := range at.Commands() {
		if sub.IsAvailableCommand() {
			out = append(out, cobra.CompletionWithDesc(sub.Name(), sub.Short))
		}
	}
	if len(args) == 0 {
		for _, t := range topicsOfHelp {
			out = append(out, cobra.CompletionWithDesc(t.name, t.short))
		}
		for _, code := range problem.Codes() {
			out = append(out, cobra.CompletionWithDesc(code.ID, code.Title))
		}
		if typed != "" { // else they are too many
			for _, key := range spec.Keys() {
				out = append(out, cobra.CompletionWithDesc(key.Path, key.Doc))
			}
		}
	}
	fitting := out[:0]
	for _, word := range out {
		if strings.HasPrefix(strings.ToLower(word), strings.ToLower(typed)) {
			fitting = append(fitting, word)
		}
	}
	return fitting, cobra.ShellCompDirectiveNoFileComp
}

// kindWords completes kinds of engagement: those of the samples that a command shows.
func kindWords(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	kinds, err := show.Kinds(cmd.Context(), args[0])
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return kinds, cobra.ShellCompDirectiveNoFileComp
}
