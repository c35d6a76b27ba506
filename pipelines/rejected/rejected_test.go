package rejected

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/record"
)

func TestAppend(t *testing.T) {
	d := Describer{Roles: []string{"views"}}
	r := d.Describe(&record.Rejected{Reason: record.ReasonMalformed, Detail: "<a> & b", Offset: 7, Count: 1, EventTime: 0, Watermark: record.NoTime, Record: []byte(`{"id": "<x>"}`)}, "views/0")
	line, err := r.Append([]byte("before "))
	require.NoError(t, err)
	require.Equal(t, `before {"reason":"malformed","detail":"<a> & b","role":"views","source":"views/0","offset":7,"event_time":"1970-01-01T00:00:00Z","record":{"id":"<x>"}}`, string(line))
}

// An id, or what is said of one, may be as large as a record.
func TestLargeIDs(t *testing.T) {
	for _, id := range []string{strings.Repeat("x", 1<<20), strings.Repeat("\x01", 1<<20), strings.Repeat("\xff", 1<<20)} {
		orphan := (&Describer{Kept: 600 << 10}).Describe(&record.Rejected{Reason: record.ReasonOrphan, Detail: "no view with the id " + id, Record: []byte(id)}, "likes/0")
		large := TooLarge([]byte(id), "samples", "it takes too much")
		for _, r := range []Record{orphan, large} {
			line, err := r.Append(nil)
			require.NoError(t, err)
			require.True(t, json.Valid(line))
			require.Less(t, len(line), 900<<10, "of a topic's megabyte")
			require.NotEmpty(t, r.ViewID+r.Bytes)
			require.Less(t, len(r.Detail), 3000)
		}
	}
	small := TooLarge([]byte("v"), "samples", "it takes too much")
	line, err := small.Append(nil)
	require.NoError(t, err)
	require.Equal(t, `{"reason":"too large","detail":"it takes too much","role":"samples","source":"samples","offset":-1,"view_id":"v"}`, string(line))
}

// What is kept of a large record is valid JSON all the same.
func TestKept(t *testing.T) {
	const schema = `{"type":"record","name":"V","fields":[{"name":"id","type":"string"}]}`
	large := strings.Repeat("x", 5000)
	for _, r := range []record.Rejected{
		{Record: []byte(`{"id":"` + large + `"}`)},
		{Record: append([]byte{0x90, 0x4e}, large...), Schema: 1, SchemaText: schema},
		{Record: []byte(strings.Repeat("\x01", 5000))},
	} {
		whole := (&Describer{}).Describe(&r, "")
		require.Greater(t, len(whole.Record), 5000)
		cut := (&Describer{Kept: 1000}).Describe(&r, "")
		require.LessOrEqual(t, len(cut.Record)+len(cut.Bytes), 1340)
		require.Greater(t, len(cut.Record)+len(cut.Bytes), 1000)
		line, err := cut.Append(nil)
		require.NoError(t, err)
		require.True(t, json.Valid(line))
	}
}

// TestRecordsOfDamage: a letter says how many records it stands for, and what is not known.
func TestRecordsOfDamage(t *testing.T) {
	for _, c := range []struct {
		count   int64
		atLeast bool
		want    string
	}{
		{1, false, `{"reason":"malformed","detail":"","role":"","source":"a.avro","offset":0}`},
		{7, false, `{"reason":"malformed","detail":"","role":"","source":"a.avro","offset":0,"count":7}`},
		{7, true, `{"reason":"malformed","detail":"","role":"","source":"a.avro","offset":0,"count":7,"records":"at least 7"}`},
		{1, true, `{"reason":"malformed","detail":"","role":"","source":"a.avro","offset":0,"records":"at least 1"}`},
		{0, true, `{"reason":"malformed","detail":"","role":"","source":"a.avro","offset":0,"records":"unknown"}`},
	} {
		var d Describer
		r := d.Describe(&record.Rejected{Reason: record.ReasonMalformed, Count: c.count, AtLeast: c.atLeast, Input: -1, EventTime: record.NoTime, Watermark: record.NoTime}, "a.avro")
		line, err := r.Append(nil)
		require.NoError(t, err)
		require.Equal(t, c.want, string(line))
	}
}
