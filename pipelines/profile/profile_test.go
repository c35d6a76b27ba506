package profile_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/io/format/avro"
	"tributary/pipelines/profile"
)

func TestProfileOfText(t *testing.T) {
	p := profile.New(2)
	for _, record := range []string{
		`{"id": "a", "n": 1, "user": {"id": 7, "na.me": "x"}, "when": "2026-01-01T10:00:00Z", "cents": "5", "tags": [1]}`,
		`{"id": "b", "n": 2.5, "user": null, "when": "2026-01-01T10:00:00+02:00", "cents": "12"}`,
		`{"id": "c", "n": "three", "when": "", "cents": "12"}`,
		`[1]`,
	} {
		p.Add([]byte(record))
	}
	types := map[string]string{}
	for _, f := range p.Fields {
		types[f.Path] = f.Type()
	}
	assert.Equal(t, map[string]string{
		"id": "text", "n": "number or text", "user.id": "integer", `user."na.me"`: "text", "when": "text, a time",
		"cents": "text, an integer", "tags": "array", "user": "null",
	}, types)
	assert.Equal(t, int64(4), p.Records)
	assert.Equal(t, int64(2), p.Field("when").Filled, "empty text is no value")
	assert.Nil(t, p.Field("id").Values, "more than are kept")
	assert.Equal(t, map[string]int64{"5": 1, "12": 2}, p.Field("cents").Values)
	assert.Equal(t, []float64{5, 12}, []float64{p.Field("cents").Min, p.Field("cents").Max})
}

func TestFieldsOfSchema(t *testing.T) {
	s, err := avro.ParseSchema(`{"type": "record", "name": "r", "fields": [
		{"name": "at", "type": ["null", {"type": "long", "logicalType": "timestamp-micros"}]},
		{"name": "user", "type": ["null", {"type": "record", "name": "u", "fields": [{"name": "id", "type": "string"}, {"name": "next", "type": ["null", "u"]}]}]},
		{"name": "scores", "type": {"type": "array", "items": "float"}},
		{"name": "either", "type": ["int", "string"]},
		{"name": "nothing", "type": "null"}
	]}`)
	require.NoError(t, err)
	assert.Equal(t, []profile.Typed{
		{Path: "at", Type: "long (timestamp-micros) or null", Logical: "timestamp-micros", Scalar: true},
		{Path: "user.id", Type: "string", Scalar: true},
		{Path: "scores", Type: "array of float"},
		{Path: "either", Type: "int or string", Scalar: true},
		{Path: "nothing", Type: "null", Scalar: true},
	}, profile.OfSchema(s))
}
