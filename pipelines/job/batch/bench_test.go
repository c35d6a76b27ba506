package batch

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/pipelines/sim/generate"
	"tributary/pipelines/spec"
)

// BenchmarkJoin joins Avro files of about 105-byte views with 10 % engagements into Avro
// samples, all the way from file to file, on the processors there are.
func BenchmarkJoin(b *testing.B) {
	dir := b.TempDir()
	made := generate.Default()
	made.Out, made.Views, made.Duration, made.Disorder = dir, 1_000_000, 2*time.Hour, 5*time.Second
	made.Kinds = made.Kinds[:1]
	_, err := generate.Run(context.Background(), made, func(int64) {})
	require.NoError(b, err)
	s, err := spec.Load(filepath.Join(dir, "spec.yaml"))
	require.NoError(b, err)
	events := int64(0)
	for b.Loop() {
		r, err := Run(context.Background(), s, Options{Again: true, Interval: time.Hour})
		require.NoError(b, err)
		events += r.Events
	}
	b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
}
