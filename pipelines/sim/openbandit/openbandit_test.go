package openbandit

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/io/format/avro"
)

const data = "../../../testdata/openbandit/"

// converted converts the rows of a campaign as they are in testdata.
func converted(t *testing.T, campaign string) (views, clicks []byte) {
	t.Helper()
	file, err := os.Open(data + "openbandit-" + campaign + "-random.csv.gz")
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	rows, err := gzip.NewReader(file)
	require.NoError(t, err)
	var viewFile, clickFile bytes.Buffer
	n, m, err := Convert(campaign, rows, &viewFile, &clickFile)
	require.NoError(t, err)
	assert.EqualValues(t, 10_000, n)
	assert.EqualValues(t, 46, m, "the dataset's clicks")
	return viewFile.Bytes(), clickFile.Bytes()
}

// content returns a file's schema and its records without compression, whose bytes may
// change with the compressor.
func content(t *testing.T, file []byte) (schema string, records []byte) {
	t.Helper()
	r, err := avro.NewReader(bytes.NewReader(file))
	require.NoError(t, err)
	for {
		block, err := r.Next()
		if errors.Is(err, io.EOF) {
			return r.Header().Schema.String(), records
		}
		require.NoError(t, err)
		records, err = block.Records(records)
		require.NoError(t, err)
	}
}

func TestCommittedFilesAreWhatTheConverterWrites(t *testing.T) {
	for _, campaign := range Campaigns {
		views, clicks := converted(t, campaign)
		for path, want := range map[string][]byte{"views/": views, "clicks/": clicks} {
			committed, err := os.ReadFile(data + path + campaign + ".avro")
			require.NoError(t, err)
			wantSchema, wantRecords := content(t, want)
			schema, records := content(t, committed)
			assert.Equal(t, wantSchema, schema)
			assert.True(t, bytes.Equal(wantRecords, records), "%s%s.avro is out of date: run go generate ./pipelines/sim/openbandit", path, campaign)
		}
	}
}

type view struct {
	ViewID     string  `json:"view_id"`
	Campaign   string  `json:"campaign"`
	ShownAt    int64   `json:"shown_at"` // µs
	ItemID     int     `json:"item_id"`
	Position   int     `json:"position"`
	Propensity float64 `json:"propensity"`
	Feature0   string  `json:"user_feature_0"`
	Feature3   string  `json:"user_feature_3"`
}

type click struct {
	ViewID    string `json:"view_id"`
	Campaign  string `json:"campaign"`
	ClickedAt int64  `json:"clicked_at"` // µs
}

// decode reads the records of a container file, decoded by goavro.
func decode[T any](t *testing.T, file []byte) (all []T) {
	t.Helper()
	_, err := avro.EachRow(bytes.NewReader(file), func(_ []byte, row T) error {
		all = append(all, row)
		return nil
	})
	require.NoError(t, err)
	return all
}

func TestViewsAreTheRowsAndClicksFollowThem(t *testing.T) {
	viewFile, clickFile := converted(t, "men")
	views, clicks := decode[view](t, viewFile), decode[click](t, clickFile)
	// The first row, as the CSV has it.
	assert.Equal(t, view{
		ViewID: "men-00001", Campaign: "men", ShownAt: time.Date(2019, 11, 24, 0, 3, 13, 442_536_000, time.UTC).UnixMicro(),
		ItemID: 14, Position: 3, Propensity: 0.029411764705882353,
		Feature0: "cef3390ed299c09874189c387777674a", Feature3: "9bde591ffaab8d54c457448e4dca6f53",
	}, views[0])
	shown := map[string]int64{}
	for _, v := range views {
		shown[v.ViewID] = v.ShownAt
	}
	assert.Len(t, shown, 10_000)
	quick := 0
	for _, c := range clicks {
		at, ok := shown[c.ViewID]
		require.True(t, ok, c.ViewID)
		delay := time.Duration(c.ClickedAt-at) * time.Microsecond
		assert.True(t, delay >= time.Millisecond && delay < Window, "%s: %s", c.ViewID, delay)
		if delay <= medianDelay {
			quick++
		}
	}
	assert.InDelta(t, 23, quick, 12, "clicks up to the median delay")
}

func TestConvertNamesWhatItCannotRead(t *testing.T) {
	header := strings.Join(columns, ",") + "\n"
	const row = "2019-11-24 00:03:13.442536+00:00,14,3,0,0.5,a,b,c,d\n"
	for _, test := range []struct{ name, rows, err string }{
		{"empty", "", "campaign men: header: EOF"},
		{"another header", strings.Replace(header, "click", "clicks", 1), `column 4 is "clicks", not "click"`},
		{"time", header + row + strings.Replace(row, "2019-11-24", "yesterday", 1), "row 2: timestamp: parsing time"},
		{"item", header + strings.Replace(row, "14", "x", 1), "row 1: item_id: "},
		{"propensity", header + strings.Replace(row, "0.5", "", 1), "row 1: propensity_score: "},
		{"click", header + strings.Replace(row, ",0,", ",2,", 1), "row 1: click: must be 0 or 1, got 2"},
		{"too few columns", header + "1,2\n", "row 1: record on line 2: wrong number of fields"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := Convert("men", strings.NewReader(test.rows), io.Discard, io.Discard)
			assert.ErrorContains(t, err, test.err)
		})
	}
}
