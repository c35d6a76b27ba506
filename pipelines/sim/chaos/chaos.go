// Package chaos runs the join of topics on real servers, kills and stalls them while records
// are being published, and audits what comes out.
//
//	input ─► publisher ─► Kafka ─► job on Flink, a worker beside it ─► Kafka ─► follower ─► audit
//	  └────► batch join, held against the truth ───────────────────────────────────────────┘
//
// The audit wants every sample of the batch exactly once and byte for byte, and nothing
// else. After each fault the samples that were due by then must be there before the next
// one comes: the time that takes is the recovery.
//
//	campaign.go    a campaign: faults one after another; schedule.go: which, when; table.go: what came of it
//	input.go       what is published, and its truth; stream.go, schemas.go, foreign.go, partitions.go; publish.go: publishing it
//	system.go      the servers; release.go, submitter.go: builds and commands at work
//	fault.go       kinds of faults; atwork.go: what they meet; inject.go, hanging.go, restart.go, resubmit.go, end.go: how each is done
//	consume.go     following the output, folder.go: where it is a folder; audit.go, truth.go, records.go, final.go: holding it against the batch
package chaos
