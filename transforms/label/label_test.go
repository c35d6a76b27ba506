package label_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/transforms/label"
	"tributary/transforms/label/labeltest"
)

func TestFunctionsInOrder(t *testing.T) {
	require.Equal(t, []label.Func{label.Binary, label.Count, label.TimeToFirst}, label.All(label.Nothing))
	require.Equal(t, []label.Func{label.Sum, label.Min, label.Max, label.First, label.Last, labeltest.Mean}, label.All(label.Number, label.Value))
	require.True(t, labeltest.Mean.OfNumbers())
	require.False(t, labeltest.Mean.Exact())
	require.Nil(t, label.Func("median").Definition())
	require.False(t, label.Func("median").OfNumbers())
	require.PanicsWithValue(t, "label.Register: mean is there twice", func() { label.Register(label.Definition{Name: "mean"}) })
}

func TestDefinitionsAreWhole(t *testing.T) {
	for _, f := range label.All(label.Nothing, label.Number, label.Value) {
		d := f.Definition()
		require.Equal(t, f, d.Name)
		require.True(t, strings.HasSuffix(d.Doc, "."), f)
		require.NotEmpty(t, d.Holds, f)
		require.NotNil(t, d.Type, f)
		require.NotEmpty(t, d.Append(nil, &label.Totals{}), f)
		require.False(t, d.Fits(label.Text, "many") && d.Takes != label.Value, f)
		require.True(t, d.Fits(label.Int, "1"), f)
	}
}
