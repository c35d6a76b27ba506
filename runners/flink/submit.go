package flink

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/apache/beam/sdks/v2/go/container/tools"
	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	jobpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/jobmanagement_v1"
	pipepb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/pipeline_v1"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/universal/runnerlib"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// Errors that Submit returns, wrapped in what to do about them.
var (
	ErrNoSlots = errors.New("not enough free slots")
	ErrVersion = errors.New("version not supported")
)

// flinkVersion is that of the Flink API which Beam's runner was built for: jobs of another
// minor version do not load.
const flinkVersion = "1.19."

// Submit starts a pipeline on a cluster and returns once Flink has the job, which is not to
// say that it runs already. The context is for the submission alone.
//
// What can be known beforehand is checked first: that both servers answer, Flink's version,
// that no other job has the name, free slots, and a place for checkpoints. The job outlives
// this process, unless its Go code runs here (no Options.Worker). Close the Job in any case.
func Submit(ctx context.Context, p *beam.Pipeline, o Options) (*Job, error) {
	if err := o.Validate(); err != nil {
		return nil, fmt.Errorf("options of the Flink job: %w", err)
	}
	o = o.withDefaults()
	version, err := Version()
	if err != nil {
		return nil, err
	}
	client, err := NewClient(o.REST)
	if err != nil {
		return nil, err
	}
	if err := o.checkCluster(ctx, client); err != nil {
		return nil, err
	}
	job := &Job{Name: o.Name, client: client}
	tokens, err := readTokens(o.WorkerTokenFile)
	if err != nil {
		return nil, err
	}
	worker, token := o.Worker, ""
	if len(tokens) > 0 {
		token = tokens[0]
	}
	if worker == "" {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("worker pool of this process: %w", err)
		}
		token = newToken() // other users of the machine are not to run code as this one
		job.pool = startPool(listener, version, func() ([]string, error) { return []string{token}, nil }, slog.Default(), unseen())
		worker = job.pool.address()
	}
	pipeline, err := marshal(p, worker, version, token)
	if err == nil {
		err = job.submit(ctx, pipeline, o)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("submit %s: %w", o.Name, err), job.Close())
	}
	return job, nil
}

// checkCluster refuses what would fail on the cluster later and with less clear words. It
// sets StoragePath, if that is to be the cluster's.
func (o *Options) checkCluster(ctx context.Context, client *Client) error {
	overview, err := client.Overview(ctx)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(overview.Version, flinkVersion) {
		return fmt.Errorf("flink at %s is version %s: %w; use %sx, which Beam's runner is made for", client.base, overview.Version, ErrVersion, flinkVersion)
	}
	if err := client.freeName(ctx, o.Name, o.Tied); err != nil {
		return err
	}
	// What was canceled just now gives up its slots a little later.
	for tries := 0; o.Tied && overview.SlotsAvailable < o.Parallelism && tries < 10; tries++ {
		if err := wait(ctx, time.Second/2); err != nil {
			return err
		}
		if overview, err = client.Overview(ctx); err != nil {
			return err
		}
	}
	if overview.SlotsAvailable < o.Parallelism {
		return fmt.Errorf("flink at %s has %d of %d slots free on %d TaskManagers, and parallelism %d needs %d: %w; cancel a job, lower the parallelism or add TaskManagers",
			client.base, overview.SlotsAvailable, overview.Slots, overview.TaskManagers, o.Parallelism, o.Parallelism, ErrNoSlots)
	}
	if o.StoragePath != "" {
		return nil
	}
	config, err := client.Config(ctx)
	if err != nil {
		return err
	}
	for _, key := range []string{"state.checkpoints.dir", "execution.checkpointing.dir"} {
		if o.StoragePath == "" {
			o.StoragePath = config[key]
		}
	}
	if o.StoragePath == "" && o.Checkpoints.Interval > 0 {
		return fmt.Errorf("flink at %s has no state.checkpoints.dir, so checkpoints would be kept in the JobManager's memory, which fails beyond 5 MB: set it there, or give StoragePath", client.base)
	}
	return nil
}

// freeName refuses the name of a job that runs: mostly it is the same pipeline, and two of
// them would fence each other's transactions off for ever. One that is being canceled is
// none. With tied set, it cancels such a job and waits for its end.
func (c *Client) freeName(ctx context.Context, name string, tied bool) error {
	jobs, err := c.Jobs(ctx)
	if err != nil {
		return err
	}
	for _, job := range jobs {
		if job.Name != name || job.State.Ended() || job.State == Canceling && !tied {
			continue
		}
		if !tied {
			return fmt.Errorf("flink at %s has job %s, %s, of the name %s: %w; stop or cancel it first", c.base, job.ID, job.State, name, ErrStillRuns)
		}
		if err := c.Cancel(ctx, job.ID); err != nil {
			return fmt.Errorf("end what a run of %s left that was killed: %w", name, err)
		}
		if _, err := c.Wait(ctx, job.ID, nil); err != nil && !errors.Is(err, ErrJobCanceled) && !errors.Is(err, ErrJobFailed) {
			return err
		}
	}
	return nil
}

// submit hands the pipeline to the job server and waits until Flink has the job.
func (j *Job) submit(ctx context.Context, pipeline *pipepb.Pipeline, o Options) error {
	mark := rand.Text()
	options := map[string]any{}
	bounded := isBounded(pipeline)
	if o.Streaming || !bounded {
		ImpulsesApart(pipeline)
	}
	for name, value := range o.beamOptions(bounded) {
		options["beam:option:"+name+":v1"] = value
	}
	options["beam:option:"+markOption+":v1"] = mark
	pb, err := tools.OptionsToProto(options)
	if err != nil {
		return fmt.Errorf("pipeline options: %w", err)
	}
	conn, err := grpc.NewClient(o.JobServer, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return fmt.Errorf("job server at %s: %w", o.JobServer, err)
	}
	defer conn.Close() //nolint:errcheck // nothing depends on it
	server := jobpb.NewJobServiceClient(conn)
	if err := checkJobServer(ctx, o.JobServer, server); err != nil {
		return err
	}
	prepared, err := server.Prepare(ctx, &jobpb.PrepareJobRequest{Pipeline: pipeline, PipelineOptions: pb, JobName: o.Name})
	if err != nil {
		return jobServerError(o.JobServer, err)
	}
	token := prepared.GetStagingSessionToken()
	if err := stageNothing(ctx, prepared.GetArtifactStagingEndpoint().GetUrl(), token); err != nil {
		return err
	}
	others, err := j.client.ids(ctx)
	if err != nil {
		return err
	}
	j.ID, err = runnerlib.Submit(ctx, server, prepared.GetPreparationId(), token)
	if err != nil {
		return jobServerError(o.JobServer, err)
	}
	if err := j.await(ctx, server, mark, others); err != nil {
		return errors.Join(err, withdraw(ctx, server, j.ID))
	}
	return nil
}

// withdraw cancels a job that nobody would know of.
func withdraw(ctx context.Context, server jobpb.JobServiceClient, id string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancel()
	if _, err := server.Cancel(ctx, &jobpb.CancelJobRequest{JobId: id}); err != nil {
		return fmt.Errorf("cancel job %s at the job server: %w", id, err)
	}
	return nil
}

// stageNothing closes the job's list of files. It is empty, and must be closed all the same.
func stageNothing(ctx context.Context, endpoint, token string) error {
	conn, err := grpc.NewClient(endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return fmt.Errorf("job server's staging service at %s: %w", endpoint, err)
	}
	defer conn.Close() //nolint:errcheck // nothing depends on it
	if err := runnerlib.StageViaPortableAPI(ctx, conn, "", token); err != nil {
		return fmt.Errorf("job server's staging service at %s: %w", endpoint, err)
	}
	return nil
}

func jobServerError(address string, err error) error {
	code := status.Code(err)
	if code == codes.Unavailable || code == codes.DeadlineExceeded {
		return fmt.Errorf("job server at %s does not answer: %w; is Beam's Flink job server up, and is this its job port (8099 by default, not Flink's own 8081)?", address, err)
	}
	if code == codes.Unimplemented {
		return fmt.Errorf("what answers at %s is not Beam's job server: %w", address, err)
	}
	return fmt.Errorf("job server at %s: %w", address, err)
}

// afterEnd is for how long a job is looked for that has ended already at the job server. Flink
// lists its jobs with a delay of some seconds.
const afterEnd = 15 * time.Second

// await waits until Flink has the job that carries the mark, or the job server has failed to
// make one. It is none of the others.
func (j *Job) await(ctx context.Context, server jobpb.JobServiceClient, mark string, others map[string]bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- submissionFailure(ctx, server, j.ID) }()
	var deadline <-chan time.Time
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	answered := time.Now()
	for {
		id, err := j.client.find(ctx, mark, others)
		if err == nil {
			answered = time.Now()
		} else if ctx.Err() != nil || time.Since(answered) > patience {
			return fmt.Errorf("wait for Flink to take job %s: %w", j.ID, err)
		}
		if id != "" {
			j.FlinkID = id
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for Flink to take job %s: %w", j.ID, ctx.Err())
		case <-tick.C:
		case err := <-ended:
			if err != nil {
				return err
			}
			ended, deadline = nil, time.After(afterEnd)
		case <-deadline:
			return fmt.Errorf("job %s has ended at the job server, and Flink at %s does not know it: does the job server submit to another cluster?", j.ID, j.client.base)
		}
	}
}

// submissionFailure follows a job at the job server and returns why it has failed, or nil
// when it ends otherwise or the context does.
func submissionFailure(ctx context.Context, server jobpb.JobServiceClient, id string) error {
	stream, err := server.GetMessageStream(ctx, &jobpb.JobMessagesRequest{JobId: id})
	if err != nil {
		return fmt.Errorf("follow job %s at the job server: %w", id, err)
	}
	var reason string
	for {
		message, err := stream.Recv()
		if ctx.Err() != nil {
			return nil //nolint:nilerr // nobody waits for the reason any more
		}
		switch {
		case errors.Is(err, io.EOF):
			if reason != "" {
				return fmt.Errorf("job server: %s", reason)
			}
			return nil
		case err != nil:
			return fmt.Errorf("follow job %s at the job server: %w", id, err)
		}
		if m := message.GetMessageResponse(); m.GetImportance() >= jobpb.JobMessage_JOB_MESSAGE_ERROR {
			// The first line is the innermost cause, as the job server reports it.
			reason = RootCause(m.GetMessageText())
		}
	}
}
