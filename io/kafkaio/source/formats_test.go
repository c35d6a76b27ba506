package source

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	_ "tributary/io/format/all"  // registers what the product has
	_ "tributary/io/iotest/ltsv" // registers ltsv, which only tests have
)

// TestAddedFormat: a topic's values may be of a format that only its package knows, and one that is no
// record of it is told.
func TestAddedFormat(t *testing.T) {
	opened, err := newTopic(t.Context(), Topic{Name: "t", Format: "ltsv", Time: Field{Path: "ts"}}, 0)
	require.NoError(t, err)
	rec, by, err := opened.open(t.Context(), &kgo.Record{Value: []byte("id:v1\tts:2026-01-01T00:00:00Z")})
	require.NoError(t, err)
	require.Equal(t, `{"id":"v1","ts":"2026-01-01T00:00:00Z"}`, string(rec))
	require.EqualValues(t, 1767225600000, by.of(rec, nil))
	require.Zero(t, by.fingerprint)
	_, _, err = opened.open(t.Context(), &kgo.Record{Value: []byte("no label")})
	reason, unusable := isUnusable(err)
	require.True(t, unusable)
	require.Equal(t, `"no label" has no label`, reason)
	_, err = newTopic(t.Context(), Topic{Name: "t", Format: "xml"}, 0)
	require.EqualError(t, err, `topic t: format "xml": there are avro, json, ltsv, protobuf`)
}
