// Package devcluster runs Kafka, Flink with Beam's job server, and a worker on this machine, for
// trying joins of streams out.
package devcluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"tributary/runners/devcluster/services"
	"tributary/runners/flink"
)

// Part is one server of a cluster.
type Part struct {
	Name    string         `json:"name"`
	State   services.State `json:"state"`
	Address string         `json:"address,omitempty"`
	Log     string         `json:"log"` // file or folder
}

// DefaultDir is where a cluster is kept unless it is told otherwise.
func DefaultDir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("folder of the cluster: %w", err)
	}
	return filepath.Join(cache, "tributary", "cluster"), nil
}

// Up starts what does not run yet and waits until all of it answers; the first time, it
// fetches the servers from package registries. A worker of another version of this binary is
// replaced. The cluster stays up until Down; what is in it stays in dir. log is told what
// takes time.
func Up(ctx context.Context, dir string, log io.Writer) ([]Part, error) {
	version, err := flink.Version()
	if err != nil {
		return nil, err
	}
	var servers errgroup.Group
	for _, name := range []string{"kafka", "flink"} {
		s, err := service(dir, name, log)
		if err != nil {
			return nil, err
		}
		servers.Go(func() error {
			_, err := s.Start(ctx)
			return err
		})
	}
	if err := servers.Wait(); err != nil {
		return nil, err
	}
	worker, err := service(dir, "worker", log)
	if err != nil {
		return nil, err
	}
	if _, address, err := worker.Status(ctx); err != nil {
		return nil, err
	} else if address != "" && !runs(ctx, address.Part("health"), version) {
		if err := worker.Stop(ctx); err != nil {
			return nil, err
		}
	}
	if _, err := worker.Start(ctx); err != nil {
		return nil, err
	}
	return Status(ctx, dir)
}

// runs tells whether a worker is of the version.
func runs(ctx context.Context, health, version string) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+health+"/healthz", http.NoBody)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(resp.Body)
	return err == nil && strings.TrimSpace(string(text)) == "ok "+version
}

// Down stops all of a cluster. Its data stays, and Up brings it back at the same addresses;
// Flink's jobs are gone.
func Down(ctx context.Context, dir string) error {
	var errs []error
	for _, name := range names() {
		s, err := service(dir, name, nil)
		if err != nil {
			return err
		}
		errs = append(errs, s.Stop(ctx))
	}
	return errors.Join(errs...)
}

// Status tells what of a cluster runs, and where.
func Status(ctx context.Context, dir string) ([]Part, error) {
	var parts []Part
	for _, name := range names() {
		s, err := service(dir, name, nil)
		if err != nil {
			return nil, err
		}
		state, address, err := s.Status(ctx)
		if err != nil {
			return nil, err
		}
		part := func(name, address, log string) {
			parts = append(parts, Part{Name: name, State: state, Address: address, Log: filepath.Join(s.Data, log)})
		}
		switch name {
		case "kafka":
			part("kafka", string(address), "log")
		case "flink":
			part("flink", address.Part("rest"), "jobmanager.log")
			part("job server", address.Part("jobserver"), "jobserver.log")
		case "worker":
			part("worker", address.Part("listen"), "log")
			part("worker health", address.Part("health"), "log")
		}
	}
	return parts, nil
}

// names are the services of a cluster, those first that use others.
func names() []string { return []string{"worker", "flink", "kafka"} }

func service(dir, name string, log io.Writer) (services.Service, error) {
	binary, err := os.Executable()
	if err != nil {
		return services.Service{}, fmt.Errorf("find this binary, for a worker: %w", err)
	}
	return services.Service{
		Name: name, Data: filepath.Join(dir, name), Log: log, Env: []string{"TRIBUTARY=" + binary},
	}, nil
}
