package exporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// stalls adds records that nobody reads, which only their partition tells of.
func (r *rig) stalls(t *testing.T) {
	client, err := kgo.NewClient(kgo.SeedBrokers(r.brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, err)
	defer client.Close()
	for range 5 {
		require.NoError(t, client.ProduceSync(t.Context(), &kgo.Record{Topic: "views", Partition: 1, Value: []byte("x")}).FirstErr())
	}
	r.spec.Stream.IdleTimeout = time.Minute
	e := r.exporter(Options{Now: func() time.Time { return time.Now().Add(time.Hour) }})
	all := families(t, e)
	lag, idle := values(all["tributary_partition_lag_records"]), values(all["tributary_partition_idle"])
	require.Len(t, lag, 6)
	marks := values(all["tributary_partition_watermark_timestamp_seconds"])
	for name := range lag {
		if name == "1 main/views" {
			assert.InDelta(t, 5, lag[name], 0)
			assert.Zero(t, idle[name], "it has something to bring")
			continue
		}
		assert.Zero(t, lag[name], name)
		assert.InDelta(t, 1, idle[name], 0, name)
	}
	assert.InDelta(t, marks["1 main/views"], values(all["tributary_watermark_timestamp_seconds"])[""], 0, "it alone holds the watermark")
}
