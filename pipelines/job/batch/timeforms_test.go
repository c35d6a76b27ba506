package batch

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/transforms/account"
)

// TestTimesOfAnyForm joins views and clicks of the night in which Berlin's clocks are set back, from files and from topics: times by a pattern,
// without a zone and in Avro's local ones are those that were meant, and what no pattern fits is a dead letter.
func TestTimesOfAnyForm(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	first := time.Date(2026, time.October, 24, 22, 0, 0, 0, time.UTC)
	var views, clicks, avroClicks, csvViews, want []string
	for i := range 12 { // every half hour from midnight to the second 02:30, and on
		at := first.Add(time.Duration(i) * 30 * time.Minute)
		clock := at.In(berlin).Format("02.01.2006 15:04:05")
		views = append(views, fmt.Sprintf(`{"id":"v%d","at":%q}`, i, clock))
		csvViews = append(csvViews, fmt.Sprintf("v%d,%s", i, clock))
		wall := at
		if hour := at.Hour(); hour == 1 { // shown a second time: it is read as the first
			at = at.Add(-time.Hour)
		}
		_, ahead := wall.In(berlin).Zone()
		seen := wall.Add(time.Duration(ahead) * time.Second) // as the clocks have it
		clicks = append(clicks, fmt.Sprintf(`{"view":"v%d","at":%q,"seen":%q}`, i, seen.Format("2006-01-02 15:04:05.000"), clock))
		avroClicks = append(avroClicks, fmt.Sprintf(`{"view":"v%d","at":%d}`, i, seen.UnixMilli()))
		want = append(want, fmt.Sprintf("v%d %s true", i, at.Format(time.RFC3339)))
	}
	views = append(views, `{"id":"bad","at":"10/24/2026 00:00:00"}`)
	csvViews = append(csvViews, "bad,2026-10-24 00:00:00")

	dir := t.TempDir()
	write(t, dir+"/views.jsonl", strings.Join(views, "\n")+"\n")
	write(t, dir+"/views.csv", "id,at\n"+strings.Join(csvViews, "\n")+"\n")
	write(t, dir+"/clicks.jsonl", strings.Join(clicks, "\n")+"\n")
	writeAvro(t, dir+"/clicks.avro", `{"type":"record","name":"click","fields":[{"name":"view","type":"string"},{"name":"at","type":{"type":"long","logicalType":"local-timestamp-millis"}}]}`, 100, avroClicks...)
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "views", "clicks"))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(fake.ListenAddrs()...))
	require.NoError(t, err)
	t.Cleanup(client.Close)
	for topic, values := range map[string][]string{"views": views, "clicks": clicks} {
		for _, value := range values {
			require.NoError(t, client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte(value)}).FirstErr())
		}
	}

	for name, in := range map[string]struct{ views, clicks, more string }{
		"json":   {"views.jsonl", "clicks.jsonl", `, view_time: {field: seen, pattern: "%d.%m.%Y %H:%M:%S", zone: Europe/Berlin}`},
		"csv":    {"views.csv", "clicks.jsonl", ""},
		"avro":   {"views.csv", "clicks.avro", ""},
		"topics": {"[{topic: views, format: json}]", "[{topic: clicks, format: json}]", `, view_time: {field: seen, pattern: "%d.%m.%Y %H:%M:%S", zone: Europe/Berlin}`},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := ""
			if name == "topics" {
				cluster = fmt.Sprintf("clusters: {main: {brokers: [%q]}}\n", fake.ListenAddrs()[0])
			}
			// A topic is read in order: the second 02:30 is an hour behind the first 02:59.
			s := parse(t, dir, cluster+fmt.Sprintf(`
views: {inputs: %s, id: id, time: {field: at, pattern: "%%d.%%m.%%Y %%H:%%M:%%S", zone: Europe/Berlin}}
engagements: {click: {inputs: %s, view: view, time: {field: at, zone: Europe/Berlin}, window: 1s%s}}
out_of_orderness: 2h
outputs: {samples: %s/samples, dead_letters: %s/dead}
`, in.views, in.clicks, in.more, name, name))
			found := join(t, s, Options{})
			require.EqualValues(t, 1, found.Accounts.Views.N[account.Dead])
			require.Zero(t, found.Accounts.Engagements["click"].N[account.Dead])
			var got []string
			for _, sample := range samplesBelow(t, dir+"/"+name+"/samples") {
				got = append(got, fmt.Sprintf("%s %s %v", sample.ViewID, time.UnixMilli(sample.ViewTime).UTC().Format(time.RFC3339), sample.Positive))
			}
			require.ElementsMatch(t, want, got)
		})
	}
}
