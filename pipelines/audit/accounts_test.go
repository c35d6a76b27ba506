package audit

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
	"tributary/transforms/account"
)

// TestAccounts: what the accounts of a stream say of its samples is compared, bucket by bucket.
func TestAccounts(t *testing.T) {
	r := newRig(t, "samples: {topic: samples}", "")
	clean := r.audit(Options{})
	require.Zero(t, clean.Findings)
	require.Greater(t, clean.Accounts.Pieces, 5)
	to := clean.Sinks[0].Stages[0].To.UnixMilli()
	// The account of the last bucket that is complete, which no book holds yet.
	var last *kgo.Record
	require.NoError(t, cluster.ReadAll(t.Context(), cluster.Config{Brokers: r.brokers}, "samples.accounts", func(rec *kgo.Record) error {
		if bucket := gjson.GetBytes(rec.Value, "bucket_ms").Int(); strings.HasPrefix(string(rec.Key), "joined/") && bucket == to-60_000 {
			last = rec
		}
		return nil
	}))
	require.NotNil(t, last)
	said := gjson.GetBytes(last.Value, fmt.Sprintf("accounts.timeline.%d.samples", to-60_000)).Int()
	require.Positive(t, said)
	at := bytes.LastIndex(last.Value, fmt.Appendf(nil, `"samples":%d`, said))
	changed := append(bytes.Clone(last.Value[:at]), fmt.Sprintf(`"samples":%d`, said+1)...)
	changed = append(changed, last.Value[at+len(fmt.Sprintf(`"samples":%d`, said)):]...)
	require.EqualValues(t, said+1, gjson.GetBytes(changed, fmt.Sprintf("accounts.timeline.%d.samples", to-60_000)).Int())
	client, err := kgo.NewClient(kgo.SeedBrokers(r.brokers...))
	require.NoError(t, err)
	defer client.Close()
	require.NoError(t, client.ProduceSync(t.Context(), &kgo.Record{Topic: "samples.accounts", Key: last.Key, Value: changed}).FirstErr())
	found := r.audit(Options{})
	require.EqualValues(t, 1, found.Findings)
	d := found.Accounts.Differences[0]
	require.Equal(t, AccountDifference{time.UnixMilli(to - 60_000).UTC(), "samples", d.Want, d.Want + 1}, d)
	var text strings.Builder
	require.NoError(t, found.Text(&text, 100))
	require.Contains(t, text.String(), "accounts: 1 finding\n")
	require.Contains(t, text.String(), "samples must be "+fmt.Sprint(d.Want))
	require.Zero(t, found.Sinks[0].Findings)
}

// TestCoarseAccounts: old buckets are compared as the accounts keep them, together.
func TestCoarseAccounts(t *testing.T) {
	of := func(samples ...int64) map[int64]*account.Interval {
		out := map[int64]*account.Interval{}
		for i, n := range samples {
			if n > 0 {
				out[int64(i)*10] = &account.Interval{Samples: n, Positives: map[string]int64{"like": n / 2}}
			}
		}
		return out
	}
	want := of(1, 2, 3, 0, 5, 6, 7)
	got := of(3, 0, 8, 0, 0, 6, 9)
	got[0].Positives["like"], got[20].Positives["like"] = 1, 3
	require.Equal(t, &AccountsResult{Pieces: 3, Differences: []AccountDifference{}}, accountsOf(want, got, 60), "the last is not complete")
	got[50].Positives["like"]--
	delete(got, 20)
	require.Equal(t, []AccountDifference{
		{time.UnixMilli(0).UTC(), "samples", 11, 3}, {time.UnixMilli(0).UTC(), "positives of like", 4, 1}, {time.UnixMilli(50).UTC(), "positives of like", 3, 2},
	}, accountsOf(want, got, 60).Differences)
	require.Equal(t, []AccountDifference{{time.UnixMilli(10).UTC(), "samples", 0, 2}, {time.UnixMilli(10).UTC(), "positives of like", 0, 1}},
		accountsOf(nil, of(0, 2), 60).Differences)
	require.Len(t, accountsOf(of(0, 2), nil, 60).Differences, 2)
}
