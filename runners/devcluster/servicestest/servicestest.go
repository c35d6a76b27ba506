// Package servicestest gives the tests of a package the real services they share.
package servicestest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/runners/devcluster/services"
)

// keepEnv names a folder for services that are to stay up after the tests: what is worked on is
// tested again without waiting for servers. `tributary cluster up --data` starts them there, too.
const keepEnv = "TRIBUTARY_SERVICES"

// NoneEnv is set, to anything, where tests of real services are to be skipped: `make mutants` runs
// tests many times over.
const NoneEnv = "TRIBUTARY_NO_SERVICES"

var shared struct {
	sync.Mutex
	dir     string
	running map[string]started
	lock    *os.File // held while services run
}

type started struct {
	services.Service
	address services.Address
}

// Main runs a package's tests and then stops what Start has started. Call it in TestMain:
//
//	func TestMain(m *testing.M) { os.Exit(servicestest.Main(m)) }
//
// A test process that is killed takes its services along.
func Main(m *testing.M) int {
	code := m.Run()
	if os.Getenv(keepEnv) != "" {
		return code
	}
	shared.Lock()
	defer shared.Unlock()
	for _, s := range shared.running {
		if err := s.Stop(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	if shared.dir != "" && code == 0 {
		if err := os.RemoveAll(shared.dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	return code
}

// Start starts a service, with settings for its script, or finds it started by an earlier
// test of the package, whatever its settings. When tests fail, the service's folder with its
// logs is left behind.
func Start(t *testing.T, name string, env ...string) (services.Service, services.Address) {
	t.Helper()
	if os.Getenv(NoneEnv) != "" {
		t.Skip(NoneEnv + " is set, and this needs " + name)
	}
	shared.Lock()
	defer shared.Unlock()
	if shared.dir == "" {
		dir, err := os.Getenv(keepEnv), error(nil)
		if dir == "" {
			require.NoError(t, waitForTurn())
			dir, err = os.MkdirTemp("", "tributary-services-") //nolint:usetesting // it outlives the test
		}
		require.NoError(t, err)
		shared.dir, shared.running = dir, map[string]started{}
	}
	s, ok := shared.running[name]
	if !ok {
		s.Service = services.Service{
			Name: name, Data: filepath.Join(shared.dir, name), Env: env, Log: os.Stderr, Owned: os.Getenv(keepEnv) == "",
		}
		var err error
		s.address, err = s.Start(t.Context())
		require.NoError(t, err)
		shared.running[name] = s
	}
	t.Logf("%s at %s, its data and logs in %s", name, s.address, s.Data)
	return s.Service, s.address
}

// waitForTurn lets the packages that `go test` runs at the same time start their services one
// after another: two Flink clusters on a small machine fail each other's tests. The lock ends
// with this process.
func waitForTurn() error {
	lock, err := os.OpenFile(filepath.Join(os.TempDir(), "tributary-services.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	shared.lock = lock
	return syscall.Flock(int(lock.Fd()), syscall.LOCK_EX)
}
