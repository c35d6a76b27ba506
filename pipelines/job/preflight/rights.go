package preflight

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tributary/pipelines/job/topics"
	"tributary/pipelines/spec"
)

// rights asks what this user may do with each topic and with the group. Brokers tell that
// of oneself without any right to look at access lists.
func (c *checker) rights(ctx context.Context, cl *kgo.Client, cluster *spec.Cluster) []Finding {
	req := kmsg.NewPtrMetadataRequest()
	req.IncludeTopicAuthorizedOperations = true
	needed := map[string]topics.Topic{}
	for _, t := range topics.Needed(c.spec) {
		if t.Cluster == cluster.Name {
			needed[t.Name] = t
			topic := kmsg.NewMetadataRequestTopic()
			topic.Topic = kmsg.StringPtr(t.Name)
			req.Topics = append(req.Topics, topic)
		}
	}
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return []Finding{{Status: Problem, Detail: reason(ctx, err), Fix: "the broker answers, but not to this: see its log"}}
	}
	var out []Finding
	for _, t := range resp.Topics {
		if t.Topic == nil || t.ErrorCode != 0 {
			continue // missing or not to be seen, which the topic's own step says
		}
		for _, op := range operations(needed[*t.Topic]) {
			if !allowed(t.AuthorizedOperations, op) {
				verb := map[kmsg.ACLOperation]string{kmsg.ACLOperationRead: "Read", kmsg.ACLOperationWrite: "Write"}[op]
				out = append(out, Finding{
					"rights", *t.Topic, Problem, fmt.Sprintf("%s: %s is not allowed", needed[*t.Topic].Role, strings.ToLower(verb)),
					allow(cluster.Name, c.spec, verb, "--topic "+*t.Topic),
				})
			}
		}
	}
	out = append(out, c.groupRight(ctx, cl, cluster)...)
	if len(out) == 0 {
		out = append(out, Finding{Status: OK, Detail: "topics and group may be read and written as needed"})
	}
	return out
}

// operations are what the job does with a topic. What is compacted it reads again when
// it starts again, or when it is reported on.
func operations(t topics.Topic) []kmsg.ACLOperation {
	switch {
	case !t.Output:
		return []kmsg.ACLOperation{kmsg.ACLOperationRead}
	case t.Compacted:
		return []kmsg.ACLOperation{kmsg.ACLOperationRead, kmsg.ACLOperationWrite}
	}
	return []kmsg.ACLOperation{kmsg.ACLOperationWrite}
}

// allowed reads a broker's answer; one that it does not give allows everything.
func allowed(operations int32, op kmsg.ACLOperation) bool {
	return operations == math.MinInt32 || operations&(1<<uint(op)) != 0
}

// groupRight: offsets are committed for tools that show lag, so a right that is missing
// stops nothing.
func (c *checker) groupRight(ctx context.Context, cl *kgo.Client, cluster *spec.Cluster) []Finding {
	if !slices.ContainsFunc(c.spec.Inputs(), func(in spec.Input) bool { return in.Cluster == cluster.Name }) {
		return nil
	}
	group := c.spec.Stream.Group
	req := kmsg.NewPtrDescribeGroupsRequest()
	req.Groups, req.IncludeAuthorizedOperations = []string{group}, true
	resp, err := req.RequestWith(ctx, cl)
	denied := err != nil && errors.Is(err, kerr.GroupAuthorizationFailed)
	if err == nil && len(resp.Groups) == 1 {
		g := resp.Groups[0]
		denied = errors.Is(kerr.ErrorForCode(g.ErrorCode), kerr.GroupAuthorizationFailed) || g.ErrorCode == 0 && !allowed(g.AuthorizedOperations, kmsg.ACLOperationRead)
	}
	if !denied {
		return nil
	}
	return []Finding{{
		"rights", group, Warning, "offsets cannot be committed to this group, so tools will show no lag",
		allow(cluster.Name, c.spec, "Read", "--group "+group),
	}}
}

// transactions opens a producer with an id like those of the job, but of its own: one of
// the job's would put an end to a job that runs.
func (c *checker) transactions(ctx context.Context, cl *kgo.Client, cluster *spec.Cluster) []Finding {
	st := c.spec.Stream
	id := st.Name + "-check"
	req := kmsg.NewPtrInitProducerIDRequest()
	req.TransactionalID = kmsg.StringPtr(id)
	req.TransactionTimeoutMillis = int32(st.TransactionTimeout.Milliseconds())
	err := c.initProducerID(ctx, cl, req)
	timeout := spec.FormatDuration(st.TransactionTimeout)
	var out []Finding
	switch {
	case err == nil:
		out = append(out, Finding{Target: id, Status: OK, Detail: "transactions of up to " + timeout + " are taken"})
	case errors.Is(err, kerr.TransactionalIDAuthorizationFailed):
		out = append(out, Finding{
			Target: id, Status: Problem, Detail: "transactional ids that begin with " + st.Name + "- are not allowed",
			Fix: allow(cluster.Name, c.spec, "Write", "--transactional-id "+st.Name+"- --resource-pattern-type prefixed"),
		})
	case errors.Is(err, kerr.InvalidTransactionTimeout):
		out = append(out, Finding{
			Target: id, Status: Problem, Detail: "the broker takes no transaction timeout of " + timeout,
			Fix: "set stream.transaction_timeout to " + maxTimeout(ctx, cl) + ", or raise transaction.max.timeout.ms of the brokers",
		})
	default:
		out = append(out, Finding{
			Target: id, Status: Problem, Detail: reason(ctx, err),
			Fix: "the transaction coordinator does not answer: transaction.state.log.replication.factor and .min.isr may be more than there are brokers",
		})
	}
	return append(out, c.transactionVersion(ctx, cl)...)
}

// initProducerID asks for half of the step's time at most, so that the step can say what came of
// it: a coordinator that a broker has just become loads its log first, and says so.
func (c *checker) initProducerID(ctx context.Context, cl *kgo.Client, req *kmsg.InitProducerIDRequest) error {
	const pause = 100 * time.Millisecond
	for deadline := time.Now().Add(c.targets.Timeout / 2); ; {
		resp, err := req.RequestWith(ctx, cl)
		if err == nil {
			err = kerr.ErrorForCode(resp.ErrorCode)
		}
		if !kerr.IsRetriable(err) || time.Now().Add(pause).After(deadline) {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return err
		}
	}
}

// maxTimeout is the broker's longest transaction timeout, as a spec writes it.
func maxTimeout(ctx context.Context, cl *kgo.Client) string {
	const least = "at most transaction.max.timeout.ms of the brokers"
	admin := kadm.NewClient(cl)
	brokers, err := admin.ListBrokers(ctx)
	if err != nil || len(brokers) == 0 {
		return least
	}
	configs, err := admin.DescribeBrokerConfigs(ctx, brokers[0].NodeID)
	if err != nil {
		return least
	}
	for _, r := range configs {
		for _, config := range r.Configs {
			if config.Key == "transaction.max.timeout.ms" {
				if ms, err := strconv.ParseInt(config.MaybeValue(), 10, 64); err == nil {
					return "at most " + milliseconds(ms)
				}
			}
		}
	}
	return least
}

// transactionVersion: from version 2 on, each transaction has its own epoch, and a
// request that was delayed cannot reach into the next one.
func (c *checker) transactionVersion(ctx context.Context, cl *kgo.Client) []Finding {
	const step = "transaction.version"
	versions, err := kadm.NewClient(cl).ApiVersions(ctx)
	if err != nil {
		return []Finding{{Step: step, Status: Warning, Detail: reason(ctx, err), Fix: "see the broker's log"}}
	}
	lowest := int16(math.MaxInt16)
	for _, v := range versions {
		level := int16(0)
		if v.Err == nil {
			for _, f := range v.Raw().FinalizedFeatures {
				if f.Name == step {
					level = f.MaxVersionLevel
				}
			}
		}
		lowest = min(lowest, level)
	}
	if lowest >= 2 {
		return []Finding{{Step: step, Status: OK, Detail: strconv.Itoa(int(lowest))}}
	}
	return []Finding{{
		Step: step, Status: Warning, Detail: fmt.Sprintf("%d: a delayed request of a dead worker may reach into the next transaction", lowest),
		Fix: "with brokers of 4.0 or newer: kafka-features.sh upgrade --feature transaction.version=2",
	}}
}
