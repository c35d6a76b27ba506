package main

import (
	"context"
	"errors"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

var update = flag.Bool("update", false, "rewrite what scripts in testdata compare with")

// TestMain lets scripts run the command: `tributary check feed.yaml`.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"tributary": main})
}

// TestScripts runs each script of testdata: what the user typed, what they were told.
func TestScripts(t *testing.T) {
	cluster := httptest.NewServer(http.HandlerFunc(recordedFlink))
	t.Cleanup(cluster.Close)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		UpdateScripts:       *update,
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			specs, err := filepath.Abs("../../testdata/specs")
			env.Setenv("SPECS", specs)
			env.Setenv("FLINK", cluster.URL)
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "hides": hides, "kafka": kafka, "publish": publish},
	})
}

// kafka starts a broker for a script, and puts its address in the place of KAFKA in files:
// `kafka stream.yaml`. Where $BROKER_PASSWORD is set, it takes the user joiner with that, and nobody else.
func kafka(ts *testscript.TestScript, neg bool, files []string) {
	if neg || len(files) == 0 {
		ts.Fatalf("usage: kafka FILE...")
	}
	opts := []kfake.Opt{kfake.NumBrokers(1), kfake.DefaultNumPartitions(4), kfake.BrokerConfigs(map[string]string{"default.replication.factor": "1"})}
	if password := ts.Getenv("BROKER_PASSWORD"); password != "" {
		opts = append(opts, kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-512", "joiner", password))
	}
	c, err := kfake.NewCluster(opts...)
	ts.Check(err)
	ts.Defer(c.Close)
	ts.Setenv("KAFKA", c.ListenAddrs()[0])
	for _, file := range files {
		text := strings.ReplaceAll(ts.ReadFile(file), "KAFKA", c.ListenAddrs()[0])
		ts.Check(os.WriteFile(ts.MkAbs(file), []byte(text), 0o600))
	}
}

// publish writes the lines of a file to partition 0 of a topic of the broker that kafka has started: `publish views views.jsonl`.
func publish(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: publish TOPIC FILE")
	}
	opts := []kgo.Opt{kgo.SeedBrokers(ts.Getenv("KAFKA")), kgo.RecordPartitioner(kgo.ManualPartitioner())}
	if password := ts.Getenv("BROKER_PASSWORD"); password != "" {
		opts = append(opts, kgo.SASL(scram.Auth{User: "joiner", Pass: password}.AsSha512Mechanism()))
	}
	client, err := kgo.NewClient(opts...)
	ts.Check(err)
	defer client.Close()
	for line := range strings.Lines(ts.ReadFile(args[1])) {
		ts.Check(client.ProduceSync(context.Background(), &kgo.Record{Topic: args[0], Value: []byte(strings.TrimSuffix(line, "\n"))}).FirstErr())
	}
}

// exits runs a command that must end with the given code: `exits 2 tributary check`.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARG...")
	}
	want := map[string]int{"0": exitFine, "1": exitFailed, "2": exitUsage, "3": exitLost, "4": exitFound}
	code, ok := want[args[0]]
	if !ok {
		ts.Fatalf("exits: no exit code %s", args[0])
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%s: %v", args[1], err)
		}
		got = exit.ExitCode()
	}
	if got != code {
		ts.Fatalf("%v: exit code %d, want %d", args[1:], got, code)
	}
}

func TestEverySubcommandIsDocumented(t *testing.T) {
	for _, cmd := range subcommands() {
		assert.NotEmpty(t, cmd.Short, cmd.Name())
		assert.NotEmpty(t, cmd.Example, cmd.Name())
		assert.NotNil(t, cmd.Args, "%s must say which arguments it takes", cmd.Name())
		scripts, err := filepath.Glob(filepath.Join("testdata", cmd.Name()+"_*.txtar"))
		require.NoError(t, err)
		assert.NotEmpty(t, scripts, "%s needs a script in testdata", cmd.Name())
	}
}
