package cluster

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
)

// Limits are the largest batches that the topics take, by topic, in bytes.
type Limits map[string]int32

// Of returns the limit of a topic within what a client may ask for: from 512 bytes to less
// than the 100 MiB that brokers read as one request.
func (l Limits) Of(topic string) int32 {
	n, ok := l[topic]
	if !ok {
		return 1_000_000 // the client's own default
	}
	return min(max(n, 512), 64<<20)
}

// TopicSettings returns the largest batches that topics take, and their cleanup policies.
func TopicSettings(ctx context.Context, admin *kadm.Client, topics ...string) (Limits, map[string]string, error) {
	configs, err := admin.DescribeTopicConfigs(ctx, topics...)
	if err != nil {
		return nil, nil, fmt.Errorf("read the settings of %s: %w", strings.Join(topics, " and "), err)
	}
	largest, policies := Limits{}, map[string]string{}
	for _, c := range configs {
		if c.Err != nil {
			return nil, nil, fmt.Errorf("read the settings of %s: %w", c.Name, c.Err)
		}
		for _, setting := range c.Configs {
			switch setting.Key {
			case "max.message.bytes":
				n, err := strconv.ParseInt(setting.MaybeValue(), 10, 32)
				if err != nil {
					return nil, nil, fmt.Errorf("max.message.bytes of %s: %w", c.Name, err)
				}
				largest[c.Name] = int32(n)
			case "cleanup.policy":
				policies[c.Name] = setting.MaybeValue()
			}
		}
	}
	return largest, policies, nil
}
