package stream

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/sr"
	"google.golang.org/protobuf/encoding/protowire"

	"tributary/transforms/account"
)

const (
	oldFeed = `{"type":"record","name":"Feed","fields":[{"name":"things","type":{"type":"array","items":{"type":"record","name":"Thing","fields":[{"name":"id","type":"int"}]}}},
		{"name":"request","type":"string"},{"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}}]}`
	newFeedSchema = `{"type":"record","name":"Feed","fields":[{"name":"request","type":"string"},{"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}},
		{"name":"items","aliases":["things"],"type":["null",{"type":"array","items":{"type":"record","name":"Item","aliases":["Thing"],"fields":[{"name":"id","type":["null","long"]},{"name":"price","type":"int","default":7}]}}]}]}`
	clicksProto = `syntax = "proto3"; message Clicks { message Click { int64 item = 1; } string request = 1; int64 ts = 2; repeated Click clicks = 3; }`
)

// TestListsOfRegisteredSchemas joins views that are elements of lists in Avro, of two versions of a schema, in blocks of both forms, with
// engagements that are elements of lists in Protobuf. Stream and batch are the same, and as the lists have it; what is damaged is a dead
// letter.
func TestListsOfRegisteredSchemas(t *testing.T) {
	schemas := newRegistry(t)
	older, _ := registered(t, schemas, "feeds-value", oldFeed, sr.TypeAvro)
	newer, _ := registered(t, schemas, "feeds-value", newFeedSchema, sr.TypeAvro)
	clicked, _ := registered(t, schemas, "clicks-value", clicksProto, sr.TypeProtobuf)
	text := `
clusters: {default: {brokers: [%q], registry: {url: "` + schemas.URL() + `"}}}
views: {inputs: [{topic: feeds}], each: items, where: '$index < 5 && size(request) > 0', id: [request, items.id], time: ts}
engagements:
  click: {inputs: [{topic: clicks, format: protobuf}], each: clicks, view: [request, clicks.item], time: {field: ts, unit: epoch-millis}, window: 1m}
sample: {fields: [{position: $index}, {price: items.price}]}
out_of_orderness: 5s
bucket: 1m
shards: 2
stream: {name: small, idle_timeout: never, source_parallelism: 1}
outputs: {samples: {topic: samples, format: json}}
`
	s := newSmallOf(t, 1, text)
	publish := func(topic string, before, value []byte) {
		s.publish(topic, append(slices.Clone(before), value...))
	}
	want := map[string]string{}
	empty := 0
	for i := range 30 {
		request, at := fmt.Sprintf("r%02d", i), start.Add(time.Duration(i)*2*time.Second).UnixMilli()
		head := binary.AppendVarint(append([]byte{6}, request...), at)
		ids := []int64{10, 11, 12}[:i%4%3]
		if len(ids) == 0 {
			empty++
		}
		var items []byte
		price := 7
		for _, id := range ids {
			if i%2 == 0 {
				items = binary.AppendVarint(items, id)
				continue
			}
			price = 20 + i
			items = binary.AppendVarint(append(items, 2), id)
			items = binary.AppendVarint(items, int64(price))
		}
		block := binary.AppendVarint(nil, int64(len(ids)))
		if i%3 == 0 && len(ids) > 0 { // with its size
			block = binary.AppendVarint(binary.AppendVarint(nil, -int64(len(ids))), int64(len(items)))
		}
		block = append(block, items...)
		if len(ids) > 0 {
			block = append(block, 0)
		}
		switch {
		case i%2 == 0:
			publish("feeds", older, append(block, head...))
		case len(ids) == 0:
			publish("feeds", newer, append(head, 0)) // null
		default:
			publish("feeds", newer, append(append(head, 2), block...))
		}
		clicks := protowire.AppendString(protowire.AppendTag([]byte{0}, 1, protowire.BytesType), request)
		clicks = protowire.AppendVarint(protowire.AppendTag(clicks, 2, protowire.VarintType), uint64(at+1000))
		for k, id := range ids {
			want[fmt.Sprintf("%s|%d", request, id)] = fmt.Sprintf("%d at %d for %d", k%2, k, price)
			if k == 1 {
				click := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(id))
				clicks = protowire.AppendBytes(protowire.AppendTag(clicks, 3, protowire.BytesType), click)
			}
		}
		publish("clicks", clicked, clicks)
	}
	head := binary.AppendVarint([]byte{2, 'x'}, start.Add(time.Minute).UnixMilli())
	publish("feeds", newer, append(binary.AppendVarint(append(slices.Clone(head), 2), 1<<60), 0))
	publish("feeds", newer, append(slices.Clone(head), 2, 4, 2, 2, 2, 0, 2, 0)) // the second has no id
	want["x|1"] = "0 at 0 for 1"
	s.run()
	dead := s.rejected("samples.dead")
	require.Len(t, dead, 2)
	require.Contains(t, dead[0].Detail, "decode items at byte")
	require.Nil(t, dead[0].Index)
	require.Contains(t, dead[1].Detail, "field items.id")
	require.EqualValues(t, 1, *dead[1].Index)
	require.JSONEq(t, fmt.Sprintf(`{"request":"x","ts":%d,"items":{"id":null,"price":1}}`, start.Add(time.Minute).UnixMilli()), string(dead[1].Record))

	ofStream := consume(t, s.brokers, "samples")
	ofBatch, report := joinFiles(t, t.TempDir(), strings.Replace(fmt.Sprintf(text, s.brokers[0]), "samples: {topic: samples,", "samples: {path: out/samples,", 1))
	require.Equal(t, ofStream, ofBatch)
	got := map[string]string{}
	for sample := range ofBatch {
		var one struct {
			ID       string         `json:"view_id"`
			Labels   map[string]int `json:"labels"`
			Position int
			Price    int
			View     struct {
				Items struct{ Price int }
			}
		}
		require.NoError(t, json.Unmarshal([]byte(sample), &one), sample)
		require.Equal(t, one.Price, one.View.Items.Price)
		got[one.ID] = fmt.Sprintf("%d at %d for %d", one.Labels["click"], one.Position, one.Price)
	}
	require.Equal(t, want, got)
	require.EqualValues(t, empty, report.Accounts.Views.N[account.Filtered])
}
