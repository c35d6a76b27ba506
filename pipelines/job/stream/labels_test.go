package stream

import (
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/pipelines/job/batch"
	"tributary/pipelines/spec"
	"tributary/transforms/account"
)

// TestSeveralLabelsEqualBatch: labels of one kind, with types and without, are the same of topics as of files, at every stage.
func TestSeveralLabelsEqualBatch(t *testing.T) {
	const labels = `view: id, time: {field: ts, unit: epoch-millis}, id: order, window: 1m, labels: {bought: binary, value: {sum: price}, dearest: {max: price}, first_price: {first: price}, coupon: {last: {field: code, type: string}}, pieces: {first: {field: pieces, type: long}}}`
	for _, stages := range []string{"", "stages: [10s, {after: 30s, emit: changed}]\n"} {
		var lines [2]strings.Builder
		s := newSmallOf(t, 1, `
clusters: {main: {brokers: [%q]}}
views: {inputs: [{topic: views, format: json}], id: id, time: {field: ts, unit: epoch-millis}}
engagements: {buy: {inputs: [{topic: buys, format: json}], `+labels+`}}
bucket: 1m
shards: 2
stream: {name: small, idle_timeout: never, source_parallelism: 1}
outputs: {samples: {topic: samples}}
`+stages)
		publish := func(to int, topic, line string) {
			lines[to].WriteString(line + "\n")
			s.publish(topic, []byte(line))
		}
		const from = int64(1_767_225_600_000)
		for i := range int64(60) {
			publish(0, "views", fmt.Sprintf(`{"id":"v%d","item":%d,"ts":%d}`, i, i, from+i*5000))
			for n := range i % 4 { // further and further behind the view, out of order
				more := ""
				if (i+n)%3 > 0 {
					more = fmt.Sprintf(`,"code":%d,"pieces":"%d"`, i, n)
				}
				publish(1, "buys", fmt.Sprintf(`{"id":"v%d","order":"%d-%d","price":%d.5%s,"ts":%d}`, i, i, n, (n*7+i)%5, more, from+i*5000+(n*23_000+i*1000)%60_000))
			}
		}
		publish(1, "buys", fmt.Sprintf(`{"id":"v59","order":"bad","pieces":"many","ts":%d}`, from+59*5000))
		s.run()

		dir := t.TempDir()
		for i, name := range []string{"views", "buys"} {
			require.NoError(t, os.WriteFile(dir+"/"+name+".jsonl", []byte(lines[i].String()), 0o600))
		}
		files, err := spec.Parse(dir+"/spec.yaml", []byte(`
views: {inputs: [{path: views.jsonl, order: file}], id: id, time: {field: ts, unit: epoch-millis}}
engagements: {buy: {inputs: [{path: buys.jsonl, order: file}], `+labels+`}}
bucket: 1m
outputs: {samples: out/samples}
`+stages))
		require.NoError(t, err)
		report, err := batch.Run(t.Context(), files, batch.Options{})
		require.NoError(t, err)
		buy := report.Accounts.Engagements["buy"]
		require.EqualValues(t, 1, buy.N[account.Dead])
		require.Greater(t, buy.N[account.Matched], int64(60))
		want := samplesBelow(t, dir+"/out/samples")
		require.GreaterOrEqual(t, len(want), 60)
		if stages != "" {
			require.Positive(t, report.Accounts.Stages["1m"].Corrected["buy"])
		}
		require.True(t, maps.Equal(want, consume(t, s.brokers, "samples")), "samples differ from the batch's")
		require.Len(t, consume(t, s.brokers, "samples.dead"), 1)
	}
}
