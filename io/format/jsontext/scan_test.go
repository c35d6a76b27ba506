package jsontext

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/record"
)

// Deep nesting must end in an error, not in an exhausted stack.
func TestDeepNesting(t *testing.T) {
	deep := func(n int) string { return `{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + "}" }
	require.NoError(t, CheckObject([]byte(deep(maxDepth-1))))
	require.ErrorContains(t, CheckObject([]byte(deep(maxDepth))), "at most 512 levels")
	require.ErrorContains(t, CheckObject([]byte(`{"a":`+strings.Repeat("[", 4<<20))), "at most 512 levels")
	objects := strings.Repeat(`{"a":`, 1<<20)
	require.ErrorContains(t, CheckObject([]byte(objects)), "at most 512 levels")
	e := NewExtractor([]string{strings.TrimSuffix(strings.Repeat("a.", 2000), ".")})
	_, err := e.Extract([]byte(objects), make([]record.Value, 1))
	require.ErrorContains(t, err, "at most 512 levels")
}

func TestMaxInt(t *testing.T) {
	require.Equal(t, record.Value{Kind: record.Int, Int: math.MinInt64}, number([]byte("-9223372036854775808"), true))
}
