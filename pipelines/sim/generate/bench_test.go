package generate

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkRun writes a million views with a tenth as many engagements.
func BenchmarkRun(b *testing.B) {
	for _, codec := range Codecs {
		b.Run(codec, func(b *testing.B) {
			events := int64(0)
			for b.Loop() {
				c := Default()
				c.Views, c.Duration, c.Codec, c.Out = 1_000_000, time.Hour, codec, b.TempDir()
				c.Kinds = c.Kinds[:1]
				truth, err := Run(b.Context(), c, nil)
				require.NoError(b, err)
				events += truth.Events()
			}
			b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
