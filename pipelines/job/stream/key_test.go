package stream

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/pipelines/job/batch"
	"tributary/pipelines/spec"
	"tributary/transforms/account"
)

// TestKeysEqualBatch: what views that share a key have of its engagements is the same of topics as of files, with views in
// disorder and some that come after others have closed, at each stage.
func TestKeysEqualBatch(t *testing.T) {
	const rules = `
out_of_orderness: 10s
stages: [20s]
shards: 2
`
	of := func(views, acts string) string {
		kind := func(name, credit, label string) string {
			return fmt.Sprintf("  %s: {inputs: [%s], key: [user, item], time: {field: ts, unit: epoch-millis}, id: id, window: 1m, credit: %s, label: %s}\n", name, acts, credit, label)
		}
		return fmt.Sprintf("views: {inputs: [%s], id: imp, key: [user, item], time: {field: ts, unit: epoch-millis}}\nengagements:\n", views) +
			kind("click", "last", "count") + kind("first", "first", "{sum: value}") + kind("part", "even", "{sum: value}") +
			kind("clicked", "{after: first}", "count") + kind("either", "{after: click, to: first, otherwise: any}", "count") + rules
	}
	s := newSmallOf(t, 1, "clusters: {main: {brokers: [%q]}}\n"+of("{topic: views, format: json}", "{topic: acts, format: json}")+`
stream: {name: small, idle_timeout: never, source_parallelism: 1}
outputs: {samples: {topic: samples}}
`)
	var lines [2]strings.Builder
	publish := func(to int, topic, line string) {
		lines[to].WriteString(line + "\n")
		s.publish(topic, []byte(line))
	}
	const from = int64(1_767_225_600_000)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range int64(400) {
		at := from + i*1500
		if i%11 == 0 {
			at -= 60_000 + random.Int64N(25_000) // after others have closed
		} else {
			at -= random.Int64N(9000)
		}
		publish(0, "views", fmt.Sprintf(`{"imp":%d,"user":"u","item":%d,"ts":%d}`, i, random.IntN(3), at))
		if i%3 == 0 {
			publish(1, "acts", fmt.Sprintf(`{"id":%d,"user":"u","item":%d,"value":%d,"ts":%d}`, i, random.IntN(3), i, from+i*1500-random.Int64N(9000)))
		}
	}
	s.run()

	dir := t.TempDir()
	for i, name := range []string{"views", "acts"} {
		require.NoError(t, os.WriteFile(dir+"/"+name+".jsonl", []byte(lines[i].String()), 0o600))
	}
	files, err := spec.Parse(dir+"/spec.yaml", []byte(of("{path: views.jsonl, order: file}", "{path: acts.jsonl, order: file}")+"outputs: {samples: out/samples}\n"))
	require.NoError(t, err)
	report, err := batch.Run(t.Context(), files, batch.Options{})
	require.NoError(t, err)
	for _, kind := range []string{"click", "first", "either"} {
		e := report.Accounts.Engagements[kind].N
		require.Greater(t, e[account.Matched], int64(80))
		require.Equal(t, e[account.Matched], e[account.Matches], "each counts once")
	}
	part := report.Accounts.Engagements["part"].N
	require.Greater(t, part[account.Matches], 2*part[account.Matched])
	want := samplesBelow(t, dir+"/out/samples")
	require.Greater(t, len(want), 400)
	require.True(t, maps.Equal(want, consume(t, s.brokers, "samples")), "samples differ from the batch's")
}
