package chaos

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"tributary/runners/devcluster/services"
)

// Release is a build of the command, and the workers that run it, one for each TaskManager.
type Release struct {
	Binary  string
	Workers [2]services.Service
	// health is where each of them says how it is.
	health [2]string
	// Address is where a worker takes jobs, to a TaskManager and what is on its machine.
	Address string
}

// NewRelease builds the command from a source tree, unless dir has it, under a name and starts its workers.
// Binaries of two names are two versions: their build tags differ, and what is built from no
// known commit is told apart by its bytes.
func NewRelease(ctx context.Context, source, dir, name string) (*Release, error) {
	dir = filepath.Join(dir, name)
	r := &Release{Binary: filepath.Join(dir, "tributary")}
	// With the flags of `go test`, whose cache then has all packages.
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-ldflags=-s -w", "-tags", name, "-o", r.Binary, "tributary/pipelines/tributary")
	build.Dir = source
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build release %s: %w: %s", name, err, out)
	}
	port := 0
	for i, host := range []string{"127.0.0.1", "127.0.0.2"} {
		w := &r.Workers[i]
		*w = services.Service{
			Name: "worker", Data: filepath.Join(dir, fmt.Sprintf("worker%d", i+1)), Port: port,
			Env: []string{"TRIBUTARY=" + r.Binary, "WORKER_HOST=" + host}, Log: os.Stderr, Owned: true,
		}
		address, err := w.Start(ctx)
		if err != nil {
			return nil, err
		}
		r.health[i] = address.Part("health")
		_, text, err := net.SplitHostPort(address.Part("listen"))
		if err != nil {
			return nil, err
		}
		if port, err = strconv.Atoi(text); err != nil {
			return nil, err
		}
	}
	r.Address = net.JoinHostPort("localhost", strconv.Itoa(port))
	return r, nil
}
