package fileiotest

import (
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
	"github.com/stretchr/testify/require"
)

// StartAzure starts a server of Azure Blob Storage's protocol with one empty container, named bucket, and makes it what
// az:// means until the test ends. It returns its connection string. It is not for parallel tests, as StartEmulator.
func StartAzure(t *testing.T) string {
	t.Helper()
	connection := start(t, "azure")
	SetAzure(t, connection)
	c, err := service.NewClientFromConnectionString(connection, nil)
	require.NoError(t, err)
	_, err = c.CreateContainer(t.Context(), "bucket", nil)
	require.NoError(t, err)
	return connection
}

// SetAzure makes the account of a connection string what az:// means until the test ends.
func SetAzure(t *testing.T, connection string) {
	t.Helper()
	for _, name := range []string{"AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_KEY", "AZURE_STORAGE_SAS_TOKEN", "AZURE_STORAGE_SERVICE_ENDPOINT"} {
		t.Setenv(name, "")
	}
	t.Setenv("AZURE_STORAGE_CONNECTION_STRING", connection)
}
