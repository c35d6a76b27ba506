package decode

import (
	"encoding/json"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/io/expression"
	"tributary/io/format/avro"
	"tributary/io/format/jsontext"
	"tributary/io/record"
	"tributary/transforms/attribution/bucket"
	"tributary/transforms/attribution/rules"
)

// manySchema has the parts of ids at places and of types of their own.
const manySchema = `{"type":"record","name":"R","fields":[
	{"name":"item","type":{"type":"record","name":"I","fields":[{"name":"id","type":["null","long"]}]}},
	{"name":"t","type":"long"},{"name":"request","type":["null","string"]},{"name":"event","type":["null","string"],"default":null}]}`

func manyParams(kind int) *rules.Params {
	return &rules.Params{
		Kinds: []rules.Kind{{Name: "like"}},
		Inputs: []rules.Input{{
			Kind: kind, ID: "request", MoreID: []string{"item.id"}, Time: rules.Field{Path: "t", Unit: record.UnitEpochMs},
			EventID: "event", MoreEventID: []string{"t"}, // what is another field as well
			Where: []expression.Condition{{Field: "request", Value: "none"}},
		}},
		ViewSchema: manySchema,
	}
}

// readerOf reads records of the schema, or of JSON without one.
func readerOf(t require.TestingT, kind int, schema string) *Reader {
	b := &record.Batch{}
	if schema != "" {
		parsed, err := avro.ParseSchema(schema)
		require.NoError(t, err)
		b = &record.Batch{Schema: parsed.ID(), SchemaText: schema}
	}
	r, err := NewReaders(manyParams(kind)).Of(b)
	require.NoError(t, err)
	require.NoError(t, r.Unusable)
	return r
}

// TestIDOfSeveralFieldsInEveryFormat: a record has the same ids as Avro, as JSON, and as JSON with numbers as text, which is what a row of CSV is read
// as.
func TestIDOfSeveralFieldsInEveryFormat(t *testing.T) {
	parsed, err := avro.ParseSchema(manySchema)
	require.NoError(t, err)
	encoder, err := jsontext.NewEncoder(parsed, false)
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		request := rapid.OneOf(rapid.StringMatching(`[a|\\"]{1,4}`), rapid.StringN(1, 6, -1)).Draw(t, "request")
		item, at := rapid.Int64().Draw(t, "item"), rapid.Int64Range(0, 1e12).Draw(t, "t")
		rec := map[string]any{"request": request, "t": at, "item": map[string]any{"id": item}, "event": request}
		text, err := json.Marshal(rec)
		require.NoError(t, err)
		datum, err := encoder.Append(nil, text)
		require.NoError(t, err)
		rec["item"], rec["t"] = map[string]any{"id": strconv.FormatInt(item, 10)}, strconv.FormatInt(at, 10)
		texts, err := json.Marshal(rec)
		require.NoError(t, err)

		want, _, err := record.AppendIDParts(nil, []record.Value{{Kind: record.String, Text: []byte(request)}, {Kind: record.Int, Int: item}})
		require.NoError(t, err)
		wantEvent, _, err := record.AppendIDParts(nil, []record.Value{{Kind: record.String, Text: []byte(request)}, {Kind: record.Int, Int: at}})
		require.NoError(t, err)
		for _, kind := range []int{rules.Views, 0} {
			for _, r := range []struct {
				schema string
				record []byte
			}{{manySchema, datum}, {"", text}, {"", texts}} {
				reader := readerOf(t, kind, r.schema)
				_, err := reader.Read(r.record)
				require.NoError(t, err)
				id, err := reader.ID()
				require.NoError(t, err)
				require.Equal(t, string(want), string(id))
				if kind == rules.Views {
					continue
				}
				var g bucket.Engagement
				_, err = reader.Engagement(&g)
				require.NoError(t, err)
				require.Equal(t, string(wantEvent), string(g.EventID))
				require.Equal(t, string(want), string(id), "one id does not write over the other")
				matches, err := reader.Matches()
				require.NoError(t, err)
				require.Equal(t, request == "none", matches)
			}
		}
	})
}

// TestPartsThatAreMissing: an id without one of its fields is none, and the reason names the field. An engagement without all fields of its own has
// no id of its own.
func TestPartsThatAreMissing(t *testing.T) {
	for _, c := range []struct{ record, id, event string }{
		{`{"t":1,"request":"r","item":{"id":1},"event":"e"}`, "", ""},
		{`{"t":1,"item":{"id":1},"event":"e"}`, "field request: null is not an id; expected text or an integer", ""},
		{`{"t":1,"request":"r","event":"e"}`, "field item.id: null is not an id; expected text or an integer", ""},
		{`{"t":1,"request":"r","item":{"id":null}}`, "field item.id: null is not an id; expected text or an integer", "field event: null is not an id; expected text or an integer"},
		{`{"t":1,"request":"","item":{"id":1}}`, `field request: "" is not an id; expected text or an integer`, "field event: null is not an id; expected text or an integer"},
		{`{"t":1,"request":"r","item":{"id":1.5},"event":"e"}`, "field item.id: 1.5 is not an id; it is not a whole number", ""},
		{`{"request":"r","item":{"id":1},"event":"e"}`, "", "field t: null is not an id; expected text or an integer"},
		{`{"request":"r","item":{"id":1}}`, "", ""},
	} {
		r := readerOf(t, 0, "")
		_, err := r.Read([]byte(c.record))
		require.NoError(t, err)
		_, err = r.ID()
		if c.id == "" {
			require.NoError(t, err, c.record)
		} else {
			require.EqualError(t, err, c.id, c.record)
		}
		var g bucket.Engagement
		_, err = r.Engagement(&g)
		if c.event == "" {
			require.NoError(t, err, c.record)
		} else {
			require.EqualError(t, err, c.event, c.record)
		}
	}
}
