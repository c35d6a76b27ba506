// Package chaos runs the join of topics on real servers, kills and stalls them while records
// are being published, and audits what comes out.
//
//	input ─► publisher ─► Kafka ─► job on Flink, a worker beside it ─► Kafka ─► follower ─► audit
//	  └────► batch join, held against the truth ───────────────────────────────────────────┘
//
// The audit wants every sample of the batch exactly once and byte for byte, and nothing
// else. After each fault the samples that were due by then must be there before the next
// one comes: the time that takes is the recovery.
package chaos
