package batch

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/transforms/account"
)

// TestComputedFields joins records with computed fields, and records that hold the same values as fields of their own, computed
// here: samples and accounts are the same, in JSON, alone and as elements of lists, in Avro and in CSV.
func TestComputedFields(t *testing.T) {
	const from = int64(1_767_225_600_000)
	random := rand.New(rand.NewPCG(1, 2))
	type view struct {
		user, item    string
		width, height int64
		at            int64
	}
	type buy struct {
		user, item string
		cents      int64
		at         int64
	}
	var views []view
	var buys []buy
	for i := range int64(400) {
		v := view{fmt.Sprint("u", random.IntN(9)), fmt.Sprint("i", i), random.Int64N(40), random.Int64N(40), from + i*1000}
		views = append(views, v)
		for random.IntN(3) == 0 {
			buys = append(buys, buy{v.user, v.item, random.Int64N(1000), v.at + 1 + random.Int64N(100_000)})
		}
	}
	jsonView := func(v view) string {
		return fmt.Sprintf(`{"user":%q,"item":%q,"size":{"width":%d,"height":%d},"ts":%d}`, v.user, v.item, v.width, v.height, v.at)
	}
	lines := func(n int, line func(i int) string) string {
		var text strings.Builder
		for i := range n {
			text.WriteString(line(i) + "\n")
		}
		return text.String()
	}
	const spec = `version: 1
views: {inputs: views.%[1]s, %[2]s, where: big == true, id: key, time: {field: %[3]s, unit: epoch-millis}}
engagements:
  buy: {inputs: buys.%[1]s, %[4]s, view: key, time: {field: ts, unit: epoch-millis}, window: 1m, label: {sum: eur}}
%[5]soutputs: {samples: out/samples, orphans: out/orphans, late: out/late, dead_letters: out/dead, accounts: out/accounts}
`
	const none = "dedup_window: 10s"
	columns := "sample: {fields: [{k: {field: key, type: string}}], view: none}\n"
	noColumns := "sample: {view: none}\n"
	buyFields := `fields: {key: 'user + "/" + item', eur: double(cents) / 100.0}`
	plainBuys := lines(len(buys), func(i int) string {
		b := buys[i]
		return fmt.Sprintf(`{"key":"%s/%s","eur":%v,"ts":%d}`, b.user, b.item, float64(b.cents)/100, b.at)
	})
	rawBuys := lines(len(buys), func(i int) string {
		b := buys[i]
		return fmt.Sprintf(`{"user":%q,"item":%q,"cents":%d,"ts":%d}`, b.user, b.item, b.cents, b.at)
	})
	plainViews := lines(len(views), func(i int) string {
		v := views[i]
		return fmt.Sprintf(`{"key":"%s/%s","big":%t,"ts":%d}`, v.user, v.item, v.width*v.height > 500, v.at)
	})
	run := func(text string, files map[string]string) (samples []row, accounts account.Sheet, columns []string) {
		dir := t.TempDir()
		for name, content := range files {
			write(t, dir+"/"+name, content)
		}
		report := join(t, parse(t, dir, text), Options{})
		eachRecord(t, dir+"/out/samples", func(_ string, text []byte) {
			columns = append(columns, string(text))
		})
		return samplesBelow(t, dir+"/out/samples"), *report.Accounts, columns
	}
	wantAll, want, _ := run(fmt.Sprintf(spec, "jsonl", none, "ts", "on_bad_value: dead", noColumns), map[string]string{"views.jsonl": plainViews, "buys.jsonl": plainBuys})
	require.Greater(t, want.Views.N[account.Samples], int64(50))
	require.Positive(t, want.Views.N[account.Filtered])

	size := `fields: {key: 'user + "/" + item', big: size.width * size.height > 500}`
	listed := `each: items, fields: {key: 'items.user + "/" + items.item', big: items.size.width * items.size.height > 500}`
	for name, tt := range map[string]struct {
		text  string
		files map[string]string
	}{
		"JSON": {
			fmt.Sprintf(spec, "jsonl", size, "ts", buyFields, noColumns),
			map[string]string{"views.jsonl": lines(len(views), func(i int) string { return jsonView(views[i]) }), "buys.jsonl": rawBuys},
		},
		"elements": {
			fmt.Sprintf(spec, "jsonl", listed, "ts", buyFields, noColumns),
			map[string]string{"views.jsonl": lines(len(views), func(i int) string {
				return fmt.Sprintf(`{"items":[%s],"ts":%d}`, jsonView(views[i]), views[i].at)
			}), "buys.jsonl": rawBuys},
		},
		"Avro": {
			fmt.Sprintf(spec, "avro", size, "ts", buyFields, noColumns),
			map[string]string{},
		},
		"CSV": {
			fmt.Sprintf(spec, "csv", `fields: {key: 'user + "/" + item', big: int(width) * int(height) > 500}`, "ts", buyFields, noColumns),
			map[string]string{"views.csv": "user,item,width,height,ts\n" + lines(len(views), func(i int) string {
				v := views[i]
				return fmt.Sprintf("%s,%s,%d,%d,%d", v.user, v.item, v.width, v.height, v.at)
			}), "buys.csv": "user,item,cents,ts\n" + lines(len(buys), func(i int) string {
				b := buys[i]
				return fmt.Sprintf("%s,%s,%d,%d", b.user, b.item, b.cents, b.at)
			})},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if len(tt.files) == 0 {
				dir := t.TempDir()
				var all [2][]string
				for i := range views {
					all[0] = append(all[0], jsonView(views[i]))
				}
				all[1] = strings.Split(strings.TrimSpace(rawBuys), "\n")
				writeAvro(t, dir+"/views", `{"type":"record","name":"view","fields":[{"name":"user","type":"string"},{"name":"item","type":["null","string"]},{"name":"size","type":{"type":"record","name":"size","fields":[{"name":"width","type":"int"},{"name":"height","type":"long"}]}},{"name":"ts","type":"long"}]}`, 100, all[0]...)
				writeAvro(t, dir+"/buys", `{"type":"record","name":"buy","fields":[{"name":"user","type":"string"},{"name":"item","type":"string"},{"name":"cents","type":["null","long"]},{"name":"ts","type":"long"}]}`, 100, all[1]...)
				for _, name := range []string{"views", "buys"} {
					content, err := os.ReadFile(dir + "/" + name)
					require.NoError(t, err)
					tt.files[name+".avro"] = string(content)
				}
			}
			gotAll, got, _ := run(tt.text, tt.files)
			require.Equal(t, wantAll, gotAll)
			require.Equal(t, want.Views.N, got.Views.N)
			require.Equal(t, want.Engagements["buy"].N, got.Engagements["buy"].N)
		})
	}

	t.Run("columns", func(t *testing.T) {
		_, _, texts := run(fmt.Sprintf(spec, "jsonl", size, "ts", buyFields, columns),
			map[string]string{"views.jsonl": lines(len(views), func(i int) string { return jsonView(views[i]) }), "buys.jsonl": rawBuys})
		require.Len(t, texts, len(wantAll))
		for i, text := range texts {
			require.Contains(t, text, fmt.Sprintf(`"k":%q`, wantAll[i].ViewID))
		}
	})

	t.Run("what cannot be computed", func(t *testing.T) {
		// A view without a size is a dead letter, for the condition asks for it. A page is none: it is no buy, and its price is not asked for.
		text := fmt.Sprintf(spec, "jsonl", size, "ts", `where: kind == "buy", `+buyFields, noColumns)
		_, got, _ := run(text, map[string]string{
			"views.jsonl": `{"user":"u","item":"i","ts":1767225600000}` + "\n" + `{"user":"u","item":"j","size":{"width":30,"height":30},"ts":1767225600000}` + "\n",
			"buys.jsonl": `{"kind":"page","ts":1767225600001}` + "\n" + `{"kind":"buy","user":"u","item":"j","ts":1767225600002}` + "\n" +
				`{"kind":"buy","user":"u","item":"j","cents":150,"ts":1767225600003}` + "\n",
		})
		require.Equal(t, []int64{1, 1, 1}, []int64{got.Views.N[account.Dead], got.Views.N[account.Samples], got.Views.N[account.Positives]})
		buys := got.Engagements["buy"].N
		require.Equal(t, []int64{1, 1, 1}, []int64{buys[account.Filtered], buys[account.Dead], buys[account.Matched]})
		require.Contains(t, fmt.Sprint(got.Engagements["buy"].Reasons), "engagements.buy.fields.eur, line …, column …: does not go with these types, where cents is null")
	})
}
