package registry

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"tributary/io/format/avro"
)

const oneView = `{"type":"record","name":"View","fields":[{"name":"t","type":"long"}]}`

// TestUnknownIDIsAskedAgain: an id may be registered later, but not every record may ask.
func TestUnknownIDIsAskedAgain(t *testing.T) {
	registry := srfake.New()
	t.Cleanup(registry.Close)
	s, err := newFetcher(&Config{URLs: []string{registry.URL()}})
	require.NoError(t, err)
	now := time.Now()
	s.now = func() time.Time { return now }
	_, err = s.lookup(t.Context(), ID{Number: 1})
	require.ErrorContains(t, err, "unknown schema id 1")
	_, _, err = registry.RegisterSchema("views", sr.Schema{Schema: oneView, Type: sr.TypeAvro})
	require.NoError(t, err)
	_, err = s.lookup(t.Context(), ID{Number: 1})
	require.ErrorContains(t, err, "unknown schema id 1", "remembered")
	now = now.Add(unknownFor)
	schema, err := s.lookup(t.Context(), ID{Number: 1})
	require.NoError(t, err)
	require.Equal(t, oneView, schema.Avro.String())
}

// TestSubjects: what is registered is the latest, and its frame is what records begin with.
func TestSubjects(t *testing.T) {
	registry := srfake.New()
	t.Cleanup(registry.Close)
	r := &Config{URLs: []string{registry.URL()}}
	_, err := r.Latest(t.Context(), "samples-value")
	require.ErrorContains(t, err, "schema registry: latest schema of samples-value: ")
	for i, schema := range []string{oneView, `"string"`, `"string"`} {
		frame, err := r.Register(t.Context(), "samples-value", schema)
		require.NoError(t, err)
		id, rest, err := Unframe(frame)
		require.NoError(t, err)
		require.Equal(t, ID{Number: int32(min(i, 1) + 1)}, id, "the same schema keeps its id")
		require.Empty(t, rest)
		latest, err := r.Latest(t.Context(), "samples-value")
		require.NoError(t, err)
		want, err := avro.ParseSchema(schema)
		require.NoError(t, err)
		require.Equal(t, want.ID(), latest.Avro.ID())
	}
}
