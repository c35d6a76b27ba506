package chaos

import (
	"context"
	"math/rand/v2"
	"slices"
)

// Fault is something that happens to a running system. What has died is back when inject
// returns; whether the job goes on is for others to see.
type Fault struct {
	Kind   string
	inject func(ctx context.Context, s *System, random *rand.Rand) error
	// restarts says that the job cannot live through it: it must restart, though it may go on for
	// some seconds before it does.
	restarts bool
}

// Kinds lists the kinds of faults in groups: a round of a schedule has one of each group.
func Kinds() [][]Fault {
	return [][]Fault{
		{{Kind: "TaskManager killed", inject: killTaskManager, restarts: true}},
		{{Kind: "JobManager killed", inject: kill("jobmanager.pid"), restarts: true}},
		{{Kind: "job server killed", inject: kill("jobserver.pid")}},
		{{Kind: "worker killed", inject: killWorker, restarts: true}},
		{{Kind: "broker killed", inject: killBroker}},
		{{Kind: "broker away", inject: takeBrokerAway}},
		{{Kind: "submitter killed", inject: killSubmitter}},
		{
			{Kind: "TaskManager stalled", inject: stallTaskManager},
			{Kind: "worker stalled", inject: stallWorker},
			{Kind: "broker stalled", inject: stallBroker},
		},
		{{Kind: "checkpoints refused", inject: loseStorage}},
		{{Kind: "Flink lost", inject: loseFlink}},
		{{Kind: "all state lost", inject: loseState}},
		{{Kind: "upgraded", inject: upgrade}, {Kind: "upgraded beside a newer schema", inject: upgradeBesideSchema}},
		{{Kind: "run to the end", inject: stopAndEnd}},
		{{Kind: "spec changed", inject: changeSpec}},
		{{Kind: "partitions added", inject: addPartitions}},
		{{Kind: "partitions added while stopped", inject: addPartitionsStopped}},
		{{Kind: "clocks wrong", inject: putWrongClocks}},
		{{Kind: "poison", inject: putPoison}},
	}
}

// StageKinds are those that a stream with stages must survive: all but wrong clocks, which make records late for an early stage
// that are not late for the whole join.
func StageKinds() [][]Fault {
	return slices.DeleteFunc(Kinds(), func(group []Fault) bool { return group[0].Kind == "clocks wrong" })
}

// FolderKinds are those that a folder of samples must survive: the rest of the stream has them in Kinds.
func FolderKinds() [][]Fault {
	return [][]Fault{
		{{Kind: "worker killed", inject: killWorker, restarts: true}},
		{{Kind: "TaskManager killed", inject: killTaskManager, restarts: true}},
		{{Kind: "broker killed", inject: killBroker}},
		{{Kind: "worker stalled", inject: stallWorker}},
		{{Kind: "Flink lost", inject: loseFlink}},
		{{Kind: "all state lost", inject: loseState}},
		{{Kind: "upgraded", inject: upgrade}},
		{{Kind: "run to the end", inject: stopAndEnd}},
	}
}
