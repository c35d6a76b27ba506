package cluster

import (
	"fmt"
	"strconv"
	"strings"
)

// Partition names a partition of a topic of a cluster.
type Partition struct {
	Cluster, Topic string
	Partition      int32
}

// String is cluster/topic/partition; topic/partition if the cluster has no name.
func (p Partition) String() string {
	text := p.Topic + "/" + strconv.Itoa(int(p.Partition))
	if p.Cluster != "" {
		text = p.Cluster + "/" + text
	}
	return text
}

// MarshalText makes a Partition a key of JSON objects.
func (p Partition) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (p *Partition) UnmarshalText(text []byte) error {
	parts := strings.Split(string(text), "/")
	if len(parts) != 2 && len(parts) != 3 {
		return fmt.Errorf("partition %q is not of the form cluster/topic/partition", text)
	}
	n, err := strconv.ParseInt(parts[len(parts)-1], 10, 32)
	if err != nil || n < 0 {
		return fmt.Errorf("partition %q does not end in a number", text)
	}
	*p = Partition{Topic: parts[len(parts)-2], Partition: int32(n)}
	if len(parts) == 3 {
		p.Cluster = parts[0]
	}
	return nil
}
