package topics

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tributary/pipelines/job"
	"tributary/pipelines/spec"
)

// Status is what a cluster has of a topic.
type Status string

// Statuses. Unknown is a topic that could not be asked about: Err says why.
const (
	Exists  Status = "exists"
	Missing Status = "missing"
	Differs Status = "differs"
	Created Status = "created"
	Unknown Status = "unknown"
)

// State is a topic as its cluster has it.
type State struct {
	Topic
	Status Status `json:"status"`
	// HasPartitions and Replicas are zero if the topic is missing.
	HasPartitions int `json:"has_partitions,omitempty"`
	Replicas      int `json:"replicas,omitempty"`
	// Settings are all settings of the topic; nil if they may not be read.
	Settings map[string]string `json:"-"`
	// Differences are what the join cannot live with.
	Differences []Difference `json:"differences,omitempty"`
	Err         string       `json:"error,omitempty"`
}

// Difference is a setting that is not as it must be.
type Difference struct {
	Setting string `json:"setting"`
	Got     string `json:"got"`
	// Want says what is needed; Set is a value that fits.
	Want string `json:"want"`
	Set  string `json:"set"`
	// Why says what follows from it.
	Why string `json:"why"`
}

// longestWait is how long a broker may take to answer one request.
const longestWait = 5 * time.Second

// Connect opens a client for questions to a cluster of a spec. It must be closed. Nothing
// is sent yet, so an unreachable cluster gives no error here.
//
// No answer is waited for longer than 5 s, or than ctx lasts if that is shorter: while a
// connection is made, the client does not look at the context of a request.
func Connect(ctx context.Context, c *spec.Cluster) (*kgo.Client, error) {
	config, err := job.Kafka(c).Options()
	if err != nil {
		return nil, fmt.Errorf("cluster %s: %w", c.Name, err)
	}
	wait := longestWait
	if end, ok := ctx.Deadline(); ok {
		wait = min(wait, max(time.Until(end), 10*time.Millisecond))
	}
	cl, err := kgo.NewClient(append(config, kgo.DialTimeout(wait), kgo.RequestTimeoutOverhead(wait), kgo.RetryTimeout(wait), kgo.RequestRetries(3))...)
	if err != nil {
		return nil, fmt.Errorf("cluster %s: %w", c.Name, err)
	}
	return cl, nil
}

// List asks each cluster for the topics of a spec, in the order of Needed. The error is
// the first of a cluster that does not answer until ctx ends, or that refuses to.
func List(ctx context.Context, s *spec.Spec) ([]State, error) {
	states := make([]State, 0)
	for _, t := range Needed(s) {
		states = append(states, State{Topic: t})
	}
	for i := range s.Clusters {
		c := &s.Clusters[i]
		err := withCluster(ctx, c, func(cl *kgo.Client) error { return Ask(ctx, cl, c.Name, states) })
		if err != nil {
			return nil, err
		}
	}
	return states, nil
}

func withCluster(ctx context.Context, c *spec.Cluster, do func(*kgo.Client) error) error {
	cl, err := Connect(ctx, c)
	if err != nil {
		return err
	}
	defer cl.Close()
	return do(cl)
}

// Ask fills in the states of the topics in one cluster.
func Ask(ctx context.Context, cl *kgo.Client, cluster string, states []State) error {
	var names []string
	for _, st := range states {
		if st.Cluster == cluster {
			names = append(names, st.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	details, err := describe(ctx, cl, names)
	if err != nil {
		return fmt.Errorf("cluster %s: list topics: %w", cluster, err)
	}
	settings, err := readSettings(ctx, cl, details)
	if err != nil {
		return fmt.Errorf("cluster %s: describe topics: %w", cluster, err)
	}
	for i := range states {
		if st := &states[i]; st.Cluster == cluster {
			st.fill(details[st.Name], settings[st.Name])
		}
	}
	return nil
}

// describe asks for topics by name. It does not use the admin client, which gives none of
// them if one may not be seen.
func describe(ctx context.Context, cl *kgo.Client, names []string) (map[string]kmsg.MetadataResponseTopic, error) {
	req := kmsg.NewPtrMetadataRequest()
	for _, name := range names {
		topic := kmsg.NewMetadataRequestTopic()
		topic.Topic = kmsg.StringPtr(name)
		req.Topics = append(req.Topics, topic)
	}
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return nil, err
	}
	out := map[string]kmsg.MetadataResponseTopic{}
	for _, t := range resp.Topics {
		if t.Topic != nil {
			out[*t.Topic] = t
		}
	}
	return out, nil
}

// readSettings asks for the settings of topics that are there. One whose settings may not
// be read is left out.
func readSettings(ctx context.Context, cl *kgo.Client, topics map[string]kmsg.MetadataResponseTopic) (map[string]map[string]string, error) {
	req := kmsg.NewPtrDescribeConfigsRequest()
	for _, name := range slices.Sorted(maps.Keys(topics)) {
		if topics[name].ErrorCode == 0 {
			resource := kmsg.NewDescribeConfigsRequestResource()
			resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeTopic, name
			req.Resources = append(req.Resources, resource)
		}
	}
	if len(req.Resources) == 0 {
		return nil, nil
	}
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return nil, err
	}
	out := map[string]map[string]string{}
	for _, r := range resp.Resources {
		if r.ErrorCode != 0 {
			continue
		}
		out[r.ResourceName] = map[string]string{}
		for _, c := range r.Configs {
			if c.Value != nil {
				out[r.ResourceName][c.Name] = *c.Value
			}
		}
	}
	return out, nil
}

func (st *State) fill(t kmsg.MetadataResponseTopic, settings map[string]string) {
	st.Status, st.Err, st.Differences = Exists, "", nil
	switch err := kerr.ErrorForCode(t.ErrorCode); {
	case t.Topic == nil, errors.Is(err, kerr.UnknownTopicOrPartition):
		st.Status = Missing
		return
	case err != nil:
		st.Status, st.Err = Unknown, err.Error()
		return
	}
	st.HasPartitions, st.Settings = len(t.Partitions), settings
	for _, p := range t.Partitions {
		st.Replicas = len(p.Replicas)
	}
	st.compare()
	if len(st.Differences) > 0 {
		st.Status = Differs
	}
}

// compare finds what the join cannot live with. Settings that could not be read are not
// compared.
func (st *State) compare() {
	differs := func(setting, want, set, why string) {
		got := st.Settings[setting]
		if setting == "partitions" {
			got = strconv.Itoa(st.HasPartitions)
		}
		st.Differences = append(st.Differences, Difference{setting, got, want, set, why})
	}
	if n := int(st.Partitions); st.HasPartitions < n {
		n := strconv.Itoa(n)
		differs("partitions", "at least "+n, n, "each shard has a partition of its own in the commit log")
	}
	policy, known := st.Settings[cleanupPolicy]
	if !known {
		return
	}
	compacts := slices.Contains(strings.Split(policy, ","), "compact")
	deletes := slices.Contains(strings.Split(policy, ","), "delete")
	switch {
	case st.Compacted && (!compacts || deletes):
		differs(cleanupPolicy, "compact", "compact", "entries would be deleted by age, and what they stand for would be written again")
		return
	case !st.Compacted && !st.MayCompact && compacts:
		differs(cleanupPolicy, "delete", "delete", "of records with one key only the last would be kept")
	}
	if st.Retention == 0 {
		return
	}
	ms, err := strconv.ParseInt(st.Settings[retentionMs], 10, 64)
	if err == nil && ms >= 0 && ms < st.Retention.Milliseconds() {
		want := fmt.Sprintf("at least %d (%s), or -1 for ever", st.Retention.Milliseconds(), spec.FormatDuration(st.Retention.Round(time.Second)))
		differs(retentionMs, want, forEver, "a job that starts again from the log would not find the views of open windows")
	}
}
