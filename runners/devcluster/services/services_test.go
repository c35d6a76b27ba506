package services_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/runners/devcluster/services"
)

// ownerEnv makes the test binary start a service in the folder it names, and then wait to be
// killed.
const ownerEnv = "TRIBUTARY_TEST_OWNER"

func TestMain(m *testing.M) {
	if data := os.Getenv(ownerEnv); data != "" {
		s := services.Service{Name: "gcs", Data: data, Log: os.Stderr, Owned: true}
		if _, err := s.Start(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		select {}
	}
	os.Exit(m.Run())
}

func gcs(t *testing.T) services.Service {
	t.Helper()
	s := services.Service{Name: "gcs", Data: t.TempDir(), Log: os.Stderr}
	t.Cleanup(func() { require.NoError(t, s.Kill(context.Background())) })
	return s
}

func state(t *testing.T, s services.Service) services.State {
	t.Helper()
	state, _, err := s.Status(context.Background())
	require.NoError(t, err)
	return state
}

func TestServiceComesBackAtItsAddress(t *testing.T) {
	s := gcs(t)
	assert.Equal(t, services.Stopped, state(t, s))
	address, err := s.Start(t.Context())
	require.NoError(t, err)
	again, err := s.Start(t.Context())
	require.NoError(t, err, "a second start of what runs")
	assert.Equal(t, address, again)
	for _, end := range []func(context.Context) error{s.Stop, s.Kill} {
		_, now, err := s.Status(t.Context())
		require.NoError(t, err)
		assert.Equal(t, address, now)
		require.NoError(t, end(t.Context()))
		assert.Equal(t, services.Stopped, state(t, s))
		require.NoError(t, end(t.Context()), "ending what does not run")
		back, err := s.Start(t.Context())
		require.NoError(t, err)
		assert.Equal(t, address, back)
	}
}

func TestTakenPortIsRefused(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, listener.Close()) })
	s := gcs(t)
	s.Port = listener.Addr().(*net.TCPAddr).Port
	_, err = s.Start(t.Context())
	require.ErrorContains(t, err, "port "+strconv.Itoa(s.Port)+" is in use")
}

func TestUnknownServiceIsRefused(t *testing.T) {
	_, err := services.Service{Name: "oracle", Data: t.TempDir()}.Start(t.Context())
	require.EqualError(t, err, `there is no service "oracle"`)
}

// A test run that is killed must not leave servers behind.
func TestOwnedServiceEndsWithItsOwner(t *testing.T) {
	s := gcs(t)
	owner := exec.Command(os.Args[0])
	owner.Env = append(os.Environ(), ownerEnv+"="+s.Data)
	owner.Stderr = os.Stderr
	require.NoError(t, owner.Start())
	require.Eventually(t, func() bool { return state(t, s) == services.Running }, time.Minute, 100*time.Millisecond)
	require.NoError(t, owner.Process.Kill())
	require.Error(t, owner.Wait())
	require.Eventually(t, func() bool { return state(t, s) == services.Stopped }, 20*time.Second, 100*time.Millisecond)
}

func TestAddressParts(t *testing.T) {
	address := services.Address("rest=127.0.0.1:1 jobserver=127.0.0.1:2")
	assert.Equal(t, "127.0.0.1:1", address.Part("rest"))
	assert.Equal(t, "127.0.0.1:2", address.Part("jobserver"))
	assert.Empty(t, address.Part("job"))
}
