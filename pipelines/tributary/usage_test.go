package main

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// everyCommand lists a command and all below it.
func everyCommand(cmd *cobra.Command) []*cobra.Command {
	out := []*cobra.Command{cmd}
	for _, sub := range cmd.Commands() {
		out = append(out, everyCommand(sub)...)
	}
	return out
}

// dryRun executes a command line in which no command does anything.
func dryRun(args ...string) (code int, stdout, stderr string) {
	root := rootCmd()
	for _, cmd := range everyCommand(root) {
		if cmd.Name() != "help" {
			cmd.RunE = func(*cobra.Command, []string) error { return nil }
		}
	}
	var out, err bytes.Buffer
	code = execute(context.Background(), root, args, &out, &err)
	return code, out.String(), err.String()
}

// foreignWords are those of libraries: they say nothing to who typed the command.
var foreignWords = []string{"accepts ", "arg(s)", "strconv", "invalid argument", "parsing", "requires at least", "unknown flag", "unknown command", "time: ", "invalid syntax", "flag needs"}

// TestWrongCommandLinesAreToldInOurWords tries every command with too few and too many
// arguments, and every flag with values that it cannot have.
func TestWrongCommandLinesAreToldInOurWords(t *testing.T) {
	check := func(args []string) (code int) {
		code, _, stderr := dryRun(args...)
		for _, word := range foreignWords {
			assert.NotContains(t, stderr, word, "tributary %s", strings.Join(args, " "))
		}
		if code != exitFine {
			assert.Equal(t, exitUsage, code, "tributary %s", strings.Join(args, " "))
			assert.True(t, strings.HasPrefix(stderr, "tributary: "), "tributary %s: %s", strings.Join(args, " "), stderr)
		}
		return code
	}
	refused := 0
	for _, cmd := range everyCommand(rootCmd()) {
		path := strings.Fields(cmd.CommandPath())[1:]
		for _, args := range [][]string{{}, {"x"}, {"x", "y", "z"}} {
			if check(append(slices.Clone(path), args...)) != exitFine {
				refused++
			}
		}
		assert.Equal(t, exitUsage, check(append(slices.Clone(path), "--frobnicate")), path)
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			for _, bad := range []string{"nonsense", "-1", "", "1e3", "99999999999999999999999", "1,5h"} {
				if check(append(slices.Clone(path), "--"+f.Name+"="+bad)) != exitFine {
					refused++
				}
			}
			if f.NoOptDefVal == "" {
				assert.Equal(t, exitUsage, check(append(slices.Clone(path), "--"+f.Name)), "--%s", f.Name)
			}
		})
	}
	assert.Greater(t, refused, 100)
}

func TestUsageErrors(t *testing.T) {
	for line, want := range map[string]string{
		"join":                          "SPEC is missing",
		"join a.yaml b.yaml":            `tributary join takes one SPEC, got "b.yaml" as well`,
		"check":                         "SPEC is missing",
		"version x":                     `tributary version takes no arguments, got "x"`,
		"schema reprot":                 `tributary schema "reprot": must be spec, report or sample; did you mean report?`,
		"schema spec report":            `tributary schema takes one argument, got "report" as well`,
		"job sop x":                     `there is no command "job sop"; did you mean stop?`,
		"job status":                    "JOB is missing",
		"show":                          "FILE|DIR|PATTERN is missing",
		"generate made":                 `tributary generate takes no arguments, got "made"`,
		"jion x":                        `there is no command "jion"; did you mean job or join?`,
		"join x --frm 2026-01-01":       "there is no flag --frm; did you mean --from?",
		"join x --paralle 2":            "there is no flag --paralle; did you mean --parallel?",
		"join x -p 2":                   "there is no flag -p; flags have names, like --help",
		"join x --parallel many":        `--parallel "many": must be a whole number from 1 to 1000000`,
		"join x --parallel=-1":          `--parallel "-1": must be a whole number from 1 to 1000000`,
		"join x --interval 1,5h":        `--interval "1,5h": is not a duration like 30m or 1d12h; did you mean 1.5h?`,
		"join x --interval 90":          `--interval "90": is a number without a unit; write 90s, 90m, 90h or 90d`,
		"join x --from yesterday":       `--from "yesterday": is not a time like 2026-01-02 or 2026-01-02T15:04:05Z`,
		"join x --from":                 "--from needs a value: a time like 2026-01-02 or 2026-01-02T15:04:05Z",
		"show x --limit=-1":             `--limit "-1": must be a whole number, 0 or more`,
		"run x --runner flnk":           `--runner "flnk": ` + mustBe("flnk", runnerNames()),
		"run x --parallelism 0":         `--parallelism "0": must be a whole number from 1 to 1000000`,
		"demo --port 70000":             `--port "70000": must be a whole number from 1 to 65535`,
		"check x --json=perhaps":        `--json "perhaps": must be true or false`,
		"generate --out x --late often": `--late "often": "often" is no rate`,
		"join x --=3":                   `"--=3" is no flag`,
		"help exit-code":                `there is no command, code, key or topic "exit-code"; did you mean exit-codes?`,
	} {
		code, _, stderr := dryRun(strings.Fields(line)...)
		assert.Equal(t, exitUsage, code, line)
		assert.Contains(t, stderr, "tributary: "+want, line)
	}
	for _, line := range []string{"join x --interval 1d", "join x --interval 90m", "join x --from 2026-01-02 --to 2026-01-03T00:00:00z", "demo --for 0", "demo --for 1d", "run x --checkpoint-interval 1m", "run x --until 2026-01-02T15:04"} {
		code, _, stderr := dryRun(strings.Fields(line)...)
		assert.Equal(t, exitFine, code, "%s: %s", line, stderr)
	}
}

func TestCompletion(t *testing.T) {
	for line, want := range map[string][]string{
		"help T120":             {"T1201\tnot a duration", "T1202\tduration too short"},
		"help j":                {"join\t", "job\t"},
		"help ex":               {"exit-codes\t"},
		"run x.yaml --runner ":  {"flink", "prism", "direct"},
		"run x.yaml --resume ":  {"log", "last"},
		"run x.yaml --until ":   {"end"},
		"generate --order ":     {"none", "file"},
		"generate --codec ":     {"snappy"},
		"check x --inputs=":     {"first", "all"},
		"join ":                 {"yaml", "yml", ":8"},
		"check x.yaml ":         {"yaml", "yml", ":8"},
		"join x.yaml ":          {":4"},
		"schema ":               {"spec", "report", ":4"},
		"report x.yaml --html ": {"html", ":8"},
	} {
		args := strings.Split(line, " ")
		code, stdout, _ := dryRun(append([]string{cobra.ShellCompRequestCmd}, args...)...)
		require.Equal(t, exitFine, code, line)
		for _, word := range want {
			assert.Contains(t, stdout, word, line)
		}
	}
}
