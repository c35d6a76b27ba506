package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/twmb/franz-go/pkg/kadm"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/source"
	"tributary/pipelines/job/stream"
	"tributary/pipelines/job/topics"
	"tributary/runners/devcluster"
	"tributary/runners/flink"
)

// servers are real ones on this machine: Kafka, Flink and a worker.
type servers struct {
	kafka  string
	flink  flink.Options
	stamp  string // of this run, in the names of topics
	screen func(format string, args ...any)
}

const (
	// submitTime is for how long a job is submitted: over a minute on a busy machine.
	submitTime = 3 * time.Minute
	// tidyTime bounds what is put in order after the end.
	tidyTime = 30 * time.Second
)

// newServers starts what of the cluster does not run.
func newServers(ctx context.Context, opt Options) (*servers, error) {
	dir := opt.Cluster
	if dir == "" {
		var err error
		if dir, err = devcluster.DefaultDir(); err != nil {
			return nil, err
		}
	}
	_, _ = fmt.Fprintf(opt.Log, "Kafka and Flink in %s: starting what does not run\n", dir)
	parts, err := devcluster.Up(ctx, dir, opt.Log)
	if err != nil {
		return nil, err
	}
	addresses := map[string]string{}
	for _, part := range parts {
		addresses[part.Name] = part.Address
	}
	stamp := time.Now().UTC().Format("20060102-150405.000")
	return &servers{
		kafka: addresses["kafka"], stamp: stamp,
		flink: flink.Options{
			REST: addresses["flink"], JobServer: addresses["job server"], Worker: addresses["worker"],
			Name: "demo-" + stamp, Parallelism: 2, Checkpoints: flink.Checkpoints{Interval: 2 * time.Second},
		},
		screen: func(format string, args ...any) { _, _ = fmt.Fprintf(opt.Log, format+"\n", args...) },
	}, nil
}

func (s *servers) name() string   { return "on Kafka and Flink" }
func (s *servers) broker() string { return s.kafka }
func (s *servers) prefix() string { return "demo-" + s.stamp + "." }

func (s *servers) options(stop source.Stop) stream.Options {
	return stream.Options{Stop: stop, Drain: true}
}

func (s *servers) run(ctx context.Context, p *beam.Pipeline, reading func()) error {
	// Flink starts a job that was half submitted, and then nobody knows its id: an interrupt
	// has to wait until it can be canceled.
	submitting, submitted := context.WithTimeout(context.WithoutCancel(ctx), submitTime)
	defer submitted()
	defer context.AfterFunc(ctx, func() { s.screen("ending the job") })()
	job, err := flink.Submit(submitting, p, s.flink)
	if err != nil {
		return err
	}
	s.screen("job %s: %s", job.FlinkID, job.URL())
	told := false
	_, err = job.WaitExhausted(ctx, func(status flink.Status) {
		// A job is RUNNING long before its tasks are.
		if !told && status.Tasks > 0 && status.TasksRunning == status.Tasks {
			told = true
			reading()
		}
	})
	if err == nil {
		return nil
	}
	return errors.Join(err, end(context.WithoutCancel(ctx), job))
}

// end cancels a job that has not ended, and waits until it has: its topics go next, and it
// would start again and again without them.
func end(ctx context.Context, job *flink.Job) error {
	ctx, cancel := context.WithTimeout(ctx, tidyTime)
	defer cancel()
	status, err := job.Status(ctx)
	if err == nil && !status.State.Ended() {
		if err = job.Cancel(ctx); err == nil {
			_, err = job.Wait(ctx, nil)
		}
	}
	if errors.Is(err, flink.ErrJobCanceled) {
		return nil
	}
	return err
}

// forget deletes the topics.
func (s *servers) forget(c cluster.Config, created []topics.State) error {
	ctx, cancel := context.WithTimeout(context.Background(), tidyTime)
	defer cancel()
	client, err := c.Connect(ctx)
	if err != nil {
		return fmt.Errorf("delete the topics of the demonstration: %w", err)
	}
	defer client.Close()
	var names []string
	for _, state := range created {
		if state.Status == topics.Created {
			names = append(names, state.Name)
		}
	}
	deleted, err := kadm.NewClient(client).DeleteTopics(ctx, names...)
	if err == nil {
		err = deleted.Error()
	}
	if err != nil {
		return fmt.Errorf("delete the topics of the demonstration: %w", err)
	}
	return nil
}

// close leaves the servers running: starting them is what takes time.
func (s *servers) close() error { return nil }
