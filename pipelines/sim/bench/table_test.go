package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTables: each system has its row, those with stages and those that join nothing against ours.
func TestTables(t *testing.T) {
	r := &Report{Processors: 2}
	for name, cpu := range map[string]float64{oursName: 10, oneStageName: 10.25, threeStagesName: 15, streamsName: 40, copyName: 2.5} {
		process := "worker"
		if name == streamsName || name == copyName {
			process = programProcess
		}
		r.Throughput = append(r.Throughput, &Throughput{System: name, Parallelism: 2, Events: 1_000_000, Seconds: cpu, CPU: map[string]float64{process: cpu}})
	}
	// The state of ours need not stand first.
	r.State = []*StateSize{{System: threeStagesName, OpenViews: 1000, State: 125_000}, {System: oursName, OpenViews: 1000, State: 100_000}}
	r.Delay = []*Delay{
		{System: oursName, AfterWindow: Quantiles{P50: 3, P99: 4}, AfterBucket: Quantiles{P50: 1, P99: 2}},
		{System: threeStagesName, Stage: "10s", Samples: 5000, AfterView: Quantiles{P50: 11.5, P99: 12.4}, AfterBucket: Quantiles{P50: 0.3, P99: 0.6}},
	}
	text := r.markdown()
	for _, row := range []string{
		"| Kafka Streams | 2 | 4.0 × | 4.0 × |",
		"| franz-go copy | 2 | 0.25 × | 0.25 × |",
		"| tributary, 3 stages | 2 | 1.50 × | 1.25 × |",
		"| tributary, 1 stage | 2 | 1.02 × |  |",
		"| Kafka Streams | 2 |  |  |  |  | 40.0 | 40.0 | 0.0 |",
		"| tributary | 0 | 3.0 s | 4.0 s | 1.0 s | 2.0 s | 0.00 |",
		"| tributary, 3 stages | 10s | 0 | 5 000 | 11.50 s | 12.40 s | 0.30 s | 0.60 s | 0.00 |",
		"that is $0.14 for tributary, $0.56 for Kafka Streams.",
		"A million open views take 100 MB of state",
	} {
		require.Contains(t, text, row)
	}
	require.NotContains(t, text, "A cluster with a worker and no job", "it was not measured")

	file := filepath.Join(t.TempDir(), "drawn.svg")
	require.NoError(t, r.draw(file))
	drawn, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(drawn), "Kafka Streams, parallelism 2: 25 000")
	require.NotContains(t, string(drawn), "Flink SQL")
	require.NotContains(t, string(drawn), "copy")
}
