package batch

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/transforms/account"
)

// TestSpecTestsAreTheJoin: of the same records a test leaves out what a join leaves out, and has the same dead letters and samples, by
// mappings, expressions and computed fields, of records and of elements.
func TestSpecTestsAreTheJoin(t *testing.T) {
	dir := t.TempDir()
	s := parse(t, dir, `
views: {inputs: views.jsonl, each: items, fields: {sku: 'items.kind + "-" + items.id'}, where: 'event == "page" && items.kind != "ad" && sku != "x-0"', id: [page, sku], time: ts}
engagements:
  buy:
    inputs: buys.jsonl
    where: double(price) * 2.0 > 3.0 && sure == "yes/1"
    fields: {sure: 'event + "/" + n'}
    view: [page, sku]
    time: ts
    id: order.id
    window: 30m
    label: {sum: order.amount}
  like: {inputs: likes.jsonl, where: {action.kind: like, action.strong: true, n: 1.0}, view: [page, sku], time: ts, window: 30m, label: count}
outputs: {samples: out/samples}
tests:
  - name: some of each
    views:
      - {event: page, page: p1, ts: 2026-01-01T10:00:00Z, items: [{id: "1", kind: x}, {id: "2", kind: x}, {id: "3", kind: ad}, {id: "0", kind: x}, {id: 7, kind: x}]}
      - {event: scroll, page: p2, ts: 2026-01-01T10:00:00Z, items: [{id: "1", kind: x}]}
      - {event: page, page: p3, ts: 2026-01-01T10:00:00Z, items: []}
      - {page: p4, ts: 2026-01-01T10:00:00Z, items: [{id: "1", kind: x}]}
    engagements:
      buy:
        - {event: "yes", n: "1", page: p1, sku: x-1, price: 2, order: {id: 1, amount: 7}, ts: 2026-01-01T10:01:00Z}
        - {event: "yes", n: "2", page: p1, sku: x-1, price: 4, order: {id: 2, amount: 7}, ts: 2026-01-01T10:02:00Z}
        - {event: "yes", n: "1", page: p1, sku: x-2, price: 1.5, order: {id: 3, amount: 7}, ts: 2026-01-01T10:03:00Z}
        - {event: "yes", n: "1", page: p1, sku: x-2, price: much, order: {id: 4, amount: 7}, ts: 2026-01-01T10:04:00Z}
        - {event: "yes", n: "1", page: p1, sku: x-2, price: 9, order: {id: 5, amount: little}, ts: 2026-01-01T10:05:00Z}
        - {event: "yes", page: p1, sku: x-2, price: 9, order: {id: 6, amount: 2}, ts: 2026-01-01T10:05:00Z}
      like:
        - {action: {kind: like, strong: true}, n: 1, page: p1, sku: x-2, ts: 2026-01-01T10:01:00Z}
        - {action: {kind: like, strong: "TRUE"}, n: "1", page: p1, sku: x-2, ts: 2026-01-01T10:02:00Z}
        - {action: {kind: like, strong: false}, n: 1, page: p1, sku: x-2, ts: 2026-01-01T10:03:00Z}
        - {action: {kind: like}, n: 1, page: p1, sku: x-2, ts: 2026-01-01T10:03:00Z}
        - {kind: like, n: 1, page: p1, sku: x-2, ts: 2026-01-01T10:04:00Z}
    samples:
      - {view_id: p1|x-1, labels: {buy: 7.0, like: 0}}
      - {view_id: p1|x-2, labels: {buy: 0.0, like: 2}}
`)
	results, err := Test(t.Context(), s)
	require.NoError(t, err)
	require.Empty(t, results[0].Differences)

	// The same records as files.
	test := s.Tests[0]
	for name, records := range map[string][]map[string]any{"views": test.Views, "buys": test.Engagements["buy"], "likes": test.Engagements["like"]} {
		var text strings.Builder
		for _, r := range records {
			line, err := json.Marshal(r)
			require.NoError(t, err)
			text.Write(append(line, '\n'))
		}
		write(t, filepath.Join(dir, name+".jsonl"), text.String())
	}
	r := join(t, s, Options{})
	samples := samplesBelow(t, dir+"/out/samples")
	require.Len(t, samples, 2)
	for _, got := range samples {
		want := test.Samples[0]
		if got.ViewID != want["view_id"] {
			want = test.Samples[1]
		}
		require.Equal(t, want["view_id"], got.ViewID)
		for kind, label := range want["labels"].(map[string]any) {
			require.InDelta(t, label, got.Labels[kind], 0, "%s of %s", kind, got.ViewID)
		}
	}
	filtered := map[string]int64{"views": r.Accounts.Views.N[account.Filtered]}
	for kind, e := range r.Accounts.Engagements {
		filtered[kind] = e.N[account.Filtered]
	}
	require.Equal(t, map[string]int64{"views": 5, "buy": 2, "like": 3}, filtered)
	require.Equal(t, filtered, results[0].Filtered)

	type letter struct {
		role, detail string
	}
	dead := map[letter]int{}
	for _, text := range lines(t, dir+"/out/dead") {
		var d struct{ Role, Detail string }
		require.NoError(t, json.Unmarshal([]byte(text), &d), "%s", text)
		dead[letter{d.Role, d.Detail}]++
	}
	tested := map[letter]int{}
	for _, d := range results[0].Dead {
		tested[letter{d.Role, d.Detail}]++
	}
	require.Len(t, dead, 4)
	require.Equal(t, dead, tested)
	require.Equal(t, []DeadRecord{{"buy", 4, 0, ""}, {"buy", 5, 0, ""}, {"buy", 6, 0, ""}, {"views", 1, 5, ""}}, places(results[0].Dead))
}

// places are dead records without what is wrong with them.
func places(dead []DeadRecord) (out []DeadRecord) {
	for _, d := range dead {
		d.Detail = ""
		out = append(out, d)
	}
	return out
}
