package batch

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/io/dofn"
)

// TestElementsArrive: every type of elements of a join has a coder, as one pipeline for each interval and as
// one for all.
func TestElementsArrive(t *testing.T) {
	_, s := deterministic(t)
	p, err := newPlan(t.Context(), to(s, t.TempDir()), planOptions{})
	require.NoError(t, err)
	all := p.intervals(time.Time{}, time.Time{}, short)
	require.NoError(t, dofn.Check(p.pipeline(all[0], all[:1], "", false)))
	require.NoError(t, dofn.Check(p.pipeline(all[0], all, "", true)))
}
