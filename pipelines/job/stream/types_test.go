package stream

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/runners/devcluster/servicestest"
	"tributary/transforms/account"
)

//go:embed testdata/types.py
var serializeTypes string

// TestTypesOfOneTopic joins views with purchases of the same topic, in which records of a third type lack their fields, told apart by the
// names of their schemas: in Avro, JSON Schema and Protobuf, as Confluent's serializers write them. Others are filtered, none is a dead letter, and
// stream and batch are as a lookup has it.
func TestTypesOfOneTopic(t *testing.T) {
	_, at := servicestest.Start(t, "registry")
	written := serialized(t, serializers(t), serializeTypes, string(at), fmt.Sprint(start.UnixMilli()))
	want := map[string]float64{}
	for i := range 60 {
		want[fmt.Sprint("v", i)] = 0
	}
	matched, buys := 0, 0
	for i := 1; i < 60; i += 4 {
		buys++
		if view := i - i%32; 3000*(i-view)+1500 < 60_000 {
			want[fmt.Sprint("v", view)] += float64(100 * i)
			matched++
		}
	}
	require.Greater(t, buys, matched)
	for name, tt := range map[string]struct{ topic, views, buys string }{
		"Avro, a mapping":        {"avro", "where: {$type: shop.View}", "where: {$type: shop.Buy}"},
		"Avro, expressions":      {"avro", `where: '$type in ["shop.View", "shop.Page"] && size(id) > 0'`, `where: '$type == "shop.Buy" && cents > 0'`},
		"Avro, a computed where": {"avro", `where: {$type: shop.View, shown: true}, fields: {shown: size(id) > 0}`, `where: {$type: shop.Buy}`},
		"JSON Schema":            {"json", "where: {$type: shop.View}", "where: {$type: shop.Buy}"},
		"Protobuf":               {"protobuf", "where: {$type: shop.View}", "where: {$type: shop.Buy}"},
	} {
		t.Run(name, func(t *testing.T) {
			unit := "ts"
			if tt.topic != "avro" {
				unit = "{field: ts, unit: epoch-millis}"
			}
			text := fmt.Sprintf(`
clusters: {default: {brokers: [%%[1]q], registry: {url: "`+string(at)+`"}}}
views: {inputs: [{topic: %[1]s, format: %[1]s, registry: true, subject: %[1]s-shop.View}], %[2]s, id: id, time: %[4]s}
engagements:
  buy: {inputs: [{topic: %[1]s, format: %[1]s, registry: true, subject: %[1]s-shop.Buy}], %[3]s, view: view, time: %[4]s, window: 1m, label: {sum: cents}}
out_of_orderness: 5s
bucket: 1m
shards: 2
stream: {name: small, idle_timeout: never, source_parallelism: 1}
outputs: {samples: {topic: samples, format: json}}
`, tt.topic, tt.views, tt.buys, unit)
			s := newSmallOf(t, 1, text)
			records := 0
			for _, r := range written {
				if r.Topic == tt.topic {
					require.NoError(t, s.client.ProduceSync(t.Context(), &kgo.Record{Topic: r.Topic, Value: r.Value}).FirstErr())
					records++
				}
			}
			require.Equal(t, 60+60+buys, records)
			s.run()
			require.Empty(t, s.rejected("samples.dead"))
			ofStream := consume(t, s.brokers, "samples")
			dir := t.TempDir()
			ofBatch, report := joinFiles(t, dir, strings.Replace(fmt.Sprintf(text, s.brokers[0]), "samples: {topic: samples,", "samples: {path: out/samples,", 1))
			require.Equal(t, ofStream, ofBatch)
			got := map[string]float64{}
			for sample := range ofStream {
				var one struct {
					ID     string             `json:"view_id"`
					Labels map[string]float64 `json:"labels"`
				}
				require.NoError(t, json.Unmarshal([]byte(sample), &one), sample)
				got[one.ID] = one.Labels["buy"]
			}
			require.Equal(t, want, got)
			views, of := report.Accounts.Views.N, report.Accounts.Engagements["buy"].N
			require.EqualValues(t, []int64{60, int64(records - 60), 0}, []int64{views[account.Samples], views[account.Filtered], views[account.Dead]})
			require.EqualValues(t, []int64{int64(matched), int64(records - buys), 0}, []int64{of[account.Matched], of[account.Filtered], of[account.Dead]})
		})
	}
}
