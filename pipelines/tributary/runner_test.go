package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/pipelines/sim/generate"
	"tributary/runners"
	"tributary/runners/runnertest"
)

// TestARunnerIsOnePackage: one that registers itself is offered by the command, and runs jobs.
func TestARunnerIsOnePackage(t *testing.T) {
	require.Equal(t, []string{"flink", "counting", "direct", "prism"}, runnerNames())
	require.PanicsWithValue(t, "runners.Register: two runners are called counting", func() { runners.Register(runnertest.Counting{}) })
	offered := rootCmd()
	cmd, _, err := offered.Find([]string{"run"})
	require.NoError(t, err)
	require.NoError(t, cmd.Flag("runner").Value.Set("counting"))

	c := generate.Default()
	c.Out, c.Views, c.Duration = t.TempDir(), 300, 10*time.Minute
	_, err = generate.Run(t.Context(), c, nil)
	require.NoError(t, err)
	before := runnertest.Started.Load()
	var stdout, stderr strings.Builder
	code := run(t.Context(), []string{"run", c.Out + "/spec.yaml", "--runner", "counting"}, &stdout, &stderr)
	require.Equal(t, exitFine, code, stderr.String())
	require.Contains(t, stdout.String(), "samples   300")
	require.Equal(t, before+1, runnertest.Started.Load(), "all slices at once")
}
