package kafkaio

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/internal/kafkatest"
	"tributary/io/kafkaio/sink"
)

// sinkRig is a cluster with topics to write to, and how.
type sinkRig struct {
	*kafkatest.SinkTopics
	w sink.Config
}

// newSink uses the cluster at $TRIBUTARY_KAFKA, or kfake if that is not set.
func newSink(t testing.TB, shards int32) *sinkRig {
	return sinkOf(kafkatest.NewSinkTopics(t, shards), shards)
}

func newFakeSink(t testing.TB, shards int32, opts ...kfake.Opt) *sinkRig {
	return sinkOf(kafkatest.NewFakeTopics(t, shards, opts...), shards)
}

func sinkOn(t testing.TB, shards int32, brokers []string) *sinkRig {
	return sinkOf(kafkatest.NewTopicsOn(t, shards, brokers, kafkatest.NetDial), shards)
}

func sinkOf(topics *kafkatest.SinkTopics, shards int32) *sinkRig {
	return &sinkRig{SinkTopics: topics, w: sink.Config{
		Cluster: cluster.Config{Brokers: topics.Brokers}, Topic: topics.Topic, CommitLog: topics.CommitLog, Job: topics.Job, Shards: shards,
	}}
}
