package batch

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/transforms/account"
)

// feedRequest is a record of a feed: a request with the items that it showed.
type feedRequest struct {
	id    string
	at    int64
	items []int
}

func (r *feedRequest) text() string {
	items := make([]string, len(r.items))
	for i, item := range r.items {
		items[i] = r.item(i, item)
	}
	return fmt.Sprintf(`{"request_id":%q,"response":{"items":[%s],"page":1},"ts":%d}`, r.id, strings.Join(items, ", "), r.at)
}

func (r *feedRequest) item(i, item int) string {
	return fmt.Sprintf(`{"id":%d,"shown":%t,"score":[%d]}`, item, item%7 != 0, i)
}

// view is the record with one item in place of the list.
func (r *feedRequest) view(i int) string {
	return fmt.Sprintf(`{"request_id":%q,"response":{"items":%s,"page":1},"ts":%d}`, r.id, r.item(i, r.items[i]), r.at)
}

// feedClicks is a record of several clicks in one request.
type feedClicks struct {
	request string
	at      int64
	items   []int
	prices  []int
}

func (c *feedClicks) text(batch int) string {
	clicks := make([]string, len(c.items))
	for i := range c.items {
		clicks[i] = fmt.Sprintf(`{"item":%d,"price":%d}`, c.items[i], c.prices[i])
	}
	return fmt.Sprintf(`{"batch":%d,"req":%q,"at":%d,"clicks":[%s]}`, batch, c.request, c.at, strings.Join(clicks, ","))
}

// TestElementsOfLists joins records that hold lists of views and of engagements, in disorder and some of them sent again, and holds the
// samples against one lookup after another over the lists. Intervals change nothing.
func TestElementsOfLists(t *testing.T) {
	const window, dedup, again = 60_000, 10_000, 5
	random := rand.New(rand.NewPCG(1, 2))
	var requests []feedRequest
	var clicks []feedClicks
	for i := range 120 {
		r := feedRequest{id: fmt.Sprint("r", i%100), at: begin + int64(i)*1500}
		for range random.IntN(6) { // none of some
			r.items = append(r.items, random.IntN(20))
		}
		requests = append(requests, r)
		for k := range random.IntN(4) {
			c := feedClicks{request: r.id, at: r.at + random.Int64N(70_000)}
			for range random.IntN(4) {
				c.items, c.prices = append(c.items, random.IntN(20)), append(c.prices, random.IntN(9)+k)
			}
			clicks = append(clicks, c)
		}
	}
	type key struct {
		request string
		item    int
	}
	type shown struct {
		at   int64
		view string
	}
	type event struct{ batch, index int }
	times := func(n, of int) int64 { // the first are sent again
		if n < of/again {
			return 2
		}
		return 1
	}
	// What there is, in order of time: of an id, an item that is there twice in a request counts where it is first.
	views, duplicates, filtered := map[key][]shown{}, int64(0), int64(0)
	for n, r := range requests {
		sent := times(n, len(requests))
		if len(r.items) == 0 {
			filtered += sent
		}
		for i, item := range r.items {
			k := key{r.id, item}
			if item%7 != 0 {
				duplicates += sent - 1
			}
			switch had := views[k]; {
			case item%7 == 0:
				filtered += sent
			case len(had) > 0 && r.at-had[len(had)-1].at <= dedup:
				duplicates++
			default:
				views[k] = append(had, shown{r.at, r.view(i)})
			}
		}
	}
	want := map[string]string{} // by id and time
	matched := map[event]bool{}
	read, distinct, empty := int64(0), int64(0), int64(0)
	for n, c := range clicks {
		sent := times(n, len(clicks))
		if len(c.items) == 0 {
			empty += sent
		}
		read += sent * int64(len(c.items))
		distinct += int64(len(c.items))
	}
	for k, all := range views {
		for _, v := range all {
			sum, first, seen := 0, event{-1, -1}, 0
			var firstAt int64
			for b, c := range clicks {
				for i, item := range c.items {
					if c.request != k.request || item != k.item || c.at < v.at || c.at >= v.at+window {
						continue
					}
					matched[event{b, i}] = true
					sum += c.prices[i]
					if seen == 0 || c.at < firstAt || c.at == firstAt && b < first.batch {
						firstAt, first = c.at, event{b, i}
					}
					seen++
				}
			}
			price := 0
			if seen > 0 {
				price = clicks[first.batch].prices[first.index]
			}
			want[fmt.Sprintf("%s|%d at %d", k.request, k.item, v.at)] = fmt.Sprintf("%s, sum %d, first %d, position %d", v.view, sum, price, first.index)
		}
	}

	shuffled := func(texts []string) string {
		texts = append(slices.Clone(texts), texts[:len(texts)/again]...) // sent again
		random.Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
		return strings.Join(texts, "\n")
	}
	var requestTexts, clickTexts []string
	for i := range requests {
		requestTexts = append(requestTexts, requests[i].text())
	}
	for i := range clicks {
		clickTexts = append(clickTexts, clicks[i].text(i))
	}
	dir := t.TempDir()
	write(t, dir+"/requests.jsonl", shuffled(requestTexts)+"\n"+
		fmt.Sprintf(`{"request_id":"bad","ts":%[1]d,"response":{"items":{"id":1}}}
{"request_id":"half","ts":%[1]d,"response":{"items":[{"id":{},"shown":true},{"id":1,"shown":true},3]}}`, begin))
	write(t, dir+"/clicks.jsonl", shuffled(clickTexts))
	want[fmt.Sprintf("half|1 at %d", begin)] = fmt.Sprintf(`{"request_id":"half","ts":%d,"response":{"items":{"id":1,"shown":true}}}, sum 0, first 0, position -1`, begin)

	for _, interval := range []time.Duration{0, 45 * time.Second} {
		s := to(parse(t, dir, `
views: {inputs: requests.jsonl, each: response.items, where: {response.items.shown: true}, id: [request_id, response.items.id], time: {field: ts, unit: epoch-millis}}
engagements:
  paid: {inputs: clicks.jsonl, each: clicks, view: [req, clicks.item], id: [batch, $index], time: {field: at, unit: epoch-millis}, window: 1m, label: {sum: clicks.price}}
  price: {inputs: clicks.jsonl, each: clicks, view: [req, clicks.item], id: [batch, $index], time: {field: at, unit: epoch-millis}, window: 1m, count: first, label: {first: clicks.price}}
  position: {inputs: clicks.jsonl, each: clicks, view: [req, clicks.item], id: [batch, $index], time: {field: at, unit: epoch-millis}, window: 1m, count: first, label: {first: $index}}
outputs: {samples: out/samples, orphans: out/orphans}
`), t.TempDir())
		r := join(t, s, Options{Interval: interval})
		got := map[string]string{}
		for _, line := range samplesBelow(t, s.Outputs.Samples.Path) {
			position := line.Labels["position"]
			if !line.Positive {
				position = -1
			}
			var view string
			require.NoError(t, json.Unmarshal(line.View, &view))
			id := fmt.Sprintf("%s at %d", line.ViewID, line.ViewTime)
			require.NotContains(t, got, id)
			got[id] = fmt.Sprintf("%s, sum %v, first %v, position %v", view, line.Labels["paid"], line.Labels["price"], position)
		}
		require.Equal(t, want, got)

		require.NoError(t, r.Accounts.Check())
		v := &r.Accounts.Views.N
		require.Equal(t, duplicates, v[account.Duplicates])
		require.Equal(t, int64(2), v[account.Dead], "a list that is none, and an element")
		require.Equal(t, filtered+1, v[account.Filtered], "a number has no field shown")
		require.Equal(t, int64(len(want))+duplicates+2, v[account.Read])
		orphans := 0
		for _, kind := range []string{"paid", "price", "position"} {
			e := &r.Accounts.Engagements[kind].N
			require.Equal(t, read, e[account.Read])
			require.Equal(t, empty, e[account.Filtered])
			require.Equal(t, read-distinct, e[account.Duplicates])
			require.Equal(t, int64(len(matched)), e[account.Matched])
			require.Equal(t, distinct-int64(len(matched)), e[account.Orphans]+e[account.Outside])
			orphans += int(e[account.Orphans])
		}
		orphan := lines(t, s.Outputs.Orphans)
		require.Len(t, orphan, orphans)
		require.Contains(t, strings.Join(orphan, "\n"), `"index":1`)
		dead := strings.Join(lines(t, s.Outputs.DeadLetters), "\n")
		require.Contains(t, dead, `"field response.items is an object, not a list"`)
		require.Contains(t, dead, `"index":0`)
		require.Contains(t, dead, "element 0 of response.items: field response.items.id is an object")
	}
}

// TestElementsInTestsOfASpec: the spec's own tests hold records with lists, and times of views in them.
func TestElementsInTestsOfASpec(t *testing.T) {
	s := parse(t, t.TempDir(), `
views: {inputs: views.jsonl, each: items, id: [r, items.id], time: ts}
engagements:
  click: {inputs: clicks.jsonl, each: clicks, view: [r, clicks.item], view_time: clicks.shown, id: [$index, r], time: ts, window: 30m, label: count}
outputs: {samples: out/samples}
tests:
  - name: two clicks on one of two items
    views: [{r: r1, ts: 2026-01-01T10:00:00Z, items: [{id: 1}, {id: 2}]}]
    engagements:
      click: [{r: r1, ts: 2026-01-01T10:01:00Z, clicks: [{item: 2, shown: 2026-01-01T10:00:00Z}, {item: 2, shown: 2026-01-01T10:00:00Z}, {item: 1, shown: 2026-01-01T10:00:01Z}]}]
    samples:
      - {view_id: r1|1, labels: {click: 0}, view: {r: r1, items: {id: 1}}}
      - {view_id: r1|2, labels: {click: 2}, view: {r: r1, items: {id: 2}}}
`)
	results, err := Test(t.Context(), s)
	require.NoError(t, err)
	require.Len(t, results, 1)
	require.Empty(t, results[0].Differences)
}
