package account

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReasonOf(t *testing.T) {
	for detail, want := range map[string]string{
		`field ts: time "noon" is not RFC 3339, like 2026-01-02T15:04:05.678Z`: "field ts: time … is not RFC 3339, like …-…-…",
		`field ts2: time "a \"b\" c" is not a number`:                          "field ts2: time … is not a number",
		"field n: -7.5e+09 is not an id":                                       "field n: … is not an id",
		"line 5: it ends within a string":                                      "line …: it ends within a string",
		"":                                                                     "",
	} {
		got := reasonOf(detail)
		require.True(t, strings.HasPrefix(got, strings.Split(want, ", like")[0]), "%q: got %q", detail, got)
	}
	require.Len(t, reasonOf(strings.Repeat("x", 1000)), maxReason)
}

func TestReasonsMerge(t *testing.T) {
	var a, b Views
	a.AddReason(`time "2" is no time`, 1)
	a.AddReason(`time "1" is no time`, 2)
	b.AddReason(`time "0" is no time`, 4)
	b.AddReason("it is empty", 1)
	ab, ba := New(), New()
	ab.Merge(&Sheet{Views: a})
	ab.Merge(&Sheet{Views: b})
	ba.Merge(&Sheet{Views: b})
	ba.Merge(&Sheet{Views: a})
	require.Equal(t, map[string]*Reason{
		"time … is no time": {Count: 7, Example: `time "0" is no time`}, "it is empty": {Count: 1, Example: "it is empty"},
	}, ab.Views.Reasons)
	require.Equal(t, ab, ba)
	require.Equal(t, int64(3), a.Reasons["time … is no time"].Count, "what was merged stays as it was")
}

func TestReasonsAreBounded(t *testing.T) {
	var e Engagements
	for i := range 1000 {
		e.AddReason(fmt.Sprintf("it says word%d", i), 1)
	}
	require.Len(t, e.Reasons, maxReasons+1)
	require.Equal(t, int64(1000-maxReasons), e.Reasons[otherReasons].Count)
}
