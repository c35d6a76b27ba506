package sink

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWritersClose: a job closes its producers that are idle, and those of no other.
func TestWritersClose(t *testing.T) {
	r, other := newFakeRig(t, 1), newFakeRig(t, 1)
	var both []*Writers
	for _, rig := range []*writeRig{r, other} {
		w, err := NewWriters(rig.w)
		require.NoError(t, err)
		_, err = w.write(t.Context(), 0, []*group{makeGroup(t, 0, 1, 1, 0)})
		require.NoError(t, err)
		both = append(both, w)
	}
	rests := func(w *Writers) bool {
		return shared.Count(func(k writerKey) bool { return k.writing == w.writing }) == 1
	}
	require.True(t, rests(both[0]) && rests(both[1]), "they are kept for the next bundle")
	both[0].CloseIdle()
	require.False(t, rests(both[0]))
	require.True(t, rests(both[1]))
	both[1].CloseIdle()
	require.False(t, rests(both[1]))
}
