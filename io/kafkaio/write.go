package kafkaio

import (
	"fmt"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"tributary/io/kafkaio/sink"
)

// Write writes groups of records to a topic, each exactly once, and acknowledges them.
//
// Input: a PCollection<Group> in the global window. The groups of a shard must come
// from one place at a time, as they do behind a GroupByKey on the shard; the parts of a
// group come in order in one bundle. Anything else is an error. Records with a
// key go to the partition that Java clients choose for it (murmur2).
// Output: committed, a PCollection<Committed> with the event time of the group's last part,
// one for each group, after it was committed or found to be; refused, a PCollection<Refused>
// of the records that were left out of their groups because the topic does not take any as
// large, at least once each.
//
// Delivery: the groups that a bundle has for a shard are written in one transaction
// (several, if they are large), and with them a record each in the commit log topic. A group
// that the commit log has with the same content is skipped, so replays are harmless; with other
// content it is written anew as the next version (see VersionHeader). A consumer that
// reads committed records sees each version of a group whole or not at all, and once. A
// writer that was left behind somewhere is fenced off when the shard's next one opens.
//
// A group of more than TransactionBytes, or 200,000 records, is written in several transactions,
// each with a record in the commit log of how far it has come, so that whoever goes on writes the
// rest. A consumer sees such a group grow, each record still once, and whole when its last
// transaction is committed. If its content changes in between, the next version begins with its
// first record, and the one before stays as far as it came.
//
// Work splits by shard: one transactional producer each, kept over bundles and closed after
// five minutes of rest. Memory, for each shard: the groups of a bundle, or 32 MiB of complete
// ones plus those at hand, whichever is less, some 300 bytes for each record of a transaction,
// and the commit log, about 60 bytes a group kept.
//
// Abort: a bundle whose context has an error begins no transaction. So a runner that must not have
// anything committed after a failure gives the contexts of all bundles one.
//
// Failure: what may pass is tried up to five times, each time from the commit log. Then, or if
// the writer is fenced (ErrFenced), the commit log is lost (ErrCommitLogLost), a group is too old
// for it (ErrExpired) or a record is refused for another reason, the bundle fails; trying it
// again is safe.
//
// Write panics while the pipeline is built if w is invalid.
func Write(s beam.Scope, w sink.Config, groups beam.PCollection) (committed, refused beam.PCollection) {
	if err := w.Validate(); err != nil {
		panic(fmt.Errorf("kafkaio.Write: %w", err))
	}
	return beam.ParDo2(s.Scope("kafkaio.Write"), &writeFn{Config: w}, groups)
}
