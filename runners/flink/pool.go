package flink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"

	"github.com/apache/beam/sdks/v2/go/container/tools"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/runtime/harness"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/util/hooks"
	fnpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/fnexecution_v1"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/util/grpcx"
	"google.golang.org/grpc"
)

// pool is Beam's external worker pool: a runner asks it for workers, each of which is a
// harness in this process that serves one runner's bundles until their connection ends.
//
// The SDK has such a pool as well, made for tests. This one differs in that it listens where
// it is told; in that it refuses a job of another binary; and in that it knows a worker by
// its runner's address too: runners number their workers from 1-1 on, so a TaskManager that
// replaces a killed one asks for the same ids while the dead one's are still there, and so do
// two TaskManagers that share a pool.
type pool struct {
	fnpb.UnimplementedBeamFnExternalWorkerPoolServer

	version string
	// tokens are those that jobs may prove to know; none for no proof.
	tokens   func() ([]string, error)
	log      *slog.Logger
	meter    *Meter
	listener net.Listener
	server   *grpc.Server
	served   chan struct{} // closed when server has ended

	// run serves a runner until its connection or the context ends.
	run func(ctx context.Context, request *fnpb.StartWorkerRequest) error

	root   context.Context // of all workers; ends when the pool stops
	cancel context.CancelFunc
	mu     sync.Mutex
	live   map[workerKey]context.CancelFunc
	ended  sync.WaitGroup
}

// noEndpoint is what is wrong with a request that asks whether a job would be taken.
const noEndpoint = "the runner names no control or no logging endpoint"

type workerKey struct{ id, control string }

var keepLogs sync.Once

// startPool serves a listener until stop.
func startPool(listener net.Listener, version string, tokens func() ([]string, error), log *slog.Logger, m *Meter) *pool {
	// Beam sends what this process logs to the runner that came last, whichever job wrote it.
	keepLogs.Do(func() {
		hooks.DisableHook(harness.DefaultRemoteLoggingHook)
		hooks.SerializeHooksToOptions() // a harness warns where this was not done
	})
	root, cancel := context.WithCancel(context.Background())
	p := &pool{
		version: version, tokens: tokens, log: log, meter: m, listener: listener, server: grpc.NewServer(), served: make(chan struct{}),
		run: serveRunner, root: root, cancel: cancel, live: map[workerKey]context.CancelFunc{},
	}
	fnpb.RegisterBeamFnExternalWorkerPoolServer(p.server, p)
	go func() {
		defer close(p.served)
		if err := p.server.Serve(listener); err != nil {
			p.log.Error("worker pool ended", "error", err)
		}
	}()
	return p
}

func serveRunner(ctx context.Context, r *fnpb.StartWorkerRequest) error {
	var options harness.Options
	if provision := r.GetProvisionEndpoint().GetUrl(); provision != "" {
		info, err := tools.ProvisionInfo(ctx, provision)
		if err != nil {
			return fmt.Errorf("what the runner can do, from %s: %w", provision, err)
		}
		options.StatusEndpoint = info.GetStatusEndpoint().GetUrl()
		options.RunnerCapabilities = info.GetRunnerCapabilities()
	}
	return harness.MainWithOptions(ctx, r.GetLoggingEndpoint().GetUrl(), r.GetControlEndpoint().GetUrl(), options)
}

func (p *pool) address() string { return p.listener.Addr().String() }

// StartWorker starts a worker for a runner, or tells it why not: the job then fails with
// these words.
func (p *pool) StartWorker(_ context.Context, r *fnpb.StartWorkerRequest) (*fnpb.StartWorkerResponse, error) {
	if err := p.start(r); err != nil {
		p.log.Warn("worker refused", "worker", r.GetWorkerId(), "reason", err)
		p.meter.Refused.Inc()
		return &fnpb.StartWorkerResponse{Error: err.Error()}, nil
	}
	return &fnpb.StartWorkerResponse{}, nil
}

func (p *pool) start(r *fnpb.StartWorkerRequest) error {
	switch submitted := r.GetParams()[versionParam]; {
	case submitted == "":
		return fmt.Errorf("worker pool at %s: the job does not say which binary submitted it; submit it with the binary that runs here (version %s)", p.address(), p.version)
	case submitted != p.version:
		return fmt.Errorf("worker pool at %s: the job was submitted by version %s of the binary, and this is version %s; run the same one in both places", p.address(), submitted, p.version)
	}
	tokens, err := p.tokens()
	if err == nil && tokens != nil {
		err = prove(r.GetParams()[proofParam], p.version, tokens)
	}
	if err != nil {
		return fmt.Errorf("worker pool at %s: %w", p.address(), err)
	}
	if r.GetControlEndpoint().GetUrl() == "" || r.GetLoggingEndpoint().GetUrl() == "" {
		return fmt.Errorf("worker pool at %s: %s for worker %q", p.address(), noEndpoint, r.GetWorkerId())
	}
	if r.GetControlEndpoint().GetAuthentication() != nil {
		return fmt.Errorf("worker pool at %s: the runner asks for authentication at %s, which Beam's harness does not support", p.address(), r.GetControlEndpoint().GetUrl())
	}
	key := workerKey{r.GetWorkerId(), r.GetControlEndpoint().GetUrl()}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.root.Err() != nil {
		return fmt.Errorf("worker pool at %s is shutting down", p.address())
	}
	if _, ok := p.live[key]; ok {
		return fmt.Errorf("worker pool at %s: worker %q of %s runs already", p.address(), key.id, key.control)
	}
	ctx, cancel := context.WithCancel(grpcx.WriteWorkerID(p.root, key.id))
	p.live[key] = cancel
	p.meter.Started.Inc()
	p.meter.Harnesses.Inc()
	p.log.Info("worker started", "worker", key.id, "runner", key.control)
	p.ended.Go(func() {
		defer cancel()
		err := p.run(ctx, r)
		p.mu.Lock()
		delete(p.live, key)
		p.mu.Unlock()
		p.meter.Harnesses.Dec()
		if err != nil && ctx.Err() == nil {
			p.meter.Failed.Inc()
			p.log.Error("worker failed", "worker", key.id, "runner", key.control, "error", err)
			return
		}
		p.log.Info("worker ended", "worker", key.id, "runner", key.control)
	})
	return nil
}

// StopWorker ends a worker. The request names no runner: of several workers with the id,
// each ends by itself when its runner hangs up.
func (p *pool) StopWorker(_ context.Context, r *fnpb.StopWorkerRequest) (*fnpb.StopWorkerResponse, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []context.CancelFunc
	for key, cancel := range p.live {
		if key.id == r.GetWorkerId() {
			found = append(found, cancel)
		}
	}
	if len(found) == 1 {
		found[0]()
	}
	return &fnpb.StopWorkerResponse{}, nil
}

var errStillRunning = errors.New("workers are still running")

// stop ends the pool and its workers, and waits for them as long as the context lets it.
func (p *pool) stop(ctx context.Context) error {
	p.mu.Lock() // no worker starts after this
	p.cancel()
	p.mu.Unlock()
	p.server.Stop()
	<-p.served
	done := make(chan struct{})
	go func() {
		p.ended.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop the worker pool at %s: %w", p.address(), errStillRunning)
	}
}
