package decode

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/format/avro"
	"tributary/io/record"
	"tributary/transforms/attribution/rules"
)

const (
	viewSchema = `{"type":"record","name":"V","fields":[{"name":"t","type":"long"},{"name":"id","type":"string"}]}`
	// olderSchema lacks a field that views must have in samples.
	olderSchema = `{"type":"record","name":"V","fields":[{"name":"id","type":"string"}]}`
)

func viewParams() *rules.Params {
	return &rules.Params{
		Inputs:     []rules.Input{{Kind: rules.Views, ID: "id", Time: rules.Field{Path: "t", Unit: record.UnitEpochMs}}},
		ViewSchema: viewSchema,
	}
}

func batchOf(t *testing.T, schema string) *record.Batch {
	t.Helper()
	parsed, err := avro.ParseSchema(schema)
	require.NoError(t, err)
	return &record.Batch{Schema: parsed.ID(), SchemaText: schema}
}

// TestReadersAreMadeOnce: batches of one schema have one reader, and a schema is parsed once however often
// a reader looks at it.
func TestReadersAreMadeOnce(t *testing.T) {
	all := NewReaders(viewParams())
	first, err := all.Of(batchOf(t, viewSchema))
	require.NoError(t, err)
	require.NoError(t, first.Unusable)
	parsed := all.schemas[viewSchema]
	require.NotNil(t, parsed)
	again, err := all.Of(batchOf(t, viewSchema))
	require.NoError(t, err)
	require.Same(t, first, again)

	older, err := all.Of(batchOf(t, olderSchema))
	require.NoError(t, err)
	require.ErrorContains(t, older.Unusable, "t")
	require.Same(t, parsed, all.schemas[viewSchema])
	require.Len(t, all.schemas, 2)
	_, err = all.schemas.parse("{")
	require.Error(t, err)
	require.Len(t, all.schemas, 2, "what is no schema is not kept")
}

// TestReadersShareNothing: workers of one process have readers of their own, at the same time.
func TestReadersShareNothing(t *testing.T) {
	var made [4]*Readers
	var group sync.WaitGroup
	batch := batchOf(t, viewSchema)
	for i := range made {
		group.Go(func() {
			made[i] = NewReaders(viewParams())
			r, err := made[i].Of(batch)
			if err == nil {
				_, err = r.Read([]byte{2, 2, 'a'})
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	require.NotSame(t, made[0].schemas[viewSchema], made[1].schemas[viewSchema])
}

func TestReadersRefuse(t *testing.T) {
	all := NewReaders(viewParams())
	_, err := all.Of(&record.Batch{Input: 1})
	require.EqualError(t, err, "batch of input 1: there are 1")
	_, err = all.Of(&record.Batch{Input: -1})
	require.EqualError(t, err, "batch of input -1: there are 1")
	_, err = all.Of(&record.Batch{Schema: 5})
	require.EqualError(t, err, "input 0: no schema with fingerprint 0000000000000005")
}
