package draft_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"tributary/io/format/avro"
	"tributary/io/iotest"
	"tributary/pipelines/draft"
	"tributary/pipelines/job/batch"
	"tributary/pipelines/sim/generate"
	"tributary/pipelines/spec"
	"tributary/transforms/account"
)

// drafted makes a spec of files below dir and loads it.
func drafted(t *testing.T, dir string, patterns ...string) (*spec.Spec, *draft.Draft) {
	t.Helper()
	for i := range patterns {
		patterns[i] = filepath.Join(dir, patterns[i])
	}
	file := filepath.Join(dir, "spec.yaml")
	d, err := draft.Make(t.Context(), patterns, draft.Options{File: file, Records: 20_000})
	require.NoError(t, err)
	require.Empty(t, d.Problems)
	s, err := spec.Parse(file, d.Text)
	require.NoError(t, err)
	return s, d
}

// rewrite turns an Avro file into one of another form.
func rewrite(t *testing.T, path, ending string) {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	var out bytes.Buffer
	w := iotest.Packer(t, ending, &out)
	rows := csv.NewWriter(w)
	header := false
	_, err = avro.EachRecord(f, func(_, text []byte) error {
		if !strings.HasPrefix(ending, ".csv") {
			_, err := fmt.Fprintf(w, "%s\n", text)
			return err
		}
		var names, cells []string
		gjson.ParseBytes(text).ForEach(func(key, value gjson.Result) bool {
			names, cells = append(names, key.String()), append(cells, value.String())
			return true
		})
		if !header {
			header = true
			if err := rows.Write(names); err != nil {
				return err
			}
		}
		return rows.Write(cells)
	})
	require.NoError(t, err)
	rows.Flush()
	require.NoError(t, errClose(f, os.Remove(path)))
	require.NoError(t, w.Close())
	require.NoError(t, os.WriteFile(strings.TrimSuffix(path, ".avro")+ending, out.Bytes(), 0o600))
}

func errClose(f *os.File, err error) error {
	if closed := f.Close(); closed != nil {
		return closed
	}
	return err
}

// TestDraftOfEveryFormat drafts specs of made input, as it is and rewritten, and joins by them.
func TestDraftOfEveryFormat(t *testing.T) {
	for _, ending := range []string{".avro", ".jsonl", ".jsonl.gz", ".csv", ".csv.gz", ".csv.zst", ".jsonl.lz4"} {
		t.Run(ending, func(t *testing.T) {
			c := generate.Default()
			c.Out, c.Views, c.Partitions = t.TempDir(), 2000, 2
			truth, err := generate.Run(t.Context(), c, nil)
			require.NoError(t, err)
			files, err := filepath.Glob(c.Out + "/*s/part*.avro")
			require.NoError(t, err)
			for _, f := range files {
				if ending != ".avro" {
					rewrite(t, f, ending)
				}
			}
			s, d := drafted(t, c.Out, "views", "engagements")
			assert.Empty(t, d.Open, "%s", d.Text)
			assert.Equal(t, []string{"view_id"}, s.Views.ID, "%s", d.Text)
			assert.Equal(t, "ts", s.Views.Time.Field, "%s", d.Text)
			require.Len(t, s.Views.Inputs, 1, "%s", d.Text)
			assert.Equal(t, filepath.Join(c.Out, "views", "*"+ending), s.Views.Inputs[0].Path)
			require.Len(t, s.Engagements, 3, "%s", d.Text)
			like := s.Engagement("like")
			assert.Equal(t, []spec.Condition{{Field: "kind", Value: "like", Type: like.Where.Conditions[0].Type}}, like.Where.Conditions)
			assert.Equal(t, [][]string{{"view_id"}, {"event_id"}}, [][]string{like.View, like.ID})

			r, err := batch.Run(t.Context(), s, batch.Options{})
			require.NoError(t, err)
			assert.Equal(t, truth.Views.Samples, r.Accounts.Views.N[account.Samples])
			assert.Positive(t, r.Accounts.Engagements["like"].N[account.Matched])
			assert.Zero(t, r.Accounts.Views.N[account.Dead])
		})
	}
}

// TestDraftOfRealInput takes the impressions and clicks of a shop.
func TestDraftOfRealInput(t *testing.T) {
	data, err := filepath.Abs("../../testdata/openbandit")
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "spec.yaml")
	d, err := draft.Make(t.Context(), []string{data + "/views", data + "/clicks"}, draft.Options{File: file, Records: 20_000})
	require.NoError(t, err)
	require.Empty(t, d.Open, "%s", d.Text)
	s, err := spec.Parse(file, d.Text)
	require.NoError(t, err)
	r, err := batch.Run(t.Context(), s, batch.Options{})
	require.NoError(t, err)
	assert.Equal(t, int64(20_000), r.Accounts.Views.N[account.Samples])
	assert.Equal(t, int64(92), r.Accounts.Engagements["click"].N[account.Matched])
}

// TestDraftOfOneLog takes a log of all events of a shop, whose views share sessions with engagements, as it is.
func TestDraftOfOneLog(t *testing.T) {
	log, err := filepath.Abs("../../testdata/clickstream/ecom.csv.gz")
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "spec.yaml")
	d, err := draft.Make(t.Context(), []string{log}, draft.Options{File: file, Records: 100_000})
	require.NoError(t, err)
	require.Empty(t, d.Open, "%s", d.Text)
	require.Empty(t, d.Problems, "%s", d.Text)
	s, err := spec.Parse(file, d.Text)
	require.NoError(t, err)
	assert.Equal(t, [][]string{{"session_id", "timestamp"}, {"session_id"}}, [][]string{s.Views.ID, s.Views.Key}, "%s", d.Text)
	r, err := batch.Run(t.Context(), s, batch.Options{Interval: 30 * 24 * time.Hour})
	require.NoError(t, err)
	require.NoError(t, r.Accounts.Check())
	// Of the rows, by DuckDB: looks at a product, and what comes within the window from one in the same session.
	assert.Equal(t, int64(6841), r.Accounts.Views.N[account.Samples])
	type within struct {
		window  time.Duration
		matched int64
	}
	matched := map[string]within{}
	for _, e := range s.Engagements {
		matched[e.Kind] = within{e.Window, r.Accounts.Engagements[e.Kind].N[account.Matched]}
	}
	assert.Equal(t, map[string]within{
		"add_to_cart": {time.Hour, 1035}, "cart": {time.Hour, 1001}, "wishlist_add": {30 * time.Minute, 629}, "purchase": {time.Hour, 413},
	}, matched)
}

// guess is a pair of files with what has to be guessed of them.
type guess struct {
	name  string
	files map[string]string
	// want are lines of the spec.
	want []string
	open []string
	// dead is how many views are.
	dead int64
}

// rows writes n rows of a table.
func rows(n int, row func(i int) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(row(i))
	}
	return b.String()
}

func TestGuesses(t *testing.T) {
	for _, c := range []guess{
		{
			name: "odd columns",
			files: map[string]string{
				"views.csv":  "\"View \"\"ID\"\"\",Created (UTC),user.name\na,2026-01-01T10:00:00Z,x\nb,2026-01-01T10:00:01Z,y\n",
				"clicks.csv": "\"View \"\"ID\"\"\",Clicked At\na,1767261700000\n",
			},
			want: []string{`  id: '"View ""ID"""'`, `  time: "Created (UTC)"`, `    view: '"View ""ID"""'`, `    time: {field: Clicked At, unit: epoch-millis}`, "  click:"},
		},
		{
			name: "ids by what they hold, not by what they are called",
			files: map[string]string{
				"shown.jsonl": `{"uuid": "u1", "user_id": 1, "item_id": 5, "shown_at": 1767261600}` + "\n" + `{"uuid": "u2", "user_id": 2, "item_id": 6, "shown_at": 1767261601}` + "\n",
				"buys.jsonl":  `{"order_id": "o1", "user_id": 1, "item_id": 5, "ref": {"rec": "u1"}, "bought": "2026-01-01T10:10:00+00:00", "price": 3}` + "\n",
			},
			want: []string{"  id: uuid", "  time: {field: shown_at, unit: epoch-seconds}", "  buy:", "    view: ref.rec", "    time: bought", "    id: order_id", "    window: 15m", "    # label: {sum: price}"},
		},
		{
			name: "views that lead the list of kinds are none",
			files: map[string]string{
				"impressions/dt=2026-01-01/a.csv": "impression_id,ts\n1,1767261600000000\n2,1767261600500000\n",
				"impressions/dt=2026-01-02/b.csv": "impression_id,ts\n3,1767361600000000\n",
				"events.csv":                      "impression_id,event_type,ts,event_id\n1,Add to Cart,1767261599000000,e1\n1,impression,1767261700000000,e2\n3,add-to-list,1767361700000000,e3\n",
			},
			want: []string{
				"    - impressions/dt=*/*.csv", "  id: impression_id", "  time: {field: ts, unit: timestamp-micros}", "  # No kind was made of event_type impression.",
				"  add_to_cart:", "    where: {event_type: Add to Cart}", "  add_to_list:", "    id: event_id", "clock_skew: 1s",
			},
		},
		{
			name: "tables with other delimiters",
			files: map[string]string{
				// A decimal comma, a note with commas and quotes, and a row that lacks a cell.
				"views.csv": "\ufeffview_id;ts;price;note\n" + rows(30, func(i int) string {
					return fmt.Sprintf("v%d;2026-01-01T10:00:%02dZ;1,%d;\"a, \"\"b\"\", c\"\n", i, i, i)
				}) + "v99;x\n",
				"clicks.tsv": "ref\tts\n" + rows(20, func(i int) string { return fmt.Sprintf("v%d\t2026-01-01T10:01:%02dZ\n", i, i) }),
				"likes.csv":  "view_id|at|text\n" + rows(20, func(i int) string { return fmt.Sprintf("v%d|2026-01-01T10:02:%02dZ|a;b\n", i, i) }),
			},
			want: []string{
				"    - {path: views.csv, delimiter: semicolon}", "      - {path: clicks.tsv, format: csv, delimiter: tab}", "    view: ref",
				"      - {path: likes.csv, delimiter: bar}", "    window: 5m",
			},
			dead: 1,
		},
		{
			name: "times of Germany, and of Apache",
			files: map[string]string{
				"views.csv": "view_id;Zeit\n" + rows(20, func(i int) string { return fmt.Sprintf("v%d;%02d.03.2026 10:%02d:07\n", i, i+1, i) }) + "v99;gestern\n",
				"access_clicks.jsonl": rows(20, func(i int) string {
					return fmt.Sprintf(`{"view_id": "v%d", "ts": "%02d/Mar/2026:11:%02d:12 +0100"}`+"\n", i, i+1, i)
				}),
			},
			want: []string{
				`  time: {field: Zeit, pattern: "%d.%m.%Y %H:%M:%S", zone: UTC} # by the values, but for 1 of 21 values; they have no zone, and UTC is a guess: name theirs, like Europe/Berlin`,
				`    time: {field: ts, pattern: "%d/%b/%Y:%H:%M:%S %z"} # by the values`, "    window: 5m",
			},
			dead: 1,
		},
		{
			name: "times of America: months come first where a day tells, or where the days are closer then",
			files: map[string]string{
				"views.csv": "view_id,shown\nv1,3/9/2026 9:05:00 AM\nv2,3/31/2026 1:05:00 PM\n",
				"clicks.csv": "view_id,clicked_at\nv1,03/09/2026 09:05\nv1,03/10/2026 09:05\n" +
					rows(3, func(i int) string { return fmt.Sprintf("v2,04/0%d/2026 13:06\n", i+1) }),
			},
			want: []string{
				`  time: {field: shown, pattern: "%m/%d/%Y %I:%M:%S %p", zone: UTC} # by the values; they have no zone, and UTC is a guess: name theirs, like Europe/Berlin`,
				`    time: {field: clicked_at, pattern: "%m/%d/%Y %H:%M", zone: UTC} # by the values; they could be %d/%m/%Y %H:%M, too; they have no zone, and UTC is a guess: name theirs, like Europe/Berlin`,
			},
		},
		{
			name: "times as databases and old services write them",
			files: map[string]string{
				"views.jsonl":  `{"id": "v1", "created_at": "Wed Mar 04 13:08:45 +0000 2026"}` + "\n" + `{"id": "v2", "created_at": "Thu Mar 05 13:08:45 +0000 2026"}` + "\n",
				"clicks.jsonl": `{"view_id": "v1", "at": "2026-03-04 13:08:59.25", "sku": "12.4.2026 x"}` + "\n",
				"buys.jsonl":   `{"view_id": "v2", "invoice": "20260305130800", "at": "20260305130900", "text": "on 5.3."}` + "\n",
			},
			want: []string{
				`  time: {field: created_at, pattern: "%a %b %d %H:%M:%S %z %Y"} # by the values`,
				`    time: {field: at, zone: UTC}  # text by RFC 3339 but for the zone; they have no zone, and UTC is a guess: name theirs, like Europe/Berlin`,
				`    time: {field: at, pattern: "%Y%m%d%H%M%S", zone: UTC} # by the values; they have no zone, and UTC is a guess: name theirs, like Europe/Berlin`,
			},
		},
		{
			name: "views by the clocks of Berlin in summer",
			files: map[string]string{
				"views.csv":  "view_id,ts\n" + rows(20, func(i int) string { return fmt.Sprintf("v%d,2026-07-01 12:%02d:00\n", i, i) }),
				"clicks.csv": "view_id,ts\n" + rows(20, func(i int) string { return fmt.Sprintf("v%d,2026-07-01T10:%02d:05Z\n", i, i) }) + "v1,2026-07-01T13:00:00Z\n",
			},
			want: []string{
				`  time: {field: ts, zone: +02:00} # text by RFC 3339 but for the zone; they have no zone, and +02:00 is by when engagements come: name theirs, like Europe/Berlin, for summer time`,
				"    time: ts", "    window: 5m",
			},
		},
		{
			name: "likes by the clocks of Chicago, some of them just before their view, and clicks of days later",
			files: map[string]string{
				"views.csv":  "view_id,ts\n" + rows(20, func(i int) string { return fmt.Sprintf("v%d,2026-01-01T12:%02d:00Z\n", i, i) }),
				"clicks.csv": "view_id,at\n" + rows(20, func(i int) string { return fmt.Sprintf("v%d,01/13/2026 07:%02d\n", i, i) }),
				"likes.csv":  "view_id,at\n" + rows(20, func(i int) string { return fmt.Sprintf("v%d,01.01.2026 06:%02d:58\n", i, i-i%2) }),
			},
			want: []string{
				`    time: {field: at, pattern: "%d.%m.%Y %H:%M:%S", zone: -06:00} # by the values; they have no zone, and -06:00 is by when engagements come: name theirs, like Europe/Berlin, for summer time`,
				`    time: {field: at, pattern: "%m/%d/%Y %H:%M", zone: UTC} # by the values; they have no zone, and UTC is a guess: name theirs, like Europe/Berlin`,
			},
		},
		{
			name: "views by the clocks of New York",
			files: map[string]string{
				"views.csv":  "view_id,ts\n" + rows(20, func(i int) string { return fmt.Sprintf("v%d,2026-01-01 07:%02d:00\n", i, i) }),
				"clicks.csv": "view_id,ts\n" + rows(20, func(i int) string { return fmt.Sprintf("v%d,2026-01-01T12:%02d:05Z\n", i, i) }),
			},
			want: []string{`  time: {field: ts, zone: -05:00} # text by RFC 3339 but for the zone; they have no zone, and -05:00 is by when engagements come: name theirs, like Europe/Berlin, for summer time`},
		},
		{
			name: "orders that take hours say nothing of a zone",
			files: map[string]string{
				"views.csv":  "view_id,ts\n" + rows(40, func(i int) string { return fmt.Sprintf("v%d,2026-01-01 07:%02d:00\n", i, i) }),
				"orders.csv": "view_id,ts\n" + rows(40, func(i int) string { return fmt.Sprintf("v%d,2026-01-01T%02d:%02d:05Z\n", i, 9+i/4, i) }),
			},
			want: []string{`  time: {field: ts, zone: UTC}    # text by RFC 3339 but for the zone; they have no zone, and UTC is a guess: name theirs, like Europe/Berlin`, "    window: 1d"},
		},
		{
			name: "kinds that do not agree on the zone of the views",
			files: map[string]string{
				"views.csv":  "view_id,ts\n" + rows(20, func(i int) string { return fmt.Sprintf("v%d,2026-07-01 12:%02d:00\n", i, i) }),
				"clicks.csv": "view_id,ts\n" + rows(20, func(i int) string { return fmt.Sprintf("v%d,2026-07-01T10:%02d:05Z\n", i, i) }) + "v1,2026-07-01T13:00:00Z\n",
				"likes.csv":  "view_id,ts\n" + rows(20, func(i int) string { return fmt.Sprintf("v%d,2026-07-01T12:%02d:05Z\n", i, i) }),
			},
			want: []string{"    # 20 of 21 engagements come before their view, most of them by 2h: look at the zones of times.", "    time: ts"},
		},
		{
			name: "a request and an item in it",
			files: map[string]string{
				"impressions.jsonl": rows(60, func(i int) string {
					return fmt.Sprintf(`{"request_id": "r%d", "item": {"id": %d, "kind": "post"}, "note": "n%d", "user_id": %d, "position": %d, "at": "2026-01-01T10:%02d:00Z"}`+"\n", i/5, (i*7)%23, i%7, i/10, i%5, i/5)
				}) + `{"request_id": "r0", "item": {"id": 0}, "note": "again", "user_id": 0, "position": 0, "at": "2026-01-01T10:00:00Z"}` + "\n", // sent twice
				"likes.csv": "request_id,item_id,at,note\n" + rows(30, func(i int) string {
					return fmt.Sprintf("r%d,%d,2026-01-01T10:%02d:30Z,n%d\n", i*2/5, (i*14)%23, i*2/5, i*2%7)
				}),
			},
			want: []string{"  id: [request_id, item.id]", "    view: [request_id, item_id]", "    window: 5m"},
		},
		{
			name: "a page of a request and a place on it, in a table and in JSON",
			files: map[string]string{
				"views.csv": "request;page;slot;ts\n" + rows(80, func(i int) string { return fmt.Sprintf("q%d;%d;%d;2026-01-01T10:%02d:00Z\n", i/8, i/4%2, i%4, i/2) }),
				"clicks.jsonl": rows(20, func(i int) string {
					return fmt.Sprintf(`{"slot": %d, "page": "%d", "request": "q%d", "ts": "2026-01-01T10:%02d:05Z"}`+"\n", i*4%4, i*4/4%2, i*4/8, i*4/2)
				}),
			},
			want: []string{"  id: [request, page, slot]", "    view: [request, page, slot]"},
		},
		{
			name: "one field that will do, beside others",
			files: map[string]string{
				"views.csv":  "view_id,user_id,item_id,ts\n" + rows(40, func(i int) string { return fmt.Sprintf("v%d,%d,%d,2026-01-01T10:%02d:00Z\n", i, i/4, i%9, i) }),
				"clicks.csv": "view_id,user_id,item_id,ts\n" + rows(10, func(i int) string { return fmt.Sprintf("v%d,%d,%d,2026-01-01T10:%02d:05Z\n", i, i/4, i%9, i) }),
			},
			want: []string{"  id: view_id", "    view: view_id"},
		},
		{
			name: "fields that are not unique together either",
			files: map[string]string{
				"views.csv":  "user_id,item_id,ts\n" + rows(40, func(i int) string { return fmt.Sprintf("%d,%d,2026-01-01T10:%02d:00Z\n", i%3, i%5, i) }),
				"clicks.csv": "user_id,item_id,ts\n" + rows(10, func(i int) string { return fmt.Sprintf("%d,%d,2026-01-01T10:%02d:05Z\n", i%3, i%5, i) }),
			},
			want: []string{"  id: [user_id, item_id, ts]", "  key: [user_id, item_id]", "    key: [user_id, item_id]", "    credit: last"},
		},
		{
			name: "an ad server, and actions of users in campaigns",
			files: map[string]string{
				"impressions.jsonl": rows(80, func(i int) string {
					return fmt.Sprintf(`{"imp": "i%d", "id": "x%d", "user": {"id": "u%d"}, "ad": {"campaign": "c%d", "creative": "%d"}, "ts": %d}`+"\n", i, i/2, i%20, i%6, i%11, 1767261600000+i*60000)
				}),
				"actions.jsonl": rows(40, func(i int) string {
					return fmt.Sprintf(`{"action": "%s", "id": "a%d", "user": "u%d", "campaign": "c%d", "amount": "%d.99", "ts": %d}`+"\n",
						[]string{"click", "purchase"}[i%2], i, i%20, i%6, i, 1767261605000+i*60000)
				}),
			},
			want: []string{
				"  id: imp                         # its own, by its name; no engagement names it",
				"  key: [user.id, ad.campaign]     # no engagement names a view, but 100 % of actions have one of the 60 that views have; or user.id: 100 %, 20; or ad.campaign: 100 %, 6",
				"  click:", "    where: {action: click}", "    key: [user, campaign]", "    credit: last", "    id: id", "    window: 5m", "  purchase:", "    # label: {sum: amount}",
			},
		},
		{
			name: "ids of the same name that have nothing in common, and users of whom most are known",
			files: map[string]string{
				"impressions.csv": "id,user,shade,ts\n" + rows(60, func(i int) string { return fmt.Sprintf("%d,u%d,s%d,2026-01-01T10:%02d:00Z\n", i, i/3, i%2, i) }),
				"clicks.csv":      "id,user,shade,ts\n" + rows(20, func(i int) string { return fmt.Sprintf("%d,u%d,s%d,2026-01-01T10:%02d:30Z\n", i+1000, i+5, i%2, i+40) }),
			},
			want: []string{"  id: id", "  key: user                       # no engagement names a view, but 75 % of clicks have one of the 20 that views have", "    key: user", "    id: id"},
		},
		{
			name: "users of whom few are known are no key",
			files: map[string]string{
				"impressions.csv": "id,user_id,ts\n" + rows(60, func(i int) string { return fmt.Sprintf("i%d,%d,2026-01-01T10:%02d:00Z\n", i, i/3, i) }),
				"clicks.csv":      "click,user_id,ts\n" + rows(20, func(i int) string { return fmt.Sprintf("%d,%d,2026-01-01T10:%02d:30Z\n", i, i+11, i+40) }),
			},
			want: []string{"  id: FILL_IN_ID", "    view: FILL_IN_VIEW"},
			open: []string{"views.id", "engagements.click.view"},
		},
		{
			name: "a key that is called in no known language, and two views of a second",
			files: map[string]string{
				"impressions.csv": "Kunde;Farbe;Platz;Zeit\n" + rows(160, func(i int) string { return fmt.Sprintf("k%d;%d;%d;2026-01-01T10:%02d:00Z\n", i/4%20, i%3, i%2, i/4) }),
				"orders.csv":      "Kunde;Farbe;Zeit\n" + rows(20, func(i int) string { return fmt.Sprintf("k%d;%d;2026-01-01T10:%02d:30Z\n", i, i%2, i+20) }),
			},
			want: []string{"  id: FILL_IN_ID", "  key: Kunde", "    key: Kunde", "    credit: last", "    window: 5m"},
			open: []string{"views.id"},
		},
		{
			name: "one log of all events, of which some name the view",
			files: map[string]string{
				"events/a.jsonl": rows(60, func(i int) string {
					at := fmt.Sprintf(`"event_id": "e%d", "time": "2026-03-28 12:%02d:00.250", "visitor": "v%d"`, i, i, i/3)
					switch i % 3 {
					case 1:
						return fmt.Sprintf(`{"event": "add_to_cart", %s, "page_view": "e%d"}`+"\n", at, i-1)
					case 2:
						return fmt.Sprintf(`{"event": "%s", %s, "page_view": "e%d"}`+"\n", []string{"purchase", "purchase_failed"}[i%2], at, i-2)
					}
					return fmt.Sprintf(`{"event": "page_view", %s, "page": {"type": "product"}}`+"\n", at)
				}),
			},
			want: []string{
				"  where: {event: page_view}       # 20 of 60 records", "  # Neither views nor engagements, by their names: purchase_failed.",
				"  id: event_id                    # 100 % of page_view in add_to_cart and purchase are ids of these views",
				"  add_to_cart:", "    where: {event: add_to_cart}   # 20 of 60 records", "    view: page_view", "    id: event_id", "  purchase:", "    window: 5m",
			},
		},
		{
			name: "one log of what users do with items, in which views are called like nothing else",
			files: map[string]string{
				"UserBehavior.csv": "user_id,item_id,category_id,behavior,timestamp\n" + rows(300, func(i int) string {
					return fmt.Sprintf("%d,%d,%d,%s,%d\n", i/10%15, i/10%7, i/10%7/2, []string{"visit", "visit", "buy", "visit", "cart", "fav", "visit", "visit", "visit", "scroll"}[i%10], 1767261600+i*20)
				}),
			},
			want: []string{
				"  where: {behavior: visit}        # 180 of 300 records", "  id: [user_id, item_id, timestamp]", "  key: [user_id, item_id]",
				"  buy:", "  cart:", "  fav:", "    key: [user_id, item_id]", "  # Neither views nor engagements, by their names: scroll.",
			},
		},
		{
			name: "one log whose events have ids, and that has nothing else in common",
			files: map[string]string{
				"log.csv": "event_id,type,ts\n" + rows(60, func(i int) string {
					return fmt.Sprintf("e%d,%s,2026-01-01T10:%02d:00Z\n", i, []string{"view", "click"}[i%2], i)
				}),
			},
			want: []string{"  where: {type: view}", "  id: event_id", "    view: FILL_IN_VIEW"},
			open: []string{"engagements.click.view"},
		},
		{
			name: "one column, and a text that holds delimiters",
			files: map[string]string{
				"views.csv":  "view_id,ts,text\nv1,2026-01-01T10:00:00Z,a;b;c;d\nv2,2026-01-01T10:00:01Z,e;f;g;h\n",
				"clicks.csv": "view_id\nv1\n",
			},
			want: []string{"    - views.csv", "      - clicks.csv", "    time: FILL_IN_TIME"},
			open: []string{"engagements.click.time"},
		},
		{
			name: "what cannot be guessed",
			files: map[string]string{
				"views.csv":  "a,b\nx,1\ny,2\n",
				"clicks.csv": "c,d\nz,3\n",
			},
			want: []string{"  id: FILL_IN_ID", "  time: FILL_IN_TIME", "    view: FILL_IN_VIEW", "    time: FILL_IN_TIME"},
			open: []string{"views.id", "views.time", "engagements.click.view", "engagements.click.time"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, content := range c.files {
				require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700))
				require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
			}
			t.Chdir(dir)
			s, d := drafted(t, "", "**")
			assert.Equal(t, c.open, d.Open)
			for _, want := range c.want { // whole lines, but for a comment that is not wanted
				assert.Regexp(t, `\n`+regexp.QuoteMeta(want)+` *( # .*)?\n`, string(d.Text))
			}
			if len(d.Open) == 0 {
				r, err := batch.Run(t.Context(), s, batch.Options{})
				require.NoError(t, err)
				assert.Equal(t, c.dead, r.Accounts.Views.N[account.Dead])
				for kind, e := range r.Accounts.Engagements {
					assert.Positive(t, e.N[account.Matched], kind)
				}
			}
		})
	}
}

func TestOneLogIsNoPairOfInputs(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "log.csv"), []byte("id,kind\n1,view\n"), 0o600))
	_, err := draft.Make(t.Context(), []string{dir}, draft.Options{File: dir + "/spec.yaml", Records: 10})
	require.ErrorContains(t, err, "the files are all alike (id, kind)")
	require.ErrorContains(t, err, "One log of both needs a column of kinds")
}
