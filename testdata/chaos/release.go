package chaos

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"tributary/testdata/services"
)

// Release is a build of the command, and the worker pool that runs it.
type Release struct {
	Binary string
	Worker services.Service
	// Address is where its worker takes jobs.
	Address string
}

// NewRelease builds the command, unless dir has it, under a name and starts its worker.
// Binaries of two names are two versions: their build tags differ, and what is built from no
// known commit is told apart by its bytes.
func NewRelease(ctx context.Context, dir, name string) (*Release, error) {
	dir = filepath.Join(dir, name)
	r := &Release{Binary: filepath.Join(dir, "tributary")}
	// With the flags of `go test`, whose cache then has all packages.
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-ldflags=-s -w", "-tags", name, "-o", r.Binary, "tributary/pipelines/tributary")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build release %s: %w: %s", name, err, out)
	}
	r.Worker = services.Service{
		Name: "worker", Data: filepath.Join(dir, "worker"), Env: []string{"TRIBUTARY=" + r.Binary}, Log: os.Stderr, Owned: true,
	}
	address, err := r.Worker.Start(ctx)
	r.Address = address.Part("listen")
	return r, err
}
