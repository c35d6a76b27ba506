package advise

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/pipelines/job/batch"
	"tributary/pipelines/report"
	"tributary/pipelines/spec"
)

// weeks writes a log of 60 days of which views share users, and engagements come within a week, and returns a spec of it.
func weeks(t *testing.T, more string) *spec.Spec {
	t.Helper()
	dir, r := t.TempDir(), rand.New(rand.NewPCG(1, 2))
	var views, buys strings.Builder
	for i := range 6000 {
		at := begin + int64(i)*60*86_400_000/6000
		user := r.IntN(600)
		fmt.Fprintf(&views, `{"id":"view-%016x","user":"user-%016x","ts":%d,"page":"https://example.com/%032x"}`+"\n", r.Uint64(), user*7919, at, r.Uint64())
		if r.IntN(10) == 0 {
			fmt.Fprintf(&buys, `{"id":"buy-%016x","user":"user-%016x","ts":%d}`+"\n", r.Uint64(), user*7919, at+r.Int64N(7*86_400_000))
		}
	}
	require.NoError(t, os.WriteFile(dir+"/views.jsonl", []byte(views.String()), 0o600))
	require.NoError(t, os.WriteFile(dir+"/buys.jsonl", []byte(buys.String()), 0o600))
	s, err := spec.Parse(dir+"/spec.yaml", []byte(`views: {inputs: views.jsonl, id: id, key: user, time: {field: ts, unit: epoch-millis}}
engagements:
  buy: {inputs: buys.jsonl, key: user, id: id, time: {field: ts, unit: epoch-millis}, window: 7d, label: count}
outputs: {samples: {path: out/samples, format: json}}
`+more))
	require.NoError(t, err)
	return s
}

// TestSharedBuckets: where views share a key, a bucket of the window is advised; it costs what the model says, and changes no sample.
func TestSharedBuckets(t *testing.T) {
	daily, weekly := weeks(t, ""), weeks(t, "bucket: 7d\n")
	var samples []string
	var reports []*report.Report
	for _, s := range []*spec.Spec{daily, weekly} {
		r, err := batch.Run(t.Context(), s, batch.Options{Interval: 100 * 24 * time.Hour})
		require.NoError(t, err)
		require.NoError(t, r.Accounts.Check())
		content := ""
		require.NoError(t, filepath.WalkDir(s.Outputs.Samples.Path, func(path string, _ os.DirEntry, err error) error {
			if strings.Contains(path, ".jsonl") {
				text, err := os.ReadFile(path)
				content += string(text)
				return err
			}
			return err
		}))
		samples, reports = append(samples, content), append(reports, r)
	}
	require.NotEmpty(t, samples[0])
	require.Equal(t, samples[0], samples[1])

	r, err := Run(t.Context(), daily, Options{})
	require.NoError(t, err)
	require.NotEmpty(t, r.Advice)
	advice := r.Advice[len(r.Advice)-1]
	require.Equal(t, []string{"bucket", "1d", "7d", "bucket: 7d"}, []string{advice.Key, advice.From, advice.To, advice.Then})
	require.Contains(t, advice.Because, "each goes to 3 buckets in place of 15; samples within 8d1m -> 14d1m, state")
	require.EqualValues(t, weekly.WholeCost().SamplesWithinMs, r.After.Cost.SamplesWithinMs)
	require.Less(t, float64(r.After.Cost.StateBytes), worthIt*float64(r.Now.Cost.StateBytes))
	then, err := Run(t.Context(), weekly, Options{})
	require.NoError(t, err)
	for _, one := range then.Advice {
		require.NotEqual(t, "bucket", one.Key)
	}
	for i, of := range []*Result{r, then} {
		cost := of.Now.Cost
		model := float64(of.Read.Views)*(bytesOf(t, daily)+besideView+cost.MeanViewMarkers*ofMarker) + float64(of.Read.Engagements)*float64(cost.EngagementCopies)*ofEngagement
		blocks := reports[i].Accounts.Bytes.Blocks
		t.Logf("blocks %d, by the model %.0f: %.2f", blocks, model, model/float64(blocks))
		require.InEpsilon(t, blocks, model, 0.15)
	}
}

// bytesOf is the mean size of the views of a spec.
func bytesOf(t *testing.T, s *spec.Spec) float64 {
	t.Helper()
	in, err := batch.OpenWhole(t.Context(), s, batch.WholeOptions{})
	require.NoError(t, err)
	l, err := read(t.Context(), in, DefaultEvents)
	require.NoError(t, err)
	r := l.rates(s)
	return r.viewBytes
}
