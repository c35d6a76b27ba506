package preflight

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestSize: what a shard has of a bucket is estimated by the views of the last hour.
func TestSize(t *testing.T) {
	_, address := newCluster(t)
	s := parse(t, at(address), outputs)
	create(t, s)
	cl, err := kgo.NewClient(kgo.SeedBrokers(address))
	require.NoError(t, err)
	defer cl.Close()
	for _, f := range Check(t.Context(), s, Targets{}) {
		require.NotEqual(t, "size", f.Step, "there are no views")
	}
	var records []*kgo.Record
	for range 1800 {
		records = append(records, &kgo.Record{Topic: "views", Value: []byte(strings.Repeat("x", 800))})
	}
	require.NoError(t, cl.ProduceSync(t.Context(), records...).FirstErr())
	found := find(t, Check(t.Context(), s, Targets{}), "size", "main")
	require.Equal(t, OK, found.Status)
	// 1800 an hour, buckets of 5 minutes, 3 shards, 800 bytes and 200 beside them.
	require.Equal(t, "views of the last hour make about 50 samples, 0.1 MB, in a bucket of 5m0s of each of 3 shards: they are in memory at once, at catch-up too", found.Detail)
}

// TestSizeOfMany: too many samples, or too large ones, are several transactions.
func TestSizeOfMany(t *testing.T) {
	s := parse(t, at("localhost:1"), outputs)
	c := &checker{spec: s}
	for _, test := range []struct {
		views  int64
		mean   float64
		status Status
		detail string
		fix    string
	}{
		{7_200_000, 0, OK, "about 200000 samples, 40.0 MB,", ""},
		{7_300_000, 0, Warning, "and written in 2 transactions, which readers see one after another", "set shards to 6, or bucket to 2m30s or less"},
		{720_000, 9800, Warning, "about 20000 samples, 200.0 MB, in a bucket of 5m0s of each of 3 shards: they are in memory at once, at catch-up too, and written in 3 transactions", "set shards to 9, or bucket to 1m40s or less"},
	} {
		found := c.sizeOf(test.views, test.mean, "main")
		require.Equal(t, test.status, found.Status)
		require.Contains(t, found.Detail, test.detail)
		require.Equal(t, test.fix, found.Fix)
	}
}
