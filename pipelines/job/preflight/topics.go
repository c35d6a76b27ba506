package preflight

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/pipelines/job/topics"
	"tributary/pipelines/spec"
)

// Kafka takes batches of this size by default, and clients make them up to a little less.
const usualBatch = 1 << 20

// topics compares the cluster's topics with what the spec needs.
func (c *checker) topics(ctx context.Context, cl *kgo.Client, cluster *spec.Cluster) []Finding {
	var states []topics.State
	for _, t := range topics.Needed(c.spec) {
		if t.Cluster == cluster.Name {
			states = append(states, topics.State{Topic: t})
		}
	}
	if err := topics.Ask(ctx, cl, cluster.Name, states); err != nil {
		return []Finding{{Status: Problem, Detail: reason(ctx, err), Fix: "the broker answers, but not to this: see its log"}}
	}
	var out []Finding
	partitions, inputs := 0, 0
	for i := range states {
		st := &states[i]
		out = append(out, c.topic(ctx, cl, st)...)
		if !st.Output {
			inputs++
			partitions += st.HasPartitions
		}
	}
	if readers := c.spec.Stream.SourceParallelism; inputs > 0 && partitions > 0 && c.oneCluster() && readers > partitions {
		out = append(out, Finding{
			"readers", cluster.Name, Warning, fmt.Sprintf("%d readers for %d partitions: some will have nothing to read", readers, partitions),
			"set stream.source_parallelism to " + strconv.Itoa(partitions) + " or fewer",
		})
	}
	return out
}

// oneCluster tells whether all topics that are read are in one cluster, so that its partitions are all there are.
func (c *checker) oneCluster() bool {
	clusters := map[string]bool{}
	for _, in := range c.spec.Inputs() {
		if in.Topic != "" {
			clusters[in.Cluster] = true
		}
	}
	return len(clusters) == 1
}

func (c *checker) topic(ctx context.Context, cl *kgo.Client, st *topics.State) []Finding {
	finding := func(status Status, detail, fix string) Finding {
		return Finding{"topic", st.Name, status, st.Role + ": " + detail, fix}
	}
	switch st.Status {
	case topics.Missing:
		if st.Output {
			return []Finding{finding(Problem, "it does not exist", "tributary topics "+c.spec.File+" --create")}
		}
		fix := "correct the name, or create it: tributary topics " + c.spec.File + " --create --inputs"
		if near := nearTopic(ctx, cl, st.Name); near != "" {
			fix = "is it " + near + "? If not, " + fix
		}
		return []Finding{finding(Problem, "it does not exist, or this user may not see it", fix)}
	case topics.Unknown:
		return []Finding{finding(Problem, st.Err, "allow it: "+allow(st.Cluster, c.spec, "Describe", "--topic "+st.Name))}
	default: // it is there
	}
	var out []Finding
	for _, d := range st.Differences {
		fix := "kafka-configs.sh --alter --entity-type topics --entity-name " + st.Name + " --add-config " + d.Setting + "=" + d.Set
		if d.Setting == "partitions" {
			fix = "set shards to " + d.Got + ", or delete the topic while the job is stopped and all samples may be written again, and create it anew: tributary topics " + c.spec.File + " --create"
		}
		out = append(out, finding(Problem, fmt.Sprintf("%s is %s, and must be %s: %s", d.Setting, d.Got, d.Want, d.Why), fix))
	}
	out = append(out, c.sizes(st, finding)...)
	if len(out) > 0 {
		return out
	}
	detail := fmt.Sprintf("partitions: %d, replicas: %d", st.HasPartitions, st.Replicas)
	if st.Settings == nil {
		return []Finding{finding(Warning, detail+"; its settings may not be read, so retention is not checked", "allow it: "+allow(st.Cluster, c.spec, "DescribeConfigs", "--topic "+st.Name))}
	}
	return []Finding{finding(OK, detail+", "+keeps(st), "")}
}

// sizes looks at settings that refuse or drop some records.
func (c *checker) sizes(st *topics.State, finding func(Status, string, string) Finding) []Finding {
	var out []Finding
	number := func(key string) (int64, bool) {
		n, err := strconv.ParseInt(st.Settings[key], 10, 64)
		return n, err == nil
	}
	alter := "kafka-configs.sh --alter --entity-type topics --entity-name " + st.Name + " --add-config "
	if n, ok := number("max.message.bytes"); ok && st.Output && n < usualBatch {
		out = append(out, finding(Warning, fmt.Sprintf("max.message.bytes is %d: larger samples become dead letters", n), alter+"max.message.bytes="+strconv.Itoa(usualBatch)))
	}
	if n, ok := number("retention.bytes"); ok && !st.Compacted && n >= 0 && st.Settings["cleanup.policy"] != "compact" {
		out = append(out, finding(Warning, fmt.Sprintf("retention.bytes is %d: a burst of records shortens the time they are kept below what open windows need", n), alter+"retention.bytes=-1"))
	}
	if st.Output || st.Settings["message.timestamp.type"] == "LogAppendTime" || c.spec.Stream.MaxFutureSkew == 0 {
		return out
	}
	// Then timestamps are the producers', who may take them from the clock that is wrong.
	if n, ok := number("message.timestamp.after.max.ms"); ok && n > mostAhead.Milliseconds() {
		out = append(out, finding(Warning, fmt.Sprintf("records stamped up to %s ahead of the broker's clock are taken: for these max_future_skew goes by the clock of whoever reads them, and a later reading may decide otherwise", milliseconds(n)),
			alter+"message.timestamp.after.max.ms="+strconv.FormatInt(usualAhead.Milliseconds(), 10)))
	}
	return out
}

// usualAhead is how far ahead of their clock brokers let timestamps be by default; mostAhead
// is what a clock that is years off does not get through.
const (
	usualAhead = time.Hour
	mostAhead  = 24 * time.Hour
)

func keeps(st *topics.State) string {
	if st.Compacted || st.MayCompact && st.Settings["cleanup.policy"] == "compact" {
		return "compacted"
	}
	ms, err := strconv.ParseInt(st.Settings["retention.ms"], 10, 64)
	if err != nil || ms < 0 {
		return "kept for ever"
	}
	return "kept for " + milliseconds(ms)
}

func milliseconds(n int64) string {
	if n > math.MaxInt64/int64(time.Millisecond) {
		return "for ever"
	}
	return spec.FormatDuration(time.Duration(n) * time.Millisecond)
}

// nearTopic finds a topic of a name like the missing one.
func nearTopic(ctx context.Context, cl *kgo.Client, name string) string {
	all, err := kadm.NewClient(cl).ListTopics(ctx)
	if err != nil {
		return ""
	}
	var names []string
	for _, t := range all.Sorted() {
		// The client may also list those that it was asked for before in vain.
		if t.Err == nil && t.Topic != name {
			names = append(names, t.Topic)
		}
	}
	return spec.Nearest(name, names)
}

// allow is the command that grants a right.
func allow(cluster string, s *spec.Spec, operation, resource string) string {
	return strings.Join([]string{"kafka-acls.sh --add --allow-principal", topics.Principal(s.Cluster(cluster)), "--operation", operation, resource}, " ")
}
