package batch

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/pipelines/spec"
	"tributary/transforms/attribution/rules"
)

// asEarlier renames the files of accounts as earlier releases called them.
func asEarlier(t *testing.T, out string) (renamed int) {
	t.Helper()
	for _, path := range below(t, out) {
		if name := filepath.Base(path); strings.HasPrefix(name, "accounts-") {
			require.NoError(t, os.Rename(path, filepath.Join(filepath.Dir(path), "ledger-"+strings.TrimPrefix(name, "accounts-"))))
			renamed++
		}
	}
	return renamed
}

func accountsFiles(t *testing.T, out string) (now, earlier int) {
	t.Helper()
	for _, path := range below(t, out) {
		switch name := filepath.Base(path); {
		case strings.HasPrefix(name, "accounts-"):
			now++
		case strings.HasPrefix(name, "ledger-"):
			earlier++
		}
	}
	return now, earlier
}

// TestEarlierAccountsCount: what an earlier release finished is not joined again, what it did not
// finish is, and what is cut otherwise now goes with its accounts.
func TestEarlierAccountsCount(t *testing.T) {
	_, s := deterministic(t)
	s = to(s, t.TempDir())
	out := filepath.Dir(s.Outputs.Accounts)
	first := join(t, s, Options{Interval: short})
	total := asEarlier(t, out)
	require.Equal(t, first.Intervals, total)

	r := join(t, s, Options{Interval: short})
	require.Zero(t, r.Events, "nothing was left to do")
	require.Equal(t, first.Accounts.Views, r.Accounts.Views)
	now, earlier := accountsFiles(t, out)
	require.Equal(t, [2]int{0, total}, [2]int{now, earlier})

	// One of them has lost its samples.
	samples := below(t, s.Outputs.Samples.Path)
	require.NoError(t, os.Remove(samples[len(samples)/2]))
	r = join(t, s, Options{Interval: short})
	require.Equal(t, first.Accounts.Views, r.Accounts.Views)
	now, earlier = accountsFiles(t, out)
	require.Equal(t, [2]int{1, total - 1}, [2]int{now, earlier})

	r = join(t, s, Options{Interval: 2 * short})
	require.Equal(t, first.Accounts.Views, r.Accounts.Views)
	now, earlier = accountsFiles(t, out)
	require.Equal(t, [2]int{r.Intervals, 0}, [2]int{now, earlier}, "accounts of other intervals went")
}

// TestFingerprintKeepsItsWords: a word that changes in the code changes no fingerprint.
func TestFingerprintKeepsItsWords(t *testing.T) {
	o := spec.Outputs{
		Samples: spec.Output{Path: "s", Folders: spec.FolderOfDay}, Late: "l", DeadLetters: "d", Orphans: "o", Accounts: "a",
		Topics: spec.Topics{CommitLog: "c", TimeIndex: "t", Accounts: "x"},
	}
	got, err := json.Marshal(meaningOf(rules.Params{Kinds: make([]rules.Kind, 1)}, &o, true))
	require.NoError(t, err)
	require.Equal(t, `{"Format":2,"Params":{"Kinds":[{"Name":"","Window":0,"Label":"","Credit":"","SkipBadValues":false}],"Inputs":null,"Schemas":null,`+
		`"ViewSchema":"","OutOfOrderness":0,"MaxAhead":0,"ClockSkew":0,"DuplicatesWithin":0,"Bucket":0,"Shards":0,"Earlier":null,"Compress":false,`+
		`"Keep":0,"SpecVersion":0,"Orphans":false,"From":0,"To":0,"Since":0,"Kept":null,"Until":0,"LogEnd":0},`+
		`"Outputs":{"Samples":{"Path":"s","Topic":"","Cluster":"","Registry":false,"Format":"","Codec":""},`+
		`"Late":"l","DeadLetters":"d","Orphans":"o","Ledger":"a",`+
		`"Topics":{"Late":"","DeadLetters":"","Orphans":"","Ledger":"c","Marks":"t","Accounts":"x"}},"First":true}`, string(got))
}
