// Package fileiotest gives tests a cloud store of their own.
package fileiotest

import (
	"context"
	"os"
	"testing"

	"cloud.google.com/go/storage"
	"github.com/stretchr/testify/require"
	"google.golang.org/api/option"

	"tributary/runners/devcluster/services"
)

// StartEmulator starts a server of Google Cloud Storage's protocol with one empty bucket, named
// bucket, and makes it what gs:// means until the test ends. It is not for parallel tests: the
// server is told by an environment variable.
func StartEmulator(t *testing.T) {
	t.Helper()
	t.Setenv("STORAGE_EMULATOR_HOST", start(t, "gcs"))
	c, err := storage.NewClient(t.Context(), option.WithoutAuthentication())
	require.NoError(t, err)
	require.NoError(t, c.Bucket("bucket").Create(t.Context(), "project", nil))
	require.NoError(t, c.Close())
}

// start starts a service, which ends with the test, and returns its address.
func start(t *testing.T, name string) string {
	t.Helper()
	server := services.Service{Name: name, Data: t.TempDir(), Log: os.Stderr, Owned: true}
	address, err := server.Start(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop(context.Background())) })
	return string(address)
}
