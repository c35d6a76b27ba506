// Package kafkaio reads Kafka topics as batches of raw records and writes to them.
//
// Reading is a function of the logs: what a record's batch says about it depends on the
// records before it in its partition and on nothing else, whichever reader, bundle or
// attempt brings it. Writing exactly once is a function of what was written before: every transaction
// holds, beside its records, what they are, and whoever writes next begins by reading that.
//
// Here are the composites, Read, Write, WriteAtLeastOnce and NoteProgress, and their DoFns, which turn
// bundles into calls of the packages below and count what comes of it:
//
//	kafkaio  ->  source     readers: offset ranges, batches, the watermark, idleness, truncated logs
//	         ->  sink       writers: transactions a shard, messages at least once, recovery
//	source   ->  timeindex  where in a log an event time is, noted while reading, for a restart from the log
//	         ->  registry   schemas by the ids that records bring
//	sink     ->  commitlog  what a sink has written, by shard: records, their encoding, compaction, progress
//	all      ->  cluster    how to reach a cluster, and what any client asks of it
//
// No package imports one above it. Tests share io/kafkaio/internal/kafkatest.
package kafkaio
