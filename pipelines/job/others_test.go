package job

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/kafkaio/source"
	"tributary/transforms/attribution/rules"
)

// TestInputsOfATopicShareNamesOfTheTime: what the time is called in older records of one input, the source and the readers of the others
// know, too; of other topics they do not.
func TestInputsOfATopicShareNamesOfTheTime(t *testing.T) {
	p := &rules.Params{Inputs: []rules.Input{
		{Kind: rules.Views, Time: rules.Field{Path: "ts"}, Others: map[string][]string{"id": {"view"}}},
		{Kind: 0, Time: rules.Field{Path: "ts"}, Others: map[string][]string{"ts": {"bought_at"}, "id": {"order"}}},
		{Kind: 1, Time: rules.Field{Path: "at"}, Computed: []rules.Computed{{Name: "at", Expression: "has(ts) ? ts : seen"}}},
		{Kind: 1, Time: rules.Field{Path: "ts"}},
	}}
	topics := &InputTopics{params: p, found: []source.Topic{{Cluster: "a", Name: "log"}, {Cluster: "a", Name: "log"}, {Cluster: "a", Name: "log"}, {Cluster: "b", Name: "log"}}}
	topics.shareOthers()
	require.Equal(t, map[string][]string{"ts": {"bought_at"}, "id": {"view"}}, p.Inputs[0].Others)
	require.Equal(t, map[string][]string{"ts": {"bought_at"}, "id": {"order"}}, p.Inputs[1].Others)
	require.Equal(t, map[string][]string{"ts": {"bought_at"}}, p.Inputs[2].Others)
	require.Nil(t, p.Inputs[3].Others)
}
