package stream

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/transforms/account"
)

// TestAccountsOfEarlierReleases: a topic holds accounts that were written before and after their name
// changed, and all count.
func TestAccountsOfEarlierReleases(t *testing.T) {
	all := newAccounts()
	for i := range int64(4) {
		a, l := stretchOf(10*i, 10*i+9)
		text, err := l.MarshalJSON()
		require.NoError(t, err)
		a.Sheet = text
		value, err := json.Marshal(&a)
		require.NoError(t, err)
		require.Contains(t, string(value), `"accounts":{`)
		if i < 2 {
			value = bytes.Replace(value, []byte(`"accounts":{`), []byte(`"ledger":{`), 1)
		}
		require.NoError(t, all.take(&kgo.Record{Key: []byte(a.key()), Value: value}))
	}
	require.EqualValues(t, 40, all.total(t, 0).Views.N[account.Read])

	b := book{}
	require.NoError(t, json.Unmarshal([]byte(`{"ledger": {"views": {"read": 7}, "engagements": {}}}`), &b))
	sum, err := b.sum()
	require.NoError(t, err)
	require.EqualValues(t, 7, sum.Views.N[account.Read])
}
