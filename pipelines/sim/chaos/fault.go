package chaos

import (
	"context"
	"math/rand/v2"
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

// taskManagers are the files with the pids of TaskManagers.
var taskManagers = []string{"taskmanager.pid", "taskmanager2.pid"}

// Kinds lists the kinds of faults in groups: a round of a schedule has one of each group.
func Kinds() [][]Fault {
	return [][]Fault{
		{{Kind: "TaskManager killed", inject: kill(taskManagers...), restarts: true}},
		{{Kind: "JobManager killed", inject: kill("jobmanager.pid"), restarts: true}},
		{{Kind: "job server killed", inject: kill("jobserver.pid")}},
		{{Kind: "worker killed", inject: killWorker, restarts: true}},
		{{Kind: "broker killed", inject: killBroker}},
		{{Kind: "broker away", inject: takeBrokerAway}},
		{{Kind: "submitter killed", inject: killSubmitter}},
		{
			{Kind: "TaskManager stalled", inject: stallProcess(taskManager)},
			{Kind: "worker stalled", inject: stallProcess(worker)},
			{Kind: "broker stalled", inject: stallProcess(broker)},
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

// FolderKinds are those that a folder of samples must survive: the rest of the stream has them in Kinds.
func FolderKinds() [][]Fault {
	return [][]Fault{
		{{Kind: "worker killed", inject: killWorker, restarts: true}},
		{{Kind: "TaskManager killed", inject: kill(taskManagers...), restarts: true}},
		{{Kind: "broker killed", inject: killBroker}},
		{{Kind: "worker stalled", inject: stallProcess(worker)}},
		{{Kind: "Flink lost", inject: loseFlink}},
		{{Kind: "all state lost", inject: loseState}},
		{{Kind: "upgraded", inject: upgrade}},
		{{Kind: "run to the end", inject: stopAndEnd}},
	}
}
