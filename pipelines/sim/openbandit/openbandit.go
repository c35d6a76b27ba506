// Package openbandit turns impressions of the Open Bandit Dataset into views and clicks.
//
// In the dataset a click is a column of its impression and has no time of its own. Here
// it becomes an event some time after its view, drawn from a log-normal distribution
// with a seed; everything else is as it was recorded.
package openbandit

import (
	"encoding/binary"
	"encoding/csv"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"tributary/io/format/avro"
)

//go:generate go run ./convert ../../../testdata/openbandit

// Campaigns are the parts of the dataset that are here: what was shown to whom, chosen
// uniformly at random.
var Campaigns = []string{"men", "women"}

// Window bounds the drawn time from a view to its click.
const Window = 30 * time.Minute

const (
	seed = 20191124 // the dataset's first day

	// Most clicks on a page of a shop come within seconds, some after a long look.
	medianDelay = 8 * time.Second
	sigmaDelay  = 1.2
)

const (
	viewSchema = `{"type":"record","name":"View","namespace":"openbandit","fields":[` +
		`{"name":"view_id","type":"string","doc":"campaign and number of the row, from 1"},` +
		`{"name":"campaign","type":"string"},` +
		`{"name":"shown_at","type":{"type":"long","logicalType":"timestamp-micros"}},` +
		`{"name":"item_id","type":"int"},` +
		`{"name":"position","type":"int","doc":"place on the page: 1 left, 2 middle, 3 right"},` +
		`{"name":"propensity","type":"double","doc":"with which probability the item was shown"},` +
		`{"name":"user_feature_0","type":"string"},{"name":"user_feature_1","type":"string"},` +
		`{"name":"user_feature_2","type":"string"},{"name":"user_feature_3","type":"string"}]}`
	clickSchema = `{"type":"record","name":"Click","namespace":"openbandit","fields":[` +
		`{"name":"view_id","type":"string"},{"name":"campaign","type":"string"},` +
		`{"name":"clicked_at","type":{"type":"long","logicalType":"timestamp-micros"},"doc":"drawn, not recorded"}]}`
)

// columns of the CSV files, in their order.
var columns = []string{
	"timestamp", "item_id", "position", "click", "propensity_score",
	"user_feature_0", "user_feature_1", "user_feature_2", "user_feature_3",
}

// Convert reads the rows of one campaign as CSV and writes two Avro container files,
// its views and its clicks, both in the order of the rows. It returns how many there
// are. The records depend on the rows and the campaign's name alone.
func Convert(campaign string, rows io.Reader, viewsTo, clicksTo io.Writer) (views, clicks int64, err error) {
	viewFile, err := begin(viewsTo, viewSchema)
	if err != nil {
		return 0, 0, err
	}
	clickFile, err := begin(clicksTo, clickSchema)
	if err != nil {
		return 0, 0, errors.Join(err, viewFile.Close())
	}
	c := converter{campaign: campaign, views: viewFile, clicks: clickFile}
	if err := errors.Join(c.convert(rows), viewFile.Close(), clickFile.Close()); err != nil {
		return 0, 0, fmt.Errorf("campaign %s: %w", campaign, err)
	}
	return viewFile.Count(), clickFile.Count(), nil
}

func begin(w io.Writer, schema string) (*avro.Writer, error) {
	s, err := avro.ParseSchema(schema)
	if err != nil {
		return nil, err
	}
	return avro.NewWriter(w, s, avro.WriterOptions{Codec: avro.CodecZstandard})
}

type converter struct {
	campaign      string
	views, clicks *avro.Writer
}

func (c *converter) convert(rows io.Reader) error {
	r := csv.NewReader(rows)
	r.FieldsPerRecord = len(columns)
	header, err := r.Read()
	if err != nil {
		return fmt.Errorf("header: %w", err)
	}
	for i, want := range columns {
		if header[i] != want {
			return fmt.Errorf("header: column %d is %q, not %q", i+1, header[i], want)
		}
	}
	for number := 1; ; number++ {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = c.row(number, row)
		}
		if err != nil {
			return fmt.Errorf("row %d: %w", number, err)
		}
	}
}

// row writes the view of a row, and its click if there was one.
func (c *converter) row(number int, row []string) error {
	shown, err := time.Parse("2006-01-02 15:04:05.999999-07:00", row[0])
	if err != nil {
		return fmt.Errorf("%s: %w", columns[0], err)
	}
	var item, position, clicked int64
	for i, to := range []*int64{&item, &position, &clicked} {
		if *to, err = strconv.ParseInt(row[i+1], 10, 32); err != nil {
			return fmt.Errorf("%s: %w", columns[i+1], err)
		}
	}
	propensity, err := strconv.ParseFloat(row[4], 64)
	if err != nil {
		return fmt.Errorf("%s: %w", columns[4], err)
	}
	id := fmt.Sprintf("%s-%05d", c.campaign, number)

	view := appendText(nil, id)
	view = appendText(view, c.campaign)
	view = binary.AppendVarint(view, shown.UnixMicro())
	view = binary.AppendVarint(view, item)
	view = binary.AppendVarint(view, position)
	view = binary.LittleEndian.AppendUint64(view, math.Float64bits(propensity))
	for _, feature := range row[5:] {
		view = appendText(view, feature)
	}
	if err := c.views.Append(view); err != nil {
		return err
	}
	switch clicked {
	case 0:
		return nil
	case 1:
		click := appendText(nil, id)
		click = appendText(click, c.campaign)
		click = binary.AppendVarint(click, shown.Add(delay(id)).UnixMicro())
		return c.clicks.Append(click)
	default:
		return fmt.Errorf("%s: must be 0 or 1, got %d", columns[3], clicked)
	}
}

// delay draws the time from a view to its click, in [1ms, Window). It depends on the
// view's id alone, not on which rows came before.
func delay(id string) time.Duration {
	h := fnv.New64a()
	_, _ = io.WriteString(h, id) // a hash takes everything
	random := rand.New(rand.NewPCG(seed, h.Sum64()))
	for {
		d := time.Duration(float64(medianDelay) * math.Exp(sigmaDelay*random.NormFloat64()))
		if d >= time.Millisecond && d < Window {
			return d
		}
	}
}

func appendText(out []byte, s string) []byte {
	return append(binary.AppendVarint(out, int64(len(s))), s...)
}
