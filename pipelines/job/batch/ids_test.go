package batch

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/io/record"
	"tributary/transforms/account"
)

// feedView and feedLike are events of a feed, in which a view is known by two fields.
type feedView struct {
	request string
	item    int
	at      int64
}

type feedLike struct {
	request string
	item    int
	at      int64
	price   int
	device  string
}

// feed has requests whose names would collide if they were put together carelessly.
func feed() (views []feedView, likes []feedLike) {
	requests := []string{"r", "r|1", `r\`, `r\|1`, "|", `\`, "r|", "1|1", "größe", `"r"`}
	for i := range 300 {
		v := feedView{fmt.Sprint(requests[i%len(requests)], i/30), i % 30, begin + int64(i)*1000}
		if i >= 150 {
			v.request, v.item = requests[i%len(requests)], 100+i/10
		}
		views = append(views, v)
		for k := range i % 4 {
			like := feedLike{v.request, v.item, v.at + int64(k*25_000), i, fmt.Sprint("d", k)}
			likes = append(likes, like)
			if i%5 == 0 {
				likes = append(likes, like) // sent again
			}
		}
	}
	return views, append(likes, feedLike{"r", 1_000_000, begin, 1, "d"}, feedLike{"r|1|2", 2, begin, 1, "d"})
}

// TestIDsOfSeveralFields joins by a request and an item, as every format has them, and holds the samples against a lookup by both. An engagement is
// the same as another if view, device and time are.
func TestIDsOfSeveralFields(t *testing.T) {
	views, likes := feed()
	type key struct {
		request string
		item    int
	}
	want := map[key]float64{}
	for _, v := range views {
		counted := map[feedLike]bool{}
		for _, l := range likes {
			if l.request == v.request && l.item == v.item && v.at <= l.at && l.at < v.at+60_000 && !counted[l] {
				counted[l] = true
				want[key{v.request, v.item}] += float64(l.price)
			}
		}
	}

	schema := recordSchema("View", `request_id "string"`, `item {"type":"record","name":"Item","fields":[{"name":"id","type":"long"}]}`, `ts {"type":"long","logicalType":"timestamp-millis"}`)
	likeSchema := recordSchema("Like", `price "long"`, `device "string"`, `item_id "int"`, `req "string"`, `at {"type":"long","logicalType":"timestamp-millis"}`)
	for _, ending := range []string{"jsonl", "csv", "avro"} {
		for _, interval := range []time.Duration{0, time.Minute} {
			dir := t.TempDir()
			var viewTexts, likeTexts []string
			viewRows, likeRows := [][]string{}, [][]string{}
			text := func(s string) string {
				out, err := json.Marshal(s)
				require.NoError(t, err)
				return string(out)
			}
			for _, v := range views {
				viewTexts = append(viewTexts, fmt.Sprintf(`{"request_id":%s,"item":{"id":%d},"ts":%d}`, text(v.request), v.item, v.at))
				viewRows = append(viewRows, []string{v.request, fmt.Sprint(v.item), fmt.Sprint(v.at)})
			}
			for _, l := range likes {
				likeTexts = append(likeTexts, fmt.Sprintf(`{"req":%s,"item_id":%d,"at":%d,"price":%d,"device":%q}`, text(l.request), l.item, l.at, l.price, l.device))
				likeRows = append(likeRows, []string{fmt.Sprint(l.item), l.request, fmt.Sprint(l.at), fmt.Sprint(l.price), l.device})
			}
			itemID := "item.id"
			switch ending {
			case "avro":
				writeAvro(t, dir+"/views.avro", schema, 2000, viewTexts...)
				writeAvro(t, dir+"/likes.avro", likeSchema, 2000, likeTexts...)
			case "jsonl":
				write(t, dir+"/views.jsonl", strings.Join(append(viewTexts, `{"request_id":"r","ts":1}`, `{"item":{"id":1},"ts":1}`), "\n"))
				write(t, dir+"/likes.jsonl", strings.Join(append(likeTexts, `{"req":"r","item_id":null,"at":1}`, `{"req":"r","item_id":3,"at":1,"device":true}`), "\n"))
			case "csv":
				itemID = "item_id"
				write(t, dir+"/views.csv", csvRows([]string{"request_id", "item_id", "ts"}, viewRows))
				write(t, dir+"/likes.csv", csvRows([]string{"item_id", "req", "at", "price", "device"}, likeRows))
			}
			s := parse(t, dir, fmt.Sprintf(`
views: {inputs: views.%[1]s, id: [request_id, %[2]s], time: {field: ts, unit: epoch-millis}}
engagements:
  like: {inputs: likes.%[1]s, view: [req, item_id], time: {field: at, unit: epoch-millis}, id: [device, at], window: 1m, label: {sum: price}}
outputs: {samples: out/samples}
`, ending, itemID))
			s = to(s, t.TempDir())
			r := join(t, s, Options{Interval: interval})
			samples := samplesBelow(t, s.Outputs.Samples.Path)
			require.Len(t, samples, len(views), ending)
			seen := map[string]bool{}
			byText := map[string]key{}
			for _, v := range views {
				id, _, err := record.AppendIDParts(nil, []record.Value{{Kind: record.String, Text: []byte(v.request)}, {Kind: record.Int, Int: int64(v.item)}})
				require.NoError(t, err)
				byText[string(id)] = key{v.request, v.item}
			}
			for _, sample := range samples {
				k, ok := byText[sample.ViewID]
				require.True(t, ok && !seen[sample.ViewID], sample.ViewID)
				seen[sample.ViewID] = true
				require.Equal(t, want[k], sample.Labels["like"], "%s: %v", ending, k)
			}
			like := r.Accounts.Engagements["like"]
			require.EqualValues(t, 2, like.N[account.Orphans])
			require.Positive(t, like.N[account.Duplicates])
			if ending == "jsonl" {
				require.EqualValues(t, 2, r.Accounts.Views.N[account.Dead])
				require.EqualValues(t, 2, like.N[account.Dead])
				var reasons []string
				for _, all := range []map[string]*account.Reason{r.Accounts.Views.Reasons, like.Reasons} {
					for _, reason := range all {
						reasons = append(reasons, reason.Example)
					}
				}
				for _, field := range []string{"field item.id: null", "field request_id: null", "field item_id: null", "field device: true"} {
					require.Contains(t, strings.Join(reasons, "\n"), field)
				}
			}
		}
	}
}
