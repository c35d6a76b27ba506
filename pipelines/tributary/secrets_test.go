package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
)

// canary is part of every secret of scripts.
const canary = "canary"

// hides runs a command, however it ends, and fails if a secret is in what it says, or in a file that it
// has left: `hides tributary check stream.yaml`.
func hides(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: hides COMMAND ARG...")
	}
	ended := ts.Exec(args[0], args[1:]...)
	for _, stream := range []string{"stdout", "stderr"} {
		if said := ts.ReadFile(stream); strings.Contains(said, canary) {
			ts.Fatalf("a secret is in %s:\n%s", stream, said)
		} else if ended != nil && stream == "stderr" {
			ts.Logf("%v\n%s", ended, said)
		}
	}
	ts.Check(filepath.WalkDir(ts.MkAbs("."), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if bytes.Contains(content, []byte(canary)) {
			ts.Fatalf("a secret is in %s", path)
		}
		return err
	}))
}

// TestSecretsOfEveryCommand: the script of secrets runs every command that is given a spec.
func TestSecretsOfEveryCommand(t *testing.T) {
	script, err := os.ReadFile("testdata/secrets.txtar")
	require.NoError(t, err)
	var look func(path string, commands []*cobra.Command)
	look = func(path string, commands []*cobra.Command) {
		for _, cmd := range commands {
			if strings.Contains(cmd.Use, "SPEC") {
				require.Contains(t, string(script), "\nhides tributary"+path+" "+cmd.Name()+" ")
			}
			look(path+" "+cmd.Name(), cmd.Commands())
		}
	}
	look("", subcommands())
}
