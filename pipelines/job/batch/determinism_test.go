package batch

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/pipelines/sim/generate"
	"tributary/pipelines/spec"
)

// all outputs, and a sampling of negatives, for comparing files byte by byte.
var allOutputs = []string{"  samples: out/samples\n", "  samples: out/samples\n  orphans: out/orphans\nnegatives: {keep: 0.5}\n"}

// deterministic makes the input of the tests below, and the spec that writes all outputs.
func deterministic(t *testing.T) (dir string, s *spec.Spec) {
	c := everything(2500)
	c.CorruptBlocks, c.Evolve = 2, true
	dir, _ = made(t, c)
	return dir, loadSpec(t, dir, allOutputs...)
}

// joined runs s with its outputs in a new folder and returns their contents.
func joined(t *testing.T, s *spec.Spec, opt Options) map[string]string {
	t.Helper()
	out := t.TempDir()
	join(t, to(s, out), opt)
	found := contents(t, out)
	require.NotEmpty(t, found)
	return found
}

func TestShardsAndBucketsChangeNoFile(t *testing.T) {
	_, s := deterministic(t)
	want := joined(t, s, Options{})
	require.Len(t, want, 5, "samples, late, dead letters, orphans and the ledger")
	for _, test := range []struct {
		shards int
		bucket time.Duration
	}{
		{1, 30 * time.Second},
		{2, 30 * time.Second},
		{3, time.Second},
		{5, 7 * time.Second},
		{16, 61 * time.Second},
		{31, 3 * time.Minute},
		{64, 30 * time.Second},
		{64, 2 * time.Hour},
		{1, 999 * time.Millisecond},
	} {
		t.Run(fmt.Sprint(test.shards, " shards, ", test.bucket), func(t *testing.T) {
			changed := *s
			changed.Shards, changed.Bucket = test.shards, test.bucket
			requireSameFiles(t, want, joined(t, &changed, Options{}))
		})
	}
}

func TestParallelIntervalsChangeNoFile(t *testing.T) {
	_, s := deterministic(t)
	want := joined(t, s, Options{Interval: 2 * time.Minute, Parallel: 1})
	requireSameFiles(t, want, joined(t, s, Options{Interval: 2 * time.Minute, Parallel: 8}))
}

// TestIntervalsOnlyCutFiles joins in intervals of many lengths, some that no bucket divides:
// together their files hold the same records, and their ledgers add up to the same.
func TestIntervalsOnlyCutFiles(t *testing.T) {
	for _, viewTime := range []bool{false, true} {
		c := everything(2000)
		c.ViewTime, c.CorruptBlocks = viewTime, 2
		dir, _ := made(t, c)
		s := loadSpec(t, dir, allOutputs...)
		whole := to(s, t.TempDir())
		want := join(t, whole, Options{Interval: 24 * time.Hour})
		for _, length := range []time.Duration{17 * time.Second, time.Minute, 7*time.Minute + 1*time.Millisecond, 10 * time.Minute} {
			t.Run(fmt.Sprint(length, viewTime), func(t *testing.T) {
				cut := to(s, t.TempDir())
				got := join(t, cut, Options{Interval: length})
				require.Greater(t, got.Intervals, 1)
				wantLedger, gotLedger := same(want.Accounts), same(got.Accounts)
				// Every file has a header, and compresses by itself.
				wantLedger.Bytes.Out, gotLedger.Bytes.Out = 0, 0
				wantLedger.From, wantLedger.To = gotLedger.From, gotLedger.To
				require.Equal(t, wantLedger, gotLedger)
				require.Equal(t, samplesBelow(t, whole.Outputs.Samples.Path), samplesBelow(t, cut.Outputs.Samples.Path))
				for _, folder := range [][2]string{
					{whole.Outputs.Late, cut.Outputs.Late}, {whole.Outputs.DeadLetters, cut.Outputs.DeadLetters}, {whole.Outputs.Orphans, cut.Outputs.Orphans},
				} {
					want, got := lines(t, folder[0]), lines(t, folder[1])
					require.NotEmpty(t, want)
					require.ElementsMatch(t, want, got)
				}
			})
		}
	}
}

// TestFilesAndInputsInAnyOrder names the inputs one by one, in other orders, and copies
// the files in another order of creation under names in the same order.
// withoutInputs takes the counts of each input out of ledgers: they are by its place in the spec.
func withoutInputs(files map[string]string) map[string]string {
	counts := regexp.MustCompile(`(?s)\n  "inputs": \{.*?\n  \},`)
	out := map[string]string{}
	for name, content := range files {
		if strings.HasPrefix(name, "ledger/") {
			content = counts.ReplaceAllString(content, "")
		}
		out[name] = content
	}
	return out
}

func TestFilesAndInputsInAnyOrder(t *testing.T) {
	c := everything(2000)
	c.Order, c.FileRecords = generate.OrderNone, 300
	dir, _ := made(t, c)
	s := loadSpec(t, dir, allOutputs...)
	want := joined(t, s, Options{})
	files := below(t, dir+"/views")
	require.Greater(t, len(files), 6)
	list := func(order []string) string { return "    - " + strings.Join(order, "\n    - ") + "\n" }

	t.Run("inputs", func(t *testing.T) {
		shuffled := slices.Clone(files)
		slices.Reverse(shuffled)
		shuffled[0], shuffled[3] = shuffled[3], shuffled[0]
		for _, order := range [][]string{files, shuffled} {
			got := joined(t, loadSpec(t, dir, append(allOutputs, "    - views/*.avro\n", list(order))...), Options{})
			requireSameFiles(t, withoutInputs(want), withoutInputs(got))
		}
	})
	t.Run("copies", func(t *testing.T) {
		other := t.TempDir()
		for _, folder := range []string{"engagements", "views"} {
			old := below(t, dir+"/"+folder)
			slices.Reverse(old)
			for _, path := range old {
				content, err := os.ReadFile(path)
				require.NoError(t, err)
				write(t, filepath.Join(other, folder, "copy-of-"+filepath.Base(path)), string(content))
			}
		}
		text, err := os.ReadFile(dir + "/spec.yaml")
		require.NoError(t, err)
		write(t, other+"/spec.yaml", string(text))
		got := joined(t, loadSpec(t, other, allOutputs...), Options{})
		for name, content := range got {
			if !strings.HasPrefix(name, "samples/") { // the others name their sources
				got[name] = strings.ReplaceAll(strings.ReplaceAll(content, other, dir), "copy-of-", "")
			}
		}
		requireSameFiles(t, want, got)
	})
}
