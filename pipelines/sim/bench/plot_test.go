package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The drawing that is kept is one of the figures that are kept.
func TestDrawing(t *testing.T) {
	r, err := options{from: "result.json"}.report(t.Context())
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "drawn.svg")
	require.NoError(t, r.draw(file))
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	want, err := os.ReadFile("result.svg")
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "draw it again: --from result.json --plot result.svg")
}
