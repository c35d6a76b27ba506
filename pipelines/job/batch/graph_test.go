package batch

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/io/dofn"
)

// TestElementsArrive: every type of elements of a join has a coder, as one pipeline for each interval and as
// one for several, on this machine or on others.
func TestElementsArrive(t *testing.T) {
	_, s := deterministic(t)
	p, err := newPlan(t.Context(), to(s, t.TempDir()), planOptions{})
	require.NoError(t, err)
	all := p.intervals(time.Time{}, time.Time{}, short)
	p.all = all
	whole := interval{from: all[0].from, to: all[len(all)-1].to, first: true}
	require.NoError(t, dofn.Check(p.pipeline(all[0], "", "", false)))
	require.NoError(t, dofn.Check(p.pipeline(whole, "", t.TempDir(), false)))
	require.NoError(t, dofn.Check(p.pipeline(whole, "", t.TempDir(), true)))
}
