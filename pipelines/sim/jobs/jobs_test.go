// Package jobs runs the jobs that the README shows, as they stand there, on raw logs with the faults of real ones, and one on a public log of
// events, and holds what comes out against SQL over the raw lines, which DuckDB runs: lines.sql and rules.sql say what a view, an engagement
// and a sample is, feed.sql, shop.sql, ads.sql and clickstream.sql how the lines of a job are read, and compare.py compares every sample.
// Specs that are proposed for the raw logs join them, too.
package jobs

import (
	"bytes"
	"embed"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/pipelines/job/batch"
	"tributary/pipelines/reading/readback"
	"tributary/pipelines/spec"
	"tributary/transforms/account"
)

//go:embed compare.py
var compare string

//go:embed *.sql
var queries embed.FS

// found is what SQL finds in the raw lines, and in samples that are the same.
type found struct {
	// Totals are how many of each outcome, by role.
	Totals map[string]map[string]int64
	// Times are by the time of views, in spans of a day: when one begins (ms), the samples, and the positives by kind.
	Times map[int64]account.Interval
}

func TestFeed(t *testing.T) {
	f := run(t, "A **feed**", writeFeed, "feed.sql", "like", "dwell")
	require.Greater(t, f.Totals["views"]["samples"], int64(4000))
	require.Len(t, f.Times, 3) // one of a clock that is wrong
}

func TestShop(t *testing.T) {
	f := run(t, "A **shop**", writeShop, "shop.sql", "cart", "purchase")
	require.Greater(t, f.Totals["views"]["samples"], int64(5000))
	require.Len(t, f.Times, 2)
}

func TestAds(t *testing.T) {
	f := run(t, "An **ad** server", writeAds, "ads.sql", "click", "revenue", "assist")
	require.Greater(t, f.Totals["views"]["samples"], int64(5000))
	require.Greater(t, f.Totals["revenue"]["matched"], f.Totals["revenue"]["positives"])
	require.Less(t, f.Totals["assist"]["matched"], f.Totals["assist"]["positives"])
}

// TestClickstream joins the log of all events of a shop, as it is, whose views share users with engagements.
func TestClickstream(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(dir, "testdata/clickstream"), os.DirFS("../../../testdata/clickstream")))
	text, err := os.ReadFile("../../../testdata/specs/clickstream.yaml")
	require.NoError(t, err)
	s, err := spec.Parse(filepath.Join(dir, "testdata/specs/clickstream.yaml"), text)
	require.NoError(t, err)
	f := compared(t, dir, s, "clickstream.sql", "cart", "first_look", "purchase")
	require.Equal(t, map[string]int64{"samples": 6841, "duplicates": 10}, f.Totals["views"])
	require.Less(t, f.Totals["cart"]["positives"], f.Totals["cart"]["matched"]) // several of one view
	require.Equal(t, f.Totals["first_look"]["matched"], f.Totals["first_look"]["positives"])
	require.Greater(t, f.Totals["purchase"]["positives"], 2*f.Totals["purchase"]["matched"])

	tests, err := batch.Test(t.Context(), s)
	require.NoError(t, err)
	require.Len(t, tests, 1)
	require.Empty(t, tests[0].Differences)
}

// run joins a raw log by the spec in the README behind some words, and holds samples and accounts against the SQL of the job.
func run(t *testing.T, words string, write func(*testing.T, string), query string, kinds ...string) found {
	t.Helper()
	dir := t.TempDir()
	write(t, dir)
	s, err := spec.Parse(filepath.Join(dir, "spec.yaml"), readmeSpec(t, words))
	require.NoError(t, err)
	f := compared(t, dir, s, query, kinds...)
	require.Len(t, f.Totals["views"], 4) // there are some of each outcome
	for _, kind := range kinds {
		require.Len(t, f.Totals[kind], 7, kind)
	}
	return f
}

// compared joins by a spec, and holds samples and accounts against SQL over the files in a folder.
func compared(t *testing.T, dir string, s *spec.Spec, query string, kinds ...string) found {
	t.Helper()
	r, err := batch.Run(t.Context(), s, batch.Options{})
	require.NoError(t, err)
	require.NoError(t, r.Accounts.Check())

	sql := t.TempDir()
	require.NoError(t, os.CopyFS(sql, queries))
	var f found
	require.NoError(t, json.Unmarshal([]byte(readback.Python(t, compare, nil, dir, s.Outputs.Samples.Path, filepath.Join(sql, query))), &f))

	views := r.Accounts.Views.N
	require.Equal(t, f.Totals["views"], some(map[string]int64{
		"samples": views[account.Samples], "duplicates": views[account.Duplicates], "late": views[account.Late], "dead": views[account.Dead],
	}))
	require.Len(t, r.Accounts.Engagements, len(kinds))
	for _, kind := range kinds {
		n := r.Accounts.Engagements[kind].N
		require.Equal(t, f.Totals[kind], some(map[string]int64{
			"matched": n[account.Matched], "outside_window": n[account.Outside], "orphans": n[account.Orphans],
			"duplicates": n[account.Duplicates], "late": n[account.Late], "dead": n[account.Dead], "positives": n[account.Positives],
		}), kind)
	}
	times := map[int64]account.Interval{}
	const span = 24 * 3_600_000 // which buckets of all jobs divide
	for start, n := range r.Accounts.Timeline {
		at := times[start/span*span]
		if at.Positives == nil {
			at.Positives = map[string]int64{}
		}
		at.Samples += n.Samples
		for kind := range f.Totals {
			if kind != "views" {
				at.Positives[kind] += n.Positives[kind]
			}
		}
		times[start/span*span] = at
	}
	require.Equal(t, f.Times, times)
	return f
}

// some are the counts of what there is.
func some(counts map[string]int64) map[string]int64 {
	maps.DeleteFunc(counts, func(_ string, n int64) bool { return n == 0 })
	return counts
}

// readmeSpec is the first spec of the README behind some words.
func readmeSpec(t *testing.T, words string) []byte {
	t.Helper()
	text, err := os.ReadFile("../../../README.md")
	require.NoError(t, err)
	_, text, found := bytes.Cut(text, []byte(words))
	require.True(t, found, words)
	_, text, found = bytes.Cut(text, []byte("```yaml\n"))
	require.True(t, found, words)
	text, _, found = bytes.Cut(text, []byte("```"))
	require.True(t, found, words)
	return text
}
