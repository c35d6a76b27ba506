package batch

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/pipelines/sim/generate"
	"tributary/runners"
	"tributary/runners/devcluster/services"
	"tributary/runners/devcluster/servicestest"
	"tributary/runners/direct"
	"tributary/runners/flink"
)

// TestAllSlicesAtOnce: one pipeline over all slices writes the files of samples that one for each slice does, byte
// for byte, and its accounts are their sum. What an earlier run left beside the samples goes.
func TestAllSlicesAtOnce(t *testing.T) {
	allSlicesAtOnce(t, 20_000, func(string) runners.Runner { return direct.Runner{} })
}

// TestAllSlicesOnFlink does the same on a cluster, on two workers' threads.
func TestAllSlicesOnFlink(t *testing.T) {
	_, cluster := servicestest.Start(t, "flink")
	allSlicesAtOnce(t, 100_000, func(name string) runners.Runner { return onFlink(cluster, name) })
}

func onFlink(cluster services.Address, name string) runners.Runner {
	return flink.Runner{Options: flink.Options{
		JobServer: cluster.Part("jobserver"), REST: cluster.Part("rest"), Name: name, Parallelism: 2, Streaming: true,
	}}
}

func allSlicesAtOnce(t *testing.T, views int64, on func(name string) runners.Runner) {
	t.Helper()
	c := generate.Default()
	c.Views, c.Duration, c.Partitions, c.Order = views, 50*time.Minute, 3, generate.OrderFile
	c.Late, c.Orphans, c.Malformed, c.Duplicates = 0.1, 0.1, 0.05, 0.1
	dir, _ := made(t, c)
	s := loadSpec(t, dir)
	want := join(t, s, Options{Slice: 7 * time.Minute})
	require.Greater(t, want.Intervals, 5)
	spread := to(s, dir+"/spread")
	join(t, spread, Options{Slice: 7 * time.Minute}) // what is there already
	got := join(t, spread, Options{Slice: 7 * time.Minute, Runner: on(t.Name())})
	require.Equal(t, 1, got.Intervals)
	require.Equal(t, want.Accounts.Views, got.Accounts.Views)
	require.Equal(t, want.Accounts.Engagements, got.Accounts.Engagements)
	sameFiles(t, dir+"/out/samples", dir+"/spread/samples")
	for _, rejected := range []string{"late", "dead"} {
		require.ElementsMatch(t, rejectedOf(t, dir+"/out/"+rejected), rejectedOf(t, dir+"/spread/"+rejected))
	}
	again := join(t, spread, Options{Slice: 7 * time.Minute, Runner: on(t.Name())})
	require.Equal(t, 1, again.Finished, "what is finished is not joined again")
}
