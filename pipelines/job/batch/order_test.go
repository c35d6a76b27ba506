package batch

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/pipelines/sim/generate"
	"tributary/pipelines/spec"
	"tributary/transforms/account"
)

const logSchema = `{"type":"record","name":"Logged","fields":[
	{"name":"p","type":"int"},{"name":"o","type":"long"},
	{"name":"view_id","type":["null","string"]},
	{"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}},
	{"name":"pos","type":"int"},{"name":"kind","type":"string"},{"name":"event_id","type":"string"},{"name":"amount","type":"double"}]}`

// logged are the records of generated partitions, each with its place in the log.
func logged(t *testing.T, c generate.Config) (views, engagements [][]string, truth generate.Truth) {
	t.Helper()
	partitions, _, truth, err := generate.Events(c)
	require.NoError(t, err)
	for _, p := range partitions {
		var rows []string
		for o, e := range p.Events {
			id := fmt.Sprintf("%q", e.ViewID)
			if e.Malformed {
				id = "null"
			}
			rows = append(rows, fmt.Sprintf(`{"p":%d,"o":%d,"view_id":%s,"ts":%d,"pos":%d,"kind":%q,"event_id":%q,"amount":%v}`,
				p.Number, o, id, e.Time, e.Pos, e.Kind, e.EventID, e.Amount))
		}
		if p.Views {
			views = append(views, rows)
		} else {
			engagements = append(engagements, rows)
		}
	}
	return views, engagements, truth
}

func logSpec(t *testing.T, dir, order string) *spec.Spec {
	t.Helper()
	text := fmt.Sprintf(`
views: {inputs: [{path: views/**/*.avro, order: %[1]s}], id: view_id, time: ts}
out_of_orderness: 30s
clock_skew: 2s
outputs: {samples: out/samples, orphans: out/orphans}
engagements:
`, order)
	for kind, window := range map[string]string{"like": "2m", "share": "1m", "buy": "3m"} {
		label := "count"
		if kind == "buy" {
			label = "{sum: amount}"
		}
		text += fmt.Sprintf("  %s: {inputs: [{path: engagements/**/*.avro, order: %s}], where: {kind: %s}, view: view_id, time: ts, id: event_id, window: %s, label: %s}\n",
			kind, order, kind, window, label)
	}
	return parse(t, dir, text)
}

// interleave spreads the partitions over files: each file has some of every partition, in
// order, and the names of the files are not in that of the offsets.
func interleave(t *testing.T, dir string, partitions [][]string, random *rand.Rand) {
	t.Helper()
	rest := make([][]string, len(partitions))
	left := 0
	for i, p := range partitions {
		rest[i] = p
		left += len(p)
	}
	for n := 0; left > 0; n++ {
		var rows []string
		for want := 1 + random.IntN(400); left > 0 && len(rows) < want; {
			p := random.IntN(len(rest))
			take := min(len(rest[p]), random.IntN(30))
			rows = append(rows, rest[p][:take]...)
			rest[p] = rest[p][take:]
			left -= take
		}
		writeAvro(t, fmt.Sprintf("%s/%c/%d.avro", dir, 'a'+rune(random.IntN(3)), n), logSchema, 1+random.IntN(4000), rows...)
	}
}

func TestOrderByFieldsIsTheOrderOfTheLog(t *testing.T) {
	for seed := range uint64(4) {
		c := everything(1500)
		c.Seed = seed
		views, engagements, truth := logged(t, c)
		truth.Views.DuplicatesDiffering = truth.Views.Duplicates // by their offsets

		plain := t.TempDir()
		for folder, partitions := range map[string][][]string{"views": views, "engagements": engagements} {
			for i, rows := range partitions {
				writeAvro(t, fmt.Sprintf("%s/%s/%d.avro", plain, folder, i), logSchema, 3000, rows...)
			}
		}
		byFile := logSpec(t, plain, "file")
		want := join(t, byFile, Options{})
		require.Equal(t, truth, counts(want.Accounts))

		mixed := t.TempDir()
		random := rand.New(rand.NewPCG(seed, 1))
		interleave(t, mixed+"/views", views, random)
		interleave(t, mixed+"/engagements", engagements, random)
		byField := logSpec(t, mixed, "{partition: p, offset: o}")
		for _, interval := range []time.Duration{0, 3 * time.Minute} {
			got := join(t, to(byField, t.TempDir()), Options{Interval: interval})
			require.Equal(t, truth, counts(got.Accounts), "seed %d, intervals of %s", seed, interval)
		}
		join(t, byField, Options{})
		require.Equal(t, contents(t, byFile.Outputs.Samples.Path), contents(t, byField.Outputs.Samples.Path), "the same bytes")

		// The same records were late, by the same watermarks, at the same offsets.
		for _, folder := range []string{"late", "dead", "orphans"} {
			want, got := lines(t, plain+"/out/"+folder), lines(t, mixed+"/out/"+folder)
			for i := range want {
				want[i] = strings.NewReplacer(plain, "", "/views/", "", "/engagements/", "", ".avro", "").Replace(want[i])
			}
			for i := range got {
				got[i] = strings.NewReplacer(mixed, "", "/views/**/*.avro#", "", "/engagements/**/*.avro#", "").Replace(got[i])
			}
			require.NotEmpty(t, want)
			require.ElementsMatch(t, want, got, folder)
		}
	}
}

// stamped are rows of one partition at offsets, two seconds apart.
func stamped(partition int, offsets ...int) (rows []string) {
	for _, o := range offsets {
		rows = append(rows, fmt.Sprintf(`{"p":%d,"o":%d,"view_id":"v%d-%d","ts":%d,"pos":0,"kind":"like","event_id":"","amount":0}`,
			partition, o, partition, o, 1767225600000+2000*o))
	}
	return rows
}

func TestOffsetsThatGoBackAreRefused(t *testing.T) {
	for name, files := range map[string][][]int{
		"in a block":           {{1, 2, 5, 4, 6}},
		"again in a block":     {{1, 2, 2, 3}},
		"between blocks":       {{1, 2, 3, 400, 5, 6, 7, 8}},
		"between files":        {{1, 2, 3}, {3, 4}},
		"within another file":  {{1, 10}, {4, 5}},
		"the same file twice":  {{1, 2, 3}, {1, 2, 3}},
		"the same first block": {{1, 2, 3}, {1}},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			dir := t.TempDir()
			for i, offsets := range files {
				writeAvro(t, fmt.Sprintf("%s/views/%d.avro", dir, i), logSchema, 120, append(stamped(0, offsets...), stamped(1, 10*i, 10*i+1)...)...)
			}
			writeAvro(t, dir+"/engagements/0.avro", logSchema, 120, stamped(0, 1, 2, 3)...)
			s := logSpec(t, dir, "{partition: p, offset: o}")
			list := refused(t, s)
			require.Len(t, list, 1, "%v", list)
			require.Equal(t, "T2007", list[0].Code)
			require.Contains(t, list[0].Message, `views/**/*.avro#0"`)
			require.Equal(t, "views.inputs.0", list[0].Field)
			require.Equal(t, 2, list[0].Line)
			require.Empty(t, below(t, dir+"/out"))
		})
	}
	t.Run("gaps are fine", func(t *testing.T) {
		dir := t.TempDir()
		writeAvro(t, dir+"/views/0.avro", logSchema, 120, append(stamped(1, 7, 8), stamped(0, 5, 6, 90)...)...)
		writeAvro(t, dir+"/views/1.avro", logSchema, 120, append(stamped(0, 1, 3), stamped(1, 2)...)...)
		writeAvro(t, dir+"/engagements/0.avro", logSchema, 120, stamped(0, 1, 2, 3)...)
		r := join(t, logSpec(t, dir, "{partition: p, offset: o}"), Options{})
		require.EqualValues(t, 8, r.Accounts.Views.N[account.Samples])
	})
}

// TestRecordsWithoutAPlaceAreDeadLetters: one of them must not keep the rest from being
// joined, and is found again by its file and its place there.
func TestRecordsWithoutAPlaceAreDeadLetters(t *testing.T) {
	dir := t.TempDir()
	const tail = `,"view_id":"v","ts":1767225600000,"kind":"like"}`
	rows := []string{`{"p":"a","o":1` + tail, `{"p":null,"o":2` + tail, `{"p":"a","o":-3` + tail, `{"p":"a","o":"4"` + tail, `{"p":"a","o":5.5` + tail, `broken`, `{"p":2.5,"o":9` + tail}
	for i := range rows {
		rows[i] = strings.Replace(rows[i], `"v"`, fmt.Sprintf(`"v%d"`, i), 1)
	}
	write(t, dir+"/views/x.jsonl", strings.Join(rows, "\n"))
	write(t, dir+"/likes/x.jsonl", strings.Join(rows, "\n"))
	s := parse(t, dir, `
views: {inputs: [{path: views/*.jsonl, order: {partition: p, offset: o}}], id: view_id, time: {field: ts, unit: epoch-millis}}
engagements:
  like: {inputs: [{path: likes/*.jsonl, order: {partition: p, offset: o}}], view: view_id, time: {field: ts, unit: epoch-millis}, window: 1m}
outputs: {samples: out/samples}
`)
	r := join(t, s, Options{})
	require.EqualValues(t, 7, r.Accounts.Views.N[account.Read])
	require.EqualValues(t, 6, r.Accounts.Views.N[account.Dead])
	require.EqualValues(t, 6, r.Accounts.Engagements["like"].N[account.Dead])
	require.EqualValues(t, 1, r.Accounts.Engagements["like"].N[account.Matched])
	dead := lines(t, dir+"/out/dead")
	require.Len(t, dead, 12)
	for i, offset := range []int{1, 2, 3, 4, 5, 6} {
		require.Contains(t, dead[i], `"source":"`+dir+`/likes/x.jsonl"`)
		require.Contains(t, dead[i], fmt.Sprintf(`"offset":%d`, offset))
		require.Contains(t, dead[6+i], `"source":"`+dir+`/views/x.jsonl"`)
	}
}
