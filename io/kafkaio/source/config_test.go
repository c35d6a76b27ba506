package source

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/registry"
	"tributary/io/kafkaio/timeindex"
	"tributary/io/record"
)

func TestConfigValidate(t *testing.T) {
	valid := func() Config {
		return Config{
			Job: "job", Clusters: []cluster.Config{{Brokers: []string{"b:1"}}},
			Topics: []Topic{{Name: "t", Format: JSON, Time: Field{Path: "t", Unit: record.UnitEpochMs}, Inputs: []int32{0}}},
		}
	}
	tests := []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"as it is", func(*Config) {}, ""},
		{"no job", func(r *Config) { r.Job = "" }, "job: needs an id"},
		{"no topic", func(r *Config) { r.Topics = nil }, "topics: must be 1 to 2047, got 0"},
		{"a topic twice", func(r *Config) { r.Topics = append(r.Topics, r.Topics[0]) }, "topic t: listed twice; give it several inputs instead"},
		{"an unknown cluster", func(r *Config) { r.Topics[0].Cluster = "x" }, `topic t: no cluster "x"`},
		{"two clusters of a name", func(r *Config) { r.Clusters = append(r.Clusters, r.Clusters[0]) }, `cluster 1: the name "" is taken`},
		{"an unknown format", func(r *Config) { r.Topics[0].Format = "csv" }, `topic t: format must be registry-avro, registry-json, registry-protobuf or one of avro, json, ltsv, protobuf, got "csv"`},
		{"no registry", func(r *Config) { r.Topics[0].Format = RegistryAvro }, "topic t: its schemas are in a registry, and none is given"},
		{"a schema without the time", func(r *Config) { r.Topics[0].Format, r.Topics[0].Schema = Avro, noTime }, "topic t: event time: "},
		{"a password in a URL", func(r *Config) {
			r.Topics[0].Format, r.Topics[0].Registry = RegistryJSON, &registry.Config{URLs: []string{"http://u:p@r"}}
		}, "topic t: registry: urls: must hold no user or password"},
		{"a negative time", func(r *Config) { r.IdleAfter = -time.Second }, "readers and times must not be negative"},
		{"an unknown answer to truncation", func(r *Config) { r.OnTruncation = "x" }, `on truncation: must be empty or "skip", got "x"`},
		{"committed offsets of nobody", func(r *Config) { r.Start.At = AtCommitted }, "start: at committed offsets needs a group"},
		{"a start at no time", func(r *Config) { r.Start.At = AtTime }, "start: needs a time"},
		{"an unknown stop", func(r *Config) { r.Stop.At = "x" }, `stop: cannot stop at "x"`},
		{"entries on an unknown cluster", func(r *Config) { r.TimeIndex = &timeindex.Topic{Cluster: "x"} }, `time index: no cluster "x"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := valid()
			tt.change(&r)
			if err := r.Validate(); tt.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, tt.want)
			}
		})
	}
	r := valid()
	r.Job, r.IdleAfter = "", -1
	err := r.Validate()
	require.ErrorContains(t, err, "job: needs an id")
	require.ErrorContains(t, err, "must not be negative", "all at once")
}
