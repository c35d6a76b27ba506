package stream

import (
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/metrics"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/direct" //nolint:staticcheck // bounded and stateless is what it is for
	"github.com/stretchr/testify/require"

	"tributary/transforms/account"
)

// TestCounters: what the runner counts is what the table of counts names, of views, engagements and stages.
func TestCounters(t *testing.T) {
	l := account.New("like")
	l.Views.N[account.Samples], l.Engagements["like"].N[account.Late], l.StageOf("10s").N[account.Given] = 3, 2, 1
	pipeline, s := beam.NewPipelineWithRoot()
	beam.ParDo0(s, &countFn{}, beam.Create(s, *l, *l))
	result, err := direct.Execute(t.Context(), pipeline)
	require.NoError(t, err)
	got := map[string]int64{}
	for _, c := range result.Metrics().Query(func(metrics.SingleResult) bool { return true }).Counters() {
		got[c.Name()] = c.Result()
	}
	require.Equal(t, map[string]int64{"samples": 6, "like_late": 4, "stage_10s_given": 2}, got)
}
