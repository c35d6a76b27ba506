package avro

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestBranches: a value of a union is one of the branch's own schema, which stands alone, behind the number of the branch.
func TestBranches(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Types that one branch defines and the next one names are defined once.
		one := `{"type":"record","name":"a.R","fields":[{"name":"x","type":` + drawSchema(t) + `}]}`
		s, err := ParseSchema(`["null",` + one + `,{"type":"record","name":"S","fields":[{"name":"r","type":["a.R","int"]},{"name":"s","type":["null","S"]}]}]`)
		if err != nil {
			t.Skip("a name is there twice") // of what is drawn
		}
		all, err := s.Branches()
		require.NoError(t, err)
		require.Equal(t, []string{"a.R", "S"}, all.Names())
		require.Nil(t, all[0].Record)
		branch := rapid.IntRange(1, 2).Draw(t, "branch")
		datum := drawDatum(t, nil, s.Type().Branches[branch], 3)
		got, rest, ok := all.Cut(append(binary.AppendVarint(nil, int64(branch)), datum...))
		require.True(t, ok)
		require.Equal(t, branch, got)
		require.Equal(t, string(datum), string(rest))
		alone := all[branch].Record
		require.Equal(t, all[branch].Name, alone.Type().Name)
		toJSON, err := NewJSON(alone)
		require.NoError(t, err)
		_, n, err := toJSON.Append(nil, rest)
		require.NoError(t, err)
		require.Len(t, rest, n)
	})
	s := mustParse(t, `["null",{"type":"record","name":"R","fields":[]}]`)
	all, err := s.Branches()
	require.NoError(t, err)
	for _, bad := range [][]byte{nil, {4}, {1}, {0x80}} {
		_, _, ok := all.Cut(bad)
		require.False(t, ok, "%v", bad)
	}
	none, err := mustParse(t, `"string"`).Branches()
	require.NoError(t, err)
	require.Nil(t, none)
}
