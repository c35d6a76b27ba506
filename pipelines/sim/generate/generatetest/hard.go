// Package generatetest makes input for tests of other packages.
package generatetest

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/io/format/avro"
	"tributary/pipelines/sim/generate"
)

// Hard makes a folder of input in which all goes wrong that can: so many views over that time, in three partitions with an order, with the
// schema of its engagements in engagement.avsc.
func Hard(t testing.TB, views int64, over time.Duration) (dir string) {
	t.Helper()
	c := generate.Default()
	c.Out, c.Views, c.Duration, c.Partitions, c.Order = t.TempDir(), views, over, 3, generate.OrderFile
	var err error
	c.Kinds, err = generate.ParseKinds("like:30%:window=2m,median=40s,repeat=30% buy:5%:window=3m,amount=20", time.Minute)
	require.NoError(t, err)
	c.OutOfOrderness, c.ClockSkew, c.Disorder = 30*time.Second, 2*time.Second, 20*time.Second
	c.Duplicates, c.Late, c.Orphans, c.Malformed, c.Early, c.Edges = 0.1, 0.1, 0.1, 0.05, 0.1, 0.3
	_, err = generate.Run(t.Context(), c, nil)
	require.NoError(t, err)
	file, err := os.Open(c.Out + "/engagements/part-00000-00000.avro")
	require.NoError(t, err)
	defer file.Close() //nolint:errcheck // only read
	engagements, err := avro.NewReader(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(c.Out+"/engagement.avsc", []byte(engagements.Header().Schema.String()), 0o600))
	return c.Out
}
