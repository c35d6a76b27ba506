package spill

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestKeeper: each bundle has a file, its references come when that is whole, and in the order of the values.
func TestKeeper(t *testing.T) {
	folder := t.TempDir() + "/kept"
	var k Keeper[int]
	for bundle := range 3 {
		for i := range 4 {
			require.NoError(t, k.Keep(t.Context(), folder, i, []byte{byte(bundle), byte(i)}))
		}
		next := 0
		require.NoError(t, k.Commit(func(with int, ref Ref) {
			require.Equal(t, next, with)
			next++
			value, err := Get(t.Context(), folder, ref)
			require.NoError(t, err)
			require.Equal(t, []byte{byte(bundle), byte(with)}, value)
		}))
		require.Equal(t, 4, next)
		require.Len(t, files(t, folder), bundle+1)
	}
	require.NoError(t, k.Commit(func(int, Ref) { t.Error("there was nothing") }))
	require.Len(t, files(t, folder), 3, "a bundle without values")
}

// TestBundlesThatFail leave nothing, and what is tried again is kept as if nothing had been.
func TestBundlesThatFail(t *testing.T) {
	folder := t.TempDir()
	var k Keeper[string]
	require.NoError(t, k.Keep(t.Context(), folder, "failed", []byte("value")))
	require.Len(t, files(t, folder), 1)
	k.Abort()
	require.Empty(t, files(t, folder))

	require.NoError(t, k.Keep(t.Context(), folder, "again", []byte("value")))
	var got []string
	require.NoError(t, k.Commit(func(with string, _ Ref) { got = append(got, with) }))
	require.Equal(t, []string{"again"}, got)
	k.Abort()
	require.Len(t, files(t, folder), 1, "what is finished stays")

	ctx, cancel := context.WithCancel(t.Context())
	require.NoError(t, k.Keep(ctx, folder, "cancelled", []byte("value")))
	cancel()
	require.ErrorIs(t, k.Commit(func(string, Ref) { t.Error("the file is not whole") }), context.Canceled)
	k.Abort()
	require.Len(t, files(t, folder), 1)
}
