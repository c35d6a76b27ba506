package draft_test

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"tributary/io/format/avro"
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
	w := io.Writer(&out)
	if strings.HasSuffix(ending, ".gz") {
		packed := gzip.NewWriter(&out)
		defer func() { require.NoError(t, os.WriteFile(strings.TrimSuffix(path, ".avro")+ending, out.Bytes(), 0o600)) }()
		defer func() { require.NoError(t, packed.Close()) }()
		w = packed
	}
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
	if !strings.HasSuffix(ending, ".gz") {
		require.NoError(t, os.WriteFile(strings.TrimSuffix(path, ".avro")+ending, out.Bytes(), 0o600))
	}
}

func errClose(f *os.File, err error) error {
	if closed := f.Close(); closed != nil {
		return closed
	}
	return err
}

// TestDraftOfEveryFormat drafts specs of made input, as it is and rewritten, and joins by them.
func TestDraftOfEveryFormat(t *testing.T) {
	for _, ending := range []string{".avro", ".jsonl", ".jsonl.gz", ".csv", ".csv.gz"} {
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
			assert.Equal(t, []string{"view_id", "ts"}, []string{s.Views.ID, s.Views.Time.Field}, "%s", d.Text)
			require.Len(t, s.Views.Inputs, 1, "%s", d.Text)
			assert.Equal(t, filepath.Join(c.Out, "views", "*"+ending), s.Views.Inputs[0].Path)
			require.Len(t, s.Engagements, 3, "%s", d.Text)
			like := s.Engagement("like")
			assert.Equal(t, []spec.Condition{{Field: "kind", Value: "like", Type: like.Where[0].Type}}, like.Where)
			assert.Equal(t, []string{"view_id", "event_id"}, []string{like.View, like.ID})

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

// guess is a pair of files with what has to be guessed of them.
type guess struct {
	name  string
	files map[string]string
	// want are lines of the spec.
	want []string
	open []string
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
			for _, want := range c.want { // whole lines, but for the comment
				assert.Regexp(t, `\n`+regexp.QuoteMeta(want)+` *( # .*)?\n`, string(d.Text))
			}
			if len(d.Open) == 0 {
				r, err := batch.Run(t.Context(), s, batch.Options{})
				require.NoError(t, err)
				assert.Zero(t, r.Accounts.Views.N[account.Dead])
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
}
