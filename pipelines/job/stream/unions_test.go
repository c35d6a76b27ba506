package stream

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"

	"tributary/transforms/account"
)

// unionSchema has all types of a topic in one: Buy names a type that View defines, Page has no field that either has, and a value may be null.
const unionSchema = `["null",
	{"type":"record","name":"View","namespace":"shop","fields":[{"name":"id","type":"string"},
		{"name":"at","type":{"type":"record","name":"When","fields":[{"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}}]}}]},
	{"type":"record","name":"Buy","namespace":"shop","fields":[{"name":"cents","type":"long"},{"name":"view","type":"string"},{"name":"at","type":"shop.When"}]},
	{"type":"record","name":"Page","namespace":"shop","fields":[{"name":"url","type":"string"}]}]`

// TestUnions joins views with purchases of a topic whose one schema is a union of both and more, told apart by their names: others are filtered, in
// a stream and in a batch, and a value that is no record is a dead letter.
func TestUnions(t *testing.T) {
	schemas := newRegistry(t)
	before, _ := registered(t, schemas, "shop-value", unionSchema, sr.TypeAvro)
	text := fmt.Sprintf(`
clusters: {default: {brokers: [%%q], registry: {url: "%s"}}}
views: {inputs: [{topic: shop}], where: {$type: shop.View}, id: id, time: at.ts}
engagements:
  buy: {inputs: [{topic: shop}], where: '$type == "shop.Buy" && cents > 0', view: view, time: at.ts, window: 1m, label: {sum: cents}}
out_of_orderness: 5s
bucket: 1m
shards: 2
stream: {name: small, idle_timeout: never, source_parallelism: 1}
outputs: {samples: {topic: samples, format: json}}
`, schemas.URL())
	s := newSmallOf(t, 1, text)
	of := func(branch int64, fields ...any) {
		value := binary.AppendVarint(append([]byte{}, before...), branch)
		for _, f := range fields {
			switch f := f.(type) {
			case string:
				value = append(binary.AppendVarint(value, int64(len(f))), f...)
			case int64:
				value = binary.AppendVarint(value, f)
			}
		}
		require.NoError(t, s.client.ProduceSync(t.Context(), &kgo.Record{Topic: "shop", Value: value}).FirstErr())
	}
	want, matched := map[string]float64{}, 0
	at := start.UnixMilli()
	for i := range int64(40) {
		id := fmt.Sprint("v", i)
		of(1, id, at+i*1000)
		of(3, "https://example.com")
		want[id] = 0
		if i%4 == 0 {
			of(2, 100+i, id, at+i*1000+500)
			want[id], matched = float64(100+i), matched+1
		}
		if i == 7 {
			of(2, -i, id, at+i*1000+500) // by where none of ours
		}
	}
	of(0)           // null
	of(4, "nobody") // no such type
	records := 40 + 40 + matched + 1
	s.run()
	dead := s.rejected("samples.dead")
	var details []string
	for _, d := range dead {
		details = append(details, d.Role+": "+d.Detail)
	}
	const null, nobody = "schema id 1: a value of its type null is no record", "schema id 1: the value is of none of the 4 types of its union"
	require.ElementsMatch(t, []string{"views: " + null, "buy: " + null, "views: " + nobody, "buy: " + nobody}, details)

	ofStream := consume(t, s.brokers, "samples")
	ofBatch, report := joinFiles(t, t.TempDir(), strings.Replace(fmt.Sprintf(text, s.brokers[0]), "samples: {topic: samples,", "samples: {path: out/samples,", 1))
	require.Equal(t, ofStream, ofBatch)
	got := map[string]float64{}
	for sample := range ofStream {
		var one struct {
			ID     string             `json:"view_id"`
			Labels map[string]float64 `json:"labels"`
			View   struct {
				ID string `json:"id"`
			} `json:"view"`
		}
		require.NoError(t, json.Unmarshal([]byte(sample), &one), sample)
		require.Equal(t, one.ID, one.View.ID, sample)
		got[one.ID] = one.Labels["buy"]
	}
	require.Equal(t, want, got)
	views, buys := report.Accounts.Views.N, report.Accounts.Engagements["buy"].N
	require.EqualValues(t, []int64{40, int64(records - 40)}, []int64{views[account.Samples], views[account.Filtered]})
	require.EqualValues(t, []int64{int64(matched), int64(records - matched)}, []int64{buys[account.Matched], buys[account.Filtered]})
}
