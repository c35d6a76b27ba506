package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/runners/devcluster/servicestest"
)

// TestMain is this program as a join, when a test's process is one that a contestant starts.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == joinCommand {
		main()
		return
	}
	os.Exit(servicestest.Main(m))
}

// TestBatchContestantsAgree joins a few events by every contestant: all give what is true.
func TestBatchContestantsAgree(t *testing.T) {
	t.Chdir("../../..") // as make runs it
	dir := t.TempDir()
	cluster, _ := servicestest.Start(t, "flink")
	o := batchOptions{events: 20_000, rounds: 2, data: dir, flink: cluster, long: true}
	report, err := o.run(t.Context())
	require.NoError(t, err)
	require.Len(t, report.Rows, 6, "ours also join windows of a week")
	require.Equal(t, report.Rows[0].Answer, report.Rows[1].Answer)
	require.Equal(t, 7*24*time.Hour, report.Rows[5].Log.Window)
	for _, row := range report.Rows {
		require.Equal(t, int64(18_181), row.Answer.Samples)
		require.Greater(t, row.Answer.Positives, int64(1500))
		require.Greater(t, row.Answer.DelayMs, row.Answer.Positives*1000)
		want := o.rounds
		if row.Name == "DuckDB 1.5.5" {
			want = 1 // it is slow
		}
		require.Len(t, row.Turns, want, row.Name)
		for _, turn := range row.Turns {
			require.Positive(t, turn.CPUSeconds)
			require.Greater(t, turn.Peak, int64(10<<20))
		}
	}
	var text bytes.Buffer
	require.NoError(t, report.print(&text, false))
	for _, word := range []string{"tributary, direct", "tributary, Flink", "DuckDB 2.0.1", "parquet, parquet", "left out, counted", "none", "a week, of four"} {
		require.Contains(t, text.String(), word)
	}
}

// TestBatchRefusesAnotherAnswer: whoever gives other samples than the truth, or other delays than the first one,
// fails the run.
func TestBatchRefusesAnotherAnswer(t *testing.T) {
	in := &batchInput{dir: filepath.Join(t.TempDir(), "input"), want: answer{Samples: 10, Positives: 2}}
	turn := func(got answer) error {
		c := &contestant{
			join:   func(context.Context, *batchInput, string) (Turn, error) { return Turn{}, nil },
			answer: func(context.Context, string) (answer, error) { return got, nil },
		}
		_, err := c.turn(t.Context(), in)
		return err
	}
	require.NoError(t, turn(answer{10, 2, 700}))
	require.NoError(t, turn(answer{10, 2, 700}))
	require.ErrorContains(t, turn(answer{10, 3, 700}), "3 of them positive")
	require.ErrorContains(t, turn(answer{11, 2, 700}), "11 samples")
	require.ErrorContains(t, turn(answer{10, 2, 701}), "delays of 701 ms: it must be 10, 2 and 700")
}

// TestMiddleTurn: figures are those of the middle turn, but the peak is the largest.
func TestMiddleTurn(t *testing.T) {
	row := BatchResult{Turns: []Turn{{CPUSeconds: 3, Peak: 1}, {CPUSeconds: 1, Peak: 7}, {CPUSeconds: 2, Seconds: 5, Peak: 2}}}
	require.Equal(t, Turn{CPUSeconds: 2, Seconds: 5, Peak: 7}, row.middle())
}
