package batch

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/require"

	"tributary/pipelines/report"
	"tributary/runners/devcluster/services"
	"tributary/transforms/account"
)

const (
	feedItemSchema = `{"type":"record","name":"Item","namespace":"feed","fields":[{"name":"id","type":["null","long"]},{"name":"shown","type":"boolean"},{"name":"score","type":{"type":"array","items":"long"}}]}`
	// What holds the list is used again, and so is an item.
	feedSchema = `{"type":"record","name":"Request","namespace":"feed","fields":[{"name":"request_id","type":"string"},
		{"name":"response","type":["null",{"type":"record","name":"Response","fields":[{"name":"items","type":["null",{"type":"array","items":` + feedItemSchema + `}],"default":null},{"name":"best","type":["null","Item"],"default":null},{"name":"page","type":"int","default":1}]}]},
		{"name":"previous","type":["null","Response"]},{"name":"ts","type":"long"}]}`
	clicksSchema = `{"type":"record","name":"Clicks","fields":[{"name":"batch","type":"long"},{"name":"req","type":"string"},{"name":"at","type":"long"},
		{"name":"clicks","type":{"type":"array","items":{"type":"record","name":"Click","fields":[{"name":"item","type":"long"},{"name":"price","type":["null","long"]}]}}}]}`
)

// elementLogs are records that hold lists, as JSON with the members that their schemas have.
func elementLogs() (requests, clicks []string) {
	random := rand.New(rand.NewPCG(3, 4))
	list := func(n int, one func(i int) string) string {
		all := make([]string, n)
		for i := range all {
			all[i] = one(i)
		}
		return "[" + strings.Join(all, ",") + "]"
	}
	for i := range 300 {
		id, at := fmt.Sprint("r", i%280), begin+int64(i)*1500
		if i%11 == 10 {
			at -= 90_000 // late
		}
		item := func(k int) string {
			id := fmt.Sprint(random.IntN(12))
			if random.IntN(15) == 0 {
				id = "null" // which is no id
			}
			return fmt.Sprintf(`{"id":%s,"shown":%t,"score":%s}`, id, random.IntN(5) > 0, list(random.IntN(3), func(int) string { return fmt.Sprint(k) }))
		}
		items, best := list(random.IntN(6), item), "null"
		if i%7 == 3 {
			items = "null"
		}
		if i%3 == 0 {
			best = item(9)
		}
		response := fmt.Sprintf(`{"items":%s,"best":%s,"page":%d}`, items, best, i%2+1)
		if i%13 == 5 {
			response = "null"
		}
		previous := "null"
		if i%4 == 0 {
			previous = fmt.Sprintf(`{"items":%s,"best":null,"page":0}`, items)
		}
		requests = append(requests, fmt.Sprintf(`{"request_id":%q,"response":%s,"previous":%s,"ts":%d}`, id, response, previous, at))
		for range random.IntN(4) {
			price := func() string {
				if random.IntN(9) == 0 {
					return "null"
				}
				return fmt.Sprint(random.IntN(9))
			}
			clicks = append(clicks, fmt.Sprintf(`{"batch":%d,"req":%q,"at":%d,"clicks":%s}`, len(clicks), fmt.Sprint("r", i), begin+int64(i)*1500+random.Int64N(70_000),
				list(random.IntN(4), func(int) string { return fmt.Sprintf(`{"item":%d,"price":%s}`, random.IntN(12), price()) })))
		}
	}
	return requests, clicks
}

const elementFormatsSpec = `
views:
  inputs: [{path: requests/*.%[1]s, order: file%[2]s}]
  each: response.items
  fields: {place: '$index + 1'}
  where: 'response.items.shown && place < 6 && size(request_id) > 0'
  id: [request_id, response.items.id]
  time: {field: ts, unit: epoch-millis}
engagements:
  paid: {inputs: [{path: clicks/*.%[1]s, order: none%[3]s}], each: clicks, view: [req, clicks.item], id: [batch, $index], time: {field: at, unit: epoch-millis}, window: 1m, label: {sum: clicks.price}}
  first: {inputs: [{path: clicks/*.%[1]s, order: none%[3]s}], each: clicks, where: '$index == 0 || clicks.price > 3', view: [req, clicks.item], id: [batch, $index], time: {field: at, unit: epoch-millis}, window: 1m, count: first, label: {first: $index}}
sample: {fields: [{at: $index}, {place: place}, {page: response.page}]%[4]s}
out_of_orderness: 20s
outputs: {samples: out/samples, orphans: out/orphans}
`

// elementOutcome is what a join of lists gave, with nothing of how its records were written.
type elementOutcome struct {
	samples, rejected []string
	accounts          *account.Sheet
	folder            string // of the samples
}

func elementsJoined(t *testing.T, dir, text string) elementOutcome {
	t.Helper()
	s := to(parse(t, dir, text), t.TempDir())
	out := elementOutcome{accounts: sameInputs(join(t, s, Options{})), folder: s.Outputs.Samples.Path}
	eachRecord(t, s.Outputs.Samples.Path, func(_ string, text []byte) {
		var sample map[string]any
		require.NoError(t, json.Unmarshal(text, &sample))
		if view, ok := sample["view"].(string); ok {
			var parsed any
			require.NoError(t, json.Unmarshal([]byte(view), &parsed))
			sample["view"] = parsed
		}
		delete(sample, "spec_version")
		line, err := json.Marshal(sample)
		require.NoError(t, err)
		out.samples = append(out.samples, string(line))
	})
	for _, path := range []string{s.Outputs.Late, s.Outputs.DeadLetters, s.Outputs.Orphans} {
		for _, line := range lines(t, path) {
			var rejected map[string]any
			require.NoError(t, json.Unmarshal([]byte(line), &rejected))
			rejected["source"] = nil
			if rec, ok := rejected["record"].(map[string]any); ok {
				delete(rec, "previous") // which nothing names: of Parquet it need not be read
			}
			line, err := json.Marshal(rejected)
			require.NoError(t, err)
			out.rejected = append(out.rejected, string(line))
		}
	}
	return out
}

// sameInputs are accounts without the sizes of encodings.
func sameInputs(r *report.Report) *account.Sheet {
	sheet := same(r.Accounts)
	sheet.Bytes, sheet.Origin, sheet.Files = account.Bytes{}, account.Origin{}, nil
	return sheet
}

// TestElementsOfEveryFormat joins the same lists as JSON, as Avro, as Parquet of our own writer and of pyarrow, and as JSON that is converted by
// a schema: the samples, dead letters, late records, orphans and accounts are the same. Of JSON they are held against the lists in
// TestElementsOfLists.
func TestElementsOfEveryFormat(t *testing.T) {
	python, err := services.Service{Name: "readers", Data: t.TempDir(), Log: os.Stderr}.Start(t.Context())
	require.NoError(t, err)
	dir := t.TempDir()
	requests, clicks := elementLogs()
	for name, log := range map[string]struct {
		schema  string
		records []string
	}{"requests": {feedSchema, requests}, "clicks": {clicksSchema, clicks}} {
		write(t, dir+"/"+name+".avsc", log.schema)
		for part, records := range [][]string{log.records[:len(log.records)/2], log.records[len(log.records)/2:]} {
			path := fmt.Sprintf("%s/%s/%d", dir, name, part)
			write(t, path+".jsonl", strings.Join(records, "\n")+"\n")
			writeAvro(t, path+".avro", log.schema, 2000, records...)
			parquetOf(t, path+".avro")
		}
	}
	cmd := exec.CommandContext(t.Context(), string(python), "-c", `
import os, pyarrow.parquet as pq
for kind in "requests", "clicks":
    os.makedirs("arrow/" + kind)
    for f in "01":
        pq.write_table(pq.read_table(f"{kind}/{f}.parquet"), f"arrow/{kind}/{f}.parquet", row_group_size=40)
`)
	cmd.Dir = dir
	said, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", said)

	requireReadByOthers := func(t *testing.T, folder string, samples int) {
		read := 0
		for _, path := range below(t, folder) {
			file, err := os.Open(path)
			require.NoError(t, err)
			in, err := goavro.NewOCFReader(file)
			require.NoError(t, err)
			for in.Scan() {
				_, err := in.Read()
				require.NoError(t, err)
				read++
			}
			require.NoError(t, in.Err())
			require.NoError(t, file.Close())
		}
		require.Equal(t, samples, read)
		said, err := exec.CommandContext(t.Context(), string(python), "-c", `
import glob, sys, fastavro
print(sum(1 for path in glob.glob(sys.argv[1] + "/**/*.avro", recursive=True) for one in fastavro.reader(open(path, "rb"))))
`, folder).CombinedOutput()
		require.NoError(t, err, "%s", said)
		require.Equal(t, fmt.Sprint(samples), strings.TrimSpace(string(said)))
	}

	text := func(format, views, clicks, sample string) string {
		return fmt.Sprintf(elementFormatsSpec, format, views, clicks, sample)
	}
	for _, sample := range []string{"", ", view: none"} {
		want := elementsJoined(t, dir, text("jsonl", "", "", sample))
		v := &want.accounts.Views.N
		for _, n := range []account.Count{account.Late, account.Dead, account.Duplicates, account.Filtered, account.Positives} {
			require.Greater(t, v[n], int64(10), n)
		}
		require.Greater(t, len(want.samples), 200)
		require.Contains(t, strings.Join(want.rejected, "\n"), `"index":2`)
		for name, text := range map[string]string{
			"avro": text("avro", "", "", sample), "parquet": text("parquet", "", "", sample),
			"pyarrow":  strings.NewReplacer("requests/", "arrow/requests/", "clicks/", "arrow/clicks/").Replace(text("parquet", "", "", sample)),
			"a schema": text("jsonl", ", schema: requests.avsc", ", schema: clicks.avsc", sample),
		} {
			t.Run(name+sample, func(t *testing.T) {
				got := elementsJoined(t, dir, text)
				require.Equal(t, len(want.samples), len(got.samples))
				for i := range want.samples {
					require.Equal(t, want.samples[i], got.samples[i])
				}
				require.Equal(t, len(want.rejected), len(got.rejected))
				for i := range want.rejected {
					require.Equal(t, want.rejected[i], got.rejected[i])
				}
				require.Equal(t, want.accounts, got.accounts)
				requireReadByOthers(t, got.folder, len(got.samples))
			})
		}
	}
}

// TestElementsByPosition: of elements that are plain values nothing but the position is named, by views and engagements.
func TestElementsByPosition(t *testing.T) {
	dir := t.TempDir()
	requests := []string{
		fmt.Sprintf(`{"request":"r","tags":["a","b"],"ts":%d,"wide":"x"}`, begin), fmt.Sprintf(`{"request":"s","tags":[],"ts":%d,"wide":"x"}`, begin+1), fmt.Sprintf(`{"request":"u","tags":["c"],"ts":%d,"wide":"x"}`, begin+2),
	}
	write(t, dir+"/r.jsonl", strings.Join(requests, "\n"))
	writeAvro(t, dir+"/r.avro", recordSchema("Request", `request "string"`, `tags {"type":"array","items":"string"}`, `ts "long"`, `wide "string"`), 100, requests...)
	parquetOf(t, dir+"/r.avro")
	for _, format := range []string{"jsonl", "avro", "parquet"} {
		got, _, dead := shapedSamples(t, to(parse(t, dir, fmt.Sprintf(`
views: {inputs: r.%[1]s, each: tags, id: [request, $index], time: {field: ts, unit: epoch-millis}}
engagements:
  next: {inputs: r.%[1]s, each: tags, view: [request, $index], time: {field: ts, unit: epoch-millis}, window: 1m, where: '$index > 0'}
sample: {fields: [{pos: {field: $index, type: long}}], view: none}
outputs: {samples: out/samples}
`, format)), t.TempDir()))
		require.Zero(t, dead)
		require.Len(t, got, 3, format)
		for id, positive := range map[string]bool{"r|0": false, "r|1": true, "u|0": false} {
			require.Equal(t, positive, got[id]["positive"], "%s of %s", id, format)
			require.Equal(t, int64(id[2]-'0'), inner(got[id]["pos"]))
		}
	}
}

// TestElementsOfAllAges: the list has another name in older files, and its items fewer fields of smaller types; views in samples have the schema
// of the newest, with an element in place of the list, or of one that the spec gives.
func TestElementsOfAllAges(t *testing.T) {
	old := recordSchema("Request", `things {"type":"array","items":`+recordSchema("Thing", `id "int"`)+`}`, `request "string"`, "ts "+stampType)
	newer := `{"type":"record","name":"Request","fields":[{"name":"request","type":"string"},{"name":"ts","type":` + stampType + `},{"name":"items","aliases":["things"],"default":[],"type":["null",{"type":"array","items":
		{"type":"record","name":"Item","aliases":["Thing"],"fields":[{"name":"id","type":"long"},{"name":"price","type":"double","default":1.5}]}}]}]}`
	given := strings.Replace(newer, "1.5", "2.5", 1)
	for _, names := range [][2]string{{"a", "b"}, {"b", "a"}} {
		for price, schema := range map[float64]string{1.5: "", 2.5: ", schema: view.avsc"} {
			dir := t.TempDir()
			write(t, dir+"/view.avsc", given)
			writeAvro(t, dir+"/views/"+names[0]+".avro", old, 100, fmt.Sprintf(`{"things":[{"id":1},{"id":2}],"request":"r","ts":%d}`, begin))
			writeAvro(t, dir+"/views/"+names[1]+".avro", newer, 100, fmt.Sprintf(`{"request":"s","ts":%d,"items":[{"id":8589934592,"price":3.5}]}`, begin), fmt.Sprintf(`{"request":"n","ts":%d,"items":null}`, begin))
			s := to(parse(t, dir, fmt.Sprintf(`
views: {inputs: [{path: views/*.avro%s}], each: items, where: 'items.id > 0', id: [request, items.id], time: ts}
engagements:
  again: {inputs: views/*.avro, each: items, view: [request, items.id], time: ts, window: 1m, where: {items.id: 2}}
outputs: {samples: out/samples}
`, schema)), t.TempDir())
			got, _, dead := shapedSamples(t, s)
			require.Zero(t, dead)
			require.Len(t, got, 3)
			require.Equal(t, true, got["r|2"]["positive"])
			require.Equal(t, false, got["r|1"]["positive"])
			for id, item := range map[string]map[string]any{"r|1": {"id": int64(1), "price": price}, "r|2": {"id": int64(2), "price": price}, "s|8589934592": {"id": int64(8589934592), "price": 3.5}} {
				require.Equal(t, item, got[id]["view"].(map[string]any)["items"], id)
			}
		}
	}
}

// TestListsThatAreNone: a field that is no list, or is not there, is a mistake before anything is joined, and fields are those of elements.
func TestListsThatAreNone(t *testing.T) {
	dir := t.TempDir()
	schema := recordSchema("Request", `request "string"`, `wide "string"`, "ts "+stampType, `items {"type":"array","items":`+recordSchema("Item", `id "long"`, `shown "boolean"`)+`}`)
	row := fmt.Sprintf(`{"request":"r","wide":"w","ts":%d,"items":[{"id":1,"shown":true}]}`, begin)
	writeAvro(t, dir+"/views.avro", schema, 100, row)
	parquetOf(t, dir+"/views.avro")
	for _, format := range []string{"avro", "parquet"} {
		for _, c := range []struct{ each, id, where, at, code, want string }{
			{"request", "[wide, $index]", "ts != null", "views.each", "T2004", `field "request" is of type`},
			{"itms", "[wide, $index]", "ts != null", "views.each", "T2003", `no field "itms"`},
			{"items", "[request, items.di]", "items.shown == true", "views.id.1", "T2003", `no field "items.di"`},
			{"items", "[request, items.shown]", "items.shown == true", "views.id.1", "T2004", `items.shown is of type boolean, and cannot be an id`},
			{"items", "[request, items.id]", "items.shown > 1", "views.where", "T1117", ""},
			{"items", "[request, items.id]", `$index == "1"`, "views.where", "T1117", ""},
		} {
			found := refused(t, parse(t, dir, fmt.Sprintf(`
views: {inputs: views.%s, each: %s, where: '%s', id: %s, time: ts}
engagements:
  like: {inputs: views.%s, view: [request, wide], time: ts, window: 1m}
outputs: {samples: out/samples}
`, format, c.each, c.where, c.id, format)))
			require.Len(t, found, 1, "%v", found)
			require.Equal(t, c.code, found[0].Code)
			require.Equal(t, c.at, found[0].Field)
			require.Contains(t, found[0].Message, c.want)
		}
	}
}
