package show

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestUnknownKinds: a kind that no sample knows is an error, which lists those that there are.
func TestUnknownKinds(t *testing.T) {
	path := samplesFile(t)
	for _, c := range []struct {
		filter Filter
		want   string
	}{
		{Filter{Kind: "share"}, "show: --kind share: the samples have no such kind, but click, like"},
		{Filter{Kind: "lke"}, "show: --kind lke: the samples have no such kind, but click, like; did you mean like?"},
		{Filter{Kind: "@this"}, "show: --kind @this: the samples have no such kind, but click, like"}, // a name, no path
		{Filter{Labels: []string{"share>=1"}}, "show: --label share: the samples have no such label, but click, like"},
	} {
		var out, warn bytes.Buffer
		require.EqualError(t, Run(t.Context(), path, Options{Filter: c.filter, JSON: true}, &out, &warn), c.want)
		assert.Empty(t, out.String())
	}
	kinds, err := Kinds(t.Context(), path)
	require.NoError(t, err)
	assert.Equal(t, []string{"click", "like"}, kinds)
}
