package sink

import (
	"errors"
	"maps"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/internal/kafkatest"
)

// latest are the newest values of a topic's keys.
func latest(b *kafkatest.Broker, topic string) map[string]string {
	b.T.Helper()
	values := map[string]string{}
	require.NoError(b.T, cluster.ReadAll(b.T.Context(), cluster.Config{Brokers: b.Brokers}, topic, into(values)))
	return values
}

func into(values map[string]string) func(*kgo.Record) error {
	return func(r *kgo.Record) error {
		values[string(r.Key)] = string(r.Value)
		if r.Value == nil {
			delete(values, string(r.Key))
		}
		return nil
	}
}

// TestRewrite: what is written follows from all that was written before under the same id, and is
// there as a whole or not at all.
func TestRewrite(t *testing.T) {
	b := kafkatest.NewBroker(t)
	topic := b.Topic(1, "cleanup.policy", "compact")
	for _, key := range []string{"a", "b"} {
		require.NoError(t, b.Client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Key: []byte(key), Value: []byte("1")}).FirstErr())
	}
	w := Config{Cluster: cluster.Config{Brokers: b.Brokers}, Topic: topic}
	// add puts a and what else there is together, if nothing comes in between.
	add := func(between func()) error {
		values := map[string]string{}
		return Rewrite(t.Context(), w, topic, into(values), func() ([]*kgo.Record, error) {
			between()
			sum := ""
			for key := range maps.Keys(values) {
				sum += values[key]
			}
			return []*kgo.Record{{Key: []byte("a"), Value: []byte(sum)}, {Key: []byte("b")}}, nil
		})
	}
	// Another one does it meanwhile: the first has read what is no longer there.
	err := add(func() { require.NoError(t, add(func() {})) })
	require.ErrorIs(t, err, ErrFenced)
	require.Equal(t, map[string]string{"a": "11"}, latest(b, topic))

	// Others may write meanwhile.
	require.NoError(t, add(func() {
		require.NoError(t, b.Client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Key: []byte("c"), Value: []byte("2")}).FirstErr())
	}))
	require.Equal(t, map[string]string{"a": "11", "c": "2"}, latest(b, topic))

	broken := errors.New("broken")
	fails := func() ([]*kgo.Record, error) { return nil, broken }
	require.ErrorIs(t, Rewrite(t.Context(), w, topic, into(map[string]string{}), fails), broken)
	require.ErrorIs(t, Rewrite(t.Context(), w, topic, func(*kgo.Record) error { return broken }, fails), broken)
	require.Equal(t, map[string]string{"a": "11", "c": "2"}, latest(b, topic))
}
