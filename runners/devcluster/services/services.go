// Package services runs the real servers that tributary works with, each by its script, on
// 127.0.0.1, without containers and without root. The scripts are part of the binary, so an
// installed command can start a cluster as well as a test can.
//
// What a script fetches comes from package registries alone, stays in the user's cache, and is
// fetched once however many processes ask for it.
package services

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

//go:embed *.sh *.lock.json
var scripts embed.FS

// Names lists the services there are; readers, serializers and spark are programs to be run, not servers.
func Names() []string {
	return []string{"azure", "flink", "gcs", "kafka", "readers", "registry", "s3", "serializers", "spark", "worker"}
}

// Service is one server with its data directory, which holds its logs, pid, ports and
// settings as well: a server that is started again has its old address and data.
type Service struct {
	Name string    // one of Names
	Data string    // its directory; made by Start
	Port int       // first of its ports, when the directory is new; 0: any free ones
	Env  []string  // for the script, `NAME=value`: what the head of a script asks for
	Log  io.Writer // what the script has to tell, like download errors; nil: nowhere

	// Owned stops the server when this process ends, however it ends. Without it the server
	// stays until Stop or Kill.
	Owned bool
}

// State is what Status found.
type State string

// States of a service.
const (
	Stopped  State = "stopped"
	Starting State = "starting" // its process is there, but does not answer yet
	Running  State = "running"
)

// Install fetches what the service needs: a minute or two the first time, nothing later.
func (s Service) Install(ctx context.Context) error {
	_, err := s.run(ctx, "install")
	return err
}

// Start installs and starts the service, waits until it answers and returns its address. A
// service that runs already is left alone.
func (s Service) Start(ctx context.Context) (Address, error) {
	args := []string{"start"}
	if s.Port != 0 {
		args = append(args, "--port", strconv.Itoa(s.Port))
	}
	if s.Owned {
		args = append(args, "--owner", strconv.Itoa(os.Getpid()))
	}
	out, err := s.run(ctx, args...)
	return Address(out), err
}

// Stop ends the service in an orderly way. One that does not run is fine.
func (s Service) Stop(ctx context.Context) error {
	_, err := s.run(ctx, "stop")
	return err
}

// Kill ends the service as a crash would, with no time to put anything in order.
func (s Service) Kill(ctx context.Context) error {
	_, err := s.run(ctx, "kill")
	return err
}

// Status tells whether the service runs and, if so, its address.
func (s Service) Status(ctx context.Context) (State, Address, error) {
	out, err := s.run(ctx, "status")
	var exit *exec.ExitError
	switch {
	case err == nil:
		return Running, Address(out), nil
	case errors.As(err, &exit) && exit.ExitCode() == 3:
		return Stopped, "", nil
	case errors.As(err, &exit) && exit.ExitCode() == 4:
		return Starting, "", nil
	}
	return "", "", err
}

// PID reads a pid file of the service's directory: `pid` is the leader of the process group.
// Flink keeps those of its parts as well, in jobmanager.pid, taskmanager.pid, taskmanager2.pid
// if there are two, and jobserver.pid; a part that is killed is replaced within a second.
func (s Service) PID(file string) (int, error) {
	text, err := os.ReadFile(filepath.Join(s.Data, file))
	if err != nil {
		return 0, fmt.Errorf("pid of %s: %w", s.Name, err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("pid of %s in %s: %w", s.Name, file, err)
	}
	return pid, nil
}

// Address is how a started service is reached: host:port, a URL or, where there are several,
// `name=host:port` with a space between.
type Address string

// Part returns one of several addresses: `rest` or `jobserver` of Flink.
func (a Address) Part(name string) string {
	for part := range strings.FieldsSeq(string(a)) {
		if address, ok := strings.CutPrefix(part, name+"="); ok {
			return address
		}
	}
	return ""
}

func (s Service) run(ctx context.Context, args ...string) (string, error) {
	if !slices.Contains(Names(), s.Name) {
		return "", fmt.Errorf("there is no service %q", s.Name)
	}
	dir, err := scriptsDir()
	if err != nil {
		return "", fmt.Errorf("lay out the service scripts: %w", err)
	}
	args = append(args, "--data", s.Data)
	cmd := exec.CommandContext(ctx, filepath.Join(dir, s.Name+".sh"), args...)
	cmd.Env = append(os.Environ(), s.Env...)
	// The script waits for its server and tells it to stop; killed at once, it would leave it.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	var said bytes.Buffer
	cmd.Stderr = &said
	if s.Log != nil {
		cmd.Stderr = io.MultiWriter(&said, s.Log)
	}
	out, err := cmd.Output()
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return "", fmt.Errorf("%s %s: %w%s", s.Name, args[0], err, tail(said.String()))
	}
	return strings.TrimSpace(string(out)), nil
}

// tail is the end of what a script said, as the end of an error.
func tail(said string) string {
	said = strings.TrimSpace(said)
	if said == "" {
		return ""
	}
	const most = 2000
	return ": " + said[max(0, len(said)-most):]
}

// scriptsDir is where the scripts lie as files. The directory is named by their content, so
// that binaries of several versions do not run each other's.
var scriptsDir = sync.OnceValues(func() (string, error) {
	hash := sha256.New()
	files := map[string][]byte{}
	entries, err := scripts.ReadDir(".")
	if err != nil {
		return "", err
	}
	for _, entry := range entries {
		content, err := scripts.ReadFile(entry.Name())
		if err != nil {
			return "", err
		}
		files[entry.Name()] = content
		_, _ = fmt.Fprintf(hash, "%s %d\n%s", entry.Name(), len(content), content)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	parent := filepath.Join(cache, "tributary", "services", "scripts")
	dir := filepath.Join(parent, hex.EncodeToString(hash.Sum(nil))[:16])
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(parent, "new-")
	if err != nil {
		return "", err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(tmp, name), content, 0o700); err != nil { //nolint:gosec // they are run
			return "", err
		}
	}
	// Another process may have been faster: its directory has the same content.
	if err := os.Rename(tmp, dir); err != nil {
		if _, statErr := os.Stat(dir); statErr != nil {
			return "", err
		}
		return dir, os.RemoveAll(tmp)
	}
	return dir, nil
})
