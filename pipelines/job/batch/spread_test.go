package batch

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/io/fileio"
	"tributary/pipelines/sim/generate"
	"tributary/pipelines/spec"
	"tributary/runners"
	"tributary/runners/devcluster/services"
	"tributary/runners/devcluster/servicestest"
	"tributary/runners/direct"
	"tributary/runners/flink"
	"tributary/transforms/account"
)

// TestAllIntervalsAtOnce: one pipeline over all intervals writes the files of samples that one for each interval does, byte
// for byte, and its accounts are their sum. What an earlier run left beside the samples goes.
func TestAllIntervalsAtOnce(t *testing.T) {
	allIntervalsAtOnce(t, 20_000, func(string) runners.Runner { return direct.Runner{} })
}

// TestAllIntervalsOnFlink does the same on a cluster, on two workers' threads.
func TestAllIntervalsOnFlink(t *testing.T) {
	_, cluster := servicestest.Start(t, "flink")
	allIntervalsAtOnce(t, 100_000, func(name string) runners.Runner { return onFlink(cluster, name) })
}

// TestLittleGoesThroughFlink: of blocks and samples no more than references go through Flink. Ten million events, whose
// blocks did, blocked it for ever.
func TestLittleGoesThroughFlink(t *testing.T) {
	_, cluster := servicestest.Start(t, "flink")
	c := generate.Default()
	c.Views, c.Duration = 200_000, time.Hour
	dir, _ := made(t, c)
	s := loadSpec(t, dir)
	want := join(t, s, Options{})
	got := join(t, to(s, dir+"/spread"), Options{Runner: onFlink(cluster, t.Name())})
	require.Equal(t, want.Accounts.Views, got.Accounts.Views)
	sameFiles(t, dir+"/out/samples", dir+"/spread/samples")
	require.Less(t, shuffled(t, cluster.Part("rest"), t.Name()), want.Accounts.Bytes.Samples/10)
}

// shuffled is how many bytes the steps of the last job of that name sent to each other.
func shuffled(t *testing.T, rest, name string) (bytes int64) {
	t.Helper()
	get := func(path string, answer any) {
		resp, err := http.Get("http://" + rest + path) //nolint:noctx // it ends with the cluster
		require.NoError(t, err)
		require.NoError(t, errors.Join(json.NewDecoder(resp.Body).Decode(answer), resp.Body.Close()))
	}
	type started struct {
		JID, Name string
		At        int64 `json:"start-time"`
	}
	var all struct{ Jobs []started }
	get("/jobs/overview", &all)
	all.Jobs = slices.DeleteFunc(all.Jobs, func(j started) bool { return j.Name != name })
	require.NotEmpty(t, all.Jobs)
	last := slices.MaxFunc(all.Jobs, func(a, b started) int { return cmp.Compare(a.At, b.At) })
	var details struct {
		Vertices []struct {
			Metrics struct {
				Written int64 `json:"write-bytes"`
			}
		}
	}
	get("/jobs/"+last.JID, &details)
	for _, step := range details.Vertices {
		bytes += step.Metrics.Written
	}
	require.Positive(t, bytes)
	return bytes
}

func onFlink(cluster services.Address, name string) runners.Runner {
	return flink.Runner{Options: flink.Options{
		JobServer: cluster.Part("jobserver"), REST: cluster.Part("rest"), Name: name, Parallelism: 2,
	}.Bounded()}
}

func allIntervalsAtOnce(t *testing.T, views int64, on func(name string) runners.Runner) {
	t.Helper()
	c := generate.Default()
	c.Views, c.Duration, c.Partitions, c.Order = views, 50*time.Minute, 3, generate.OrderFile
	c.Late, c.Orphans, c.Malformed, c.Duplicates = 0.1, 0.1, 0.05, 0.1
	dir, _ := made(t, c)
	s := loadSpec(t, dir)
	want := join(t, s, Options{Interval: 7 * time.Minute})
	require.Greater(t, want.Intervals, 5)
	spread := to(s, dir+"/spread")
	join(t, spread, Options{Interval: 7 * time.Minute}) // what is there already
	got := join(t, spread, Options{Interval: 7 * time.Minute, Runner: on(t.Name())})
	require.Equal(t, 1, got.Intervals)
	require.Equal(t, want.Accounts.Views, got.Accounts.Views)
	require.Equal(t, want.Accounts.Engagements, got.Accounts.Engagements)
	sameFiles(t, dir+"/out/samples", dir+"/spread/samples")
	for _, rejected := range []string{"late", "dead"} {
		require.ElementsMatch(t, rejectedOf(t, dir+"/out/"+rejected), rejectedOf(t, dir+"/spread/"+rejected))
	}
	again := join(t, spread, Options{Interval: 7 * time.Minute, Runner: on(t.Name())})
	require.Equal(t, 1, again.Finished, "what is finished is not joined again")
	if direct := on(t.Name()); direct.Name() == "direct" {
		allIntervalsAgain(t, spread, direct)
		sameFiles(t, dir+"/out/samples", dir+"/spread/samples")
	}
	require.NoDirExists(t, dir+"/spread/ledger/.shuffle")
}

// allIntervalsAgain: what is cut otherwise, lost or changed is joined again, though the accounts of the whole are there, and
// a file of an interval that has no samples any more goes.
func allIntervalsAgain(t *testing.T, s *spec.Spec, on runners.Runner) {
	t.Helper()
	opt := Options{Interval: 7 * time.Minute, Runner: on}
	finished := func(opt Options) int {
		t.Helper()
		return join(t, s, opt).Finished
	}
	files := below(t, s.Outputs.Samples.Path)
	require.NoError(t, os.Remove(files[1]))
	require.Zero(t, finished(opt), "a file is lost")
	require.Equal(t, files, below(t, s.Outputs.Samples.Path))
	text, err := os.ReadFile(files[2])
	require.NoError(t, err)
	text[len(text)/2]++
	require.NoError(t, os.WriteFile(files[2], text, 0o600))
	require.Zero(t, finished(opt), "a file has changed")
	require.Equal(t, 1, finished(opt))

	other := opt
	other.Interval = 10 * time.Minute
	require.Zero(t, finished(other), "intervals are others")
	require.Zero(t, finished(opt))
	require.Equal(t, files, below(t, s.Outputs.Samples.Path))

	o := &outputs{Parts: []string{files[0], files[1]}}
	is, err := fileio.Stat(t.Context(), files[0])
	require.NoError(t, err)
	missing, others, err := o.parts(t.Context(), &account.Sheet{Files: []account.File{{Output: "samples", Size: is.Size, Version: is.Version}}})
	require.NoError(t, err)
	require.False(t, missing)
	require.Equal(t, files[1:2], others)
}
