package sink

import (
	"errors"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"

	"tributary/io/kafkaio/commitlog"
)

// ErrFenced is returned when a shard's producer has been fenced off by another one, or its
// transaction outlived its timeout: brokers do not tell these apart. Trying the bundle
// again is safe, but whether this process is the one to do so only the runner knows.
var ErrFenced = errors.New("fenced: the shard is not this writer's any more, or its transaction outlived its timeout")

// fencedBy are the broker's answers to a producer whose epoch is not the newest, and the
// commit log's to one whose fencing epoch is not. Versions
// differ in which they give: a late commit is INVALID_TXN_STATE, a late produce
// INVALID_PRODUCER_EPOCH, and either may be PRODUCER_FENCED.
var fencedBy = []error{
	kerr.ProducerFenced,
	kerr.InvalidProducerEpoch,
	kerr.InvalidTxnState,
	kerr.TransactionCoordinatorFenced,
	commitlog.ErrRecovered,
}

// refusedBy are answers that another attempt does not change: the records or the
// rights are not as the broker wants them.
var refusedBy = []error{
	ErrCommitLogLost,
	commitlog.ErrExpired,
	commitlog.ErrUnfit,
	kerr.InvalidRecord,
	kerr.InvalidTimestamp,
	kerr.CorruptMessage,
	kerr.UnsupportedForMessageFormat,
	kerr.UnsupportedCompressionType,
	kerr.PolicyViolation,
	kerr.TopicAuthorizationFailed,
	kerr.ClusterAuthorizationFailed,
	kerr.TransactionalIDAuthorizationFailed,
	kerr.SaslAuthenticationFailed,
	kerr.InvalidTransactionTimeout,
}

// classify tells the step that an error asks for. What is not known is tried again: that is
// safe whatever became of the transaction, because it begins with reading the commit log.
func classify(err error) step {
	is := func(target error) bool { return errors.Is(err, target) }
	switch {
	case slices.ContainsFunc(fencedBy, is):
		return stepYield
	case slices.ContainsFunc(refusedBy, is):
		return stepFail
	default:
		return stepAgain
	}
}
