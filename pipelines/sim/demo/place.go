package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/twmb/franz-go/pkg/kfake"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/source"
	"tributary/pipelines/job/stream"
	"tributary/pipelines/job/topics"
	"tributary/runners/prism"
)

// place is where a join is shown.
type place interface {
	// name says where, for people.
	name() string
	// broker is the address of one, and prefix begins the names of all topics there.
	broker() string
	prefix() string
	// options are those of the join.
	options(stop source.Stop) stream.Options
	// run runs the join until it has read all, and tells when it reads.
	run(ctx context.Context, p *beam.Pipeline, reading func()) error
	// forget removes what Run has created.
	forget(brokers cluster.Config, created []topics.State) error
	close() error
}

func choose(ctx context.Context, opt Options) (place, error) {
	if opt.Real {
		return newServers(ctx, opt)
	}
	return newProcess(opt.Port)
}

// process is this process: a broker in memory, and Beam's Prism runner.
type process struct {
	cluster *kfake.Cluster
}

func newProcess(port int) (*process, error) {
	options := []kfake.Opt{kfake.NumBrokers(1)}
	if port != 0 {
		options = append(options, kfake.Ports(port))
	}
	brokers, err := kfake.NewCluster(options...)
	if err != nil {
		return nil, fmt.Errorf("broker in this process: %w", err)
	}
	return &process{cluster: brokers}, nil
}

func (p *process) name() string   { return "in this process" }
func (p *process) broker() string { return p.cluster.ListenAddrs()[0] }
func (p *process) prefix() string { return "" }

// options let readers pause often and shortly: nobody else waits for the watermark, and
// samples are to be seen as soon as they can be.
func (p *process) options(stop source.Stop) stream.Options {
	return stream.Options{Stop: stop, Drain: true, Readers: prism.Readers, Rest: 100 * time.Millisecond, PollBudget: 300 * time.Millisecond}
}

func (p *process) run(ctx context.Context, pipeline *beam.Pipeline, reading func()) error {
	reading() // in a moment, and the topics keep what comes before
	return prism.Run(ctx, pipeline)
}

// forget has nothing to do: the broker ends with the process.
func (p *process) forget(cluster.Config, []topics.State) error { return nil }

func (p *process) close() error {
	p.cluster.Close()
	return nil
}
