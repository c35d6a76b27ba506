package rules

import (
	"testing"

	"tributary/io/expression"

	"github.com/stretchr/testify/require"
)

// TestOwnFields: a source is asked for whatever it knows beside records that any part of an input names.
func TestOwnFields(t *testing.T) {
	views := Input{Kind: Views, ID: "id", Key: []string{"$headers.user", "item"}, Time: Field{Path: "$timestamp"}, Where: []expression.Condition{{Field: "$headers.kind"}}}
	require.Equal(t, []string{"$headers.kind", "$headers.user", "$timestamp"}, views.OwnFields())
	likes := Input{ID: "$key", Time: Field{Path: "ts"}, ViewTime: Field{Path: "$headers.seen"}, EventID: "$partition", MoreEventID: []string{"$offset"}, Values: []string{"", "$headers.price"}}
	require.Equal(t, []string{"$headers.price", "$headers.seen", "$key", "$offset", "$partition"}, likes.OwnFields())
}
