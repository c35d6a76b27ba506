package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/pipelines/spec"
)

// parsedOnly are the commands that need servers, or show something for as long as one looks:
// of their examples the flags, the arguments and the specs are held to be right.
var parsedOnly = []string{"run", "report", "audit", "repair", "why", "top", "ui", "tap", "metrics", "topics", "worker", "job", "cluster", "demo"}

// exampleWords are what examples with a lot to do, or with a place elsewhere, have in them.
var exampleWords = []string{"50000000", "gs://", "--online", "--worker"}

// TestExamplesRun runs what the help of every command shows, one after another in a folder
// with the files that examples name.
func TestExamplesRun(t *testing.T) {
	dir := t.TempDir()
	setup, err := os.ReadFile(filepath.Join("testdata", "examples", "setup.txt"))
	require.NoError(t, err)
	script, files, found := strings.Cut(string(setup), "\n-- ")
	require.True(t, found)
	ran := 0
	for _, cmd := range everyCommand(rootCmd()) {
		for _, line := range exampleLines(cmd.Example) {
			words := splitWords(line)
			if slices.Contains(parsedOnly, words[1]) || slices.ContainsFunc(exampleWords, func(w string) bool { return strings.Contains(line, w) }) {
				parses(t, words)
				continue
			}
			ran++
			if words[1] == "init" && strings.Contains(line, "-o feed.yaml") {
				script += "\nrm feed.yaml\nexec " + line + "\ncp start.yaml feed.yaml" // it writes over nothing
				continue
			}
			script += "\nexec " + strings.ReplaceAll(line, "specs/*", "specs/made") // as the shell does
		}
	}
	assert.Greater(t, ran, 15)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "examples.txtar"), []byte(script+"\n\n-- "+files), 0o600))
	testscript.Run(t, testscript.Params{Dir: dir, RequireExplicitExec: true})
}

// TestReadmeIsRight holds the commands of the README to be parsed, and its specs to be sound;
// the tests in them run.
func TestReadmeIsRight(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	dir := t.TempDir()
	specs := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(text, -1)
	require.NotEmpty(t, specs)
	script := ""
	for i, block := range specs {
		name := "spec" + string(rune('0'+i)) + ".yaml"
		s, err := spec.Parse(name, block[1])
		require.NoError(t, err)
		if len(s.Tests) > 0 {
			script += "exec tributary test " + name + "\nstdout 'tests passed'\n"
		}
	}
	require.NotEmpty(t, script)
	for i, block := range specs {
		script += "\n-- spec" + string(rune('0'+i)) + ".yaml --\n" + string(block[1])
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "readme.txtar"), []byte(script), 0o600))
	testscript.Run(t, testscript.Params{Dir: dir, RequireExplicitExec: true})

	commands := regexp.MustCompile("`(tributary [^`]+)`").FindAllSubmatch(text, -1)
	assert.Greater(t, len(commands), 15)
	placeholders := strings.NewReplacer("SPEC", "feed.yaml", "--from T", "--from 2026-01-01", "--to T", "--to 2026-01-02", "ADDR", "127.0.0.1:50000",
		"FILE\\|DIR", "out", "DIR", "out", "FILES…", "views.csv")
	for _, found := range commands {
		words := splitWords(placeholders.Replace(string(found[1])))
		if len(words) < 3 || !strings.Contains(words[2], `\|`) {
			parses(t, words)
			continue
		}
		for action := range strings.SplitSeq(words[2], `\|`) { // job list|status
			cmd, rest, err := rootCmd().Find([]string{words[1], action})
			require.NoError(t, err)
			assert.Empty(t, rest, action)
			assert.Equal(t, action, cmd.Name())
		}
	}
}

// exampleLines are the commands of an example: what of them is ours, up to a pipe.
func exampleLines(example string) (out []string) {
	example = strings.ReplaceAll(example, "\\\n", " ")
	for line := range strings.Lines(example) {
		for part := range strings.SplitSeq(line, "&&") {
			part, _, _ = strings.Cut(part, " | ")
			part, _, _ = strings.Cut(part, " > ")
			if part = strings.Join(strings.Fields(part), " "); strings.HasPrefix(part, "tributary ") {
				out = append(out, part)
			}
		}
	}
	return out
}

// splitWords splits a command as a shell does, as far as examples go.
func splitWords(line string) (words []string) {
	for _, m := range regexp.MustCompile(`'([^']*)'|(\S+)`).FindAllStringSubmatch(line, -1) {
		words = append(words, m[1]+m[2])
	}
	return words
}

// parses holds the flags and arguments of a command to be right.
func parses(t *testing.T, words []string) {
	t.Helper()
	if words[1] == "help" {
		return // which has no arguments of its own to cobra
	}
	if _, rest, err := rootCmd().Find(words[1:]); err == nil && len(rest) == 0 {
		return // a command that is only spoken of
	}
	code, _, stderr := dryRun(words[1:]...)
	assert.Equal(t, exitFine, code, "%s: %s", strings.Join(words, " "), stderr)
}
