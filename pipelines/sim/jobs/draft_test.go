package jobs

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/pipelines/draft"
	"tributary/pipelines/job/batch"
	"tributary/pipelines/spec"
	"tributary/transforms/account"
)

// TestDrafts: of the raw logs of the ad server and the shop a spec is proposed by which most engagements find a view, as the README has it.
func TestDrafts(t *testing.T) {
	for name, c := range map[string]struct {
		write    func(*testing.T, string)
		id, key  []string
		of       map[string][]string // what kinds name views by
		matching float64
	}{
		"ads": {
			writeAds,
			[]string{"imp"},
			[]string{"user.id", "ad.campaign"},
			map[string][]string{"click": {"user", "campaign"}, "purchase": {"user", "campaign"}},
			0.8,
		},
		"shop": {
			writeShop,
			[]string{"event_id"},
			nil,
			map[string][]string{"add_to_cart": {"page_view"}, "purchase": {"page_view"}},
			0.8,
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			c.write(t, dir)
			file := filepath.Join(dir, "spec.yaml")
			d, err := draft.Make(t.Context(), []string{filepath.Join(dir, "*", "*.jsonl")}, draft.Options{File: file, Records: 20_000})
			require.NoError(t, err)
			require.Empty(t, d.Open, "%s", d.Text)
			require.Empty(t, d.Problems, "%s", d.Text)
			s, err := spec.Parse(file, d.Text)
			require.NoError(t, err)
			require.Equal(t, c.id, s.Views.ID, "%s", d.Text)
			require.Equal(t, c.key, s.Views.Key, "%s", d.Text)
			named := map[string][]string{}
			for i := range s.Engagements {
				_, named[s.Engagements[i].Kind] = s.Engagements[i].Named()
			}
			require.Equal(t, c.of, named, "%s", d.Text)
			r, err := batch.Run(t.Context(), s, batch.Options{})
			require.NoError(t, err)
			require.NoError(t, r.Accounts.Check())
			for kind, e := range r.Accounts.Engagements {
				require.Greater(t, float64(e.N[account.Matched]), c.matching*float64(e.N[account.Read]-e.N[account.Dead]), kind)
			}
		})
	}
}
