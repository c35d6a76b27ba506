package chaos

import (
	"context"
	"math/rand/v2"

	"tributary/testdata/services"
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
		{{Kind: "TaskManager killed", inject: kill("taskmanager.pid"), restarts: true}},
		{{Kind: "JobManager killed", inject: kill("jobmanager.pid"), restarts: true}},
		{{Kind: "job server killed", inject: kill("jobserver.pid")}},
		{{Kind: "worker killed", inject: killWorker, restarts: true}},
		{{Kind: "broker killed", inject: killBroker}},
		{{Kind: "submitter killed", inject: killSubmitter}},
		{
			{Kind: "TaskManager stalled", inject: stallProcess("taskmanager.pid", func(s *System) services.Service { return s.Flink })},
			{Kind: "worker stalled", inject: stallProcess("pid", func(s *System) services.Service { return s.Releases[s.release].Worker })},
			{Kind: "broker stalled", inject: stallProcess("pid", func(s *System) services.Service { return s.Kafka })},
		},
		{{Kind: "checkpoints refused", inject: loseStorage}},
		{{Kind: "Flink lost", inject: loseFlink}},
		{{Kind: "all state lost", inject: loseState}},
		{{Kind: "upgraded", inject: upgrade}},
	}
}
