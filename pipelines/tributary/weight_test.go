package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// heavy are packages that the command does without, and what it has instead. In MB:
//
//	224  with a plotting library, DoFns registered by the SDK, and symbols
//	216  charts drawn by pipelines/report/chart
//	196  without xDS, by the tag
//	 72  DoFns registered by io/dofn
//	 49  without symbols, as make builds it
//
// What stays and is large: Beam with its Prism runner, which brings gRPC, OpenTelemetry and a Docker
// client; the Kafka client; and kfake, the broker of `tributary demo`, which is the first command that a
// reader runs: 0.7 MB of code.
var heavy = map[string]string{
	"gonum.org/v1/plot":                "pipelines/report/chart draws",
	"golang.org/x/image":               "nothing draws in pixels",
	"google.golang.org/grpc/xds":       "GCS is spoken over HTTP: build with the tag disable_grpc_modules",
	"github.com/envoyproxy":            "as xds",
	"github.com/grafana":               "a test builds the dashboard",
	"github.com/prometheus/prometheus": "a module of its own, .ci/prometheus, holds the rules against it",
	"testing":                          "tests stay tests",
	"github.com/stretchr/testify":      "tests stay tests",
	"pgregory.net/rapid":               "tests stay tests",
}

func TestCommandIsLight(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join("..", "..", "Makefile"))
	require.NoError(t, err)
	const tags = "-tags=disable_grpc_modules"
	require.Contains(t, string(makefile), "$(shell go env GOFLAGS) "+tags)
	require.Contains(t, string(makefile), `go build -trimpath -ldflags "-s -w"`)

	list := exec.CommandContext(t.Context(), "go", "list", "-deps", tags, ".")
	list.Env = append(os.Environ(), "GOFLAGS=")
	out, err := list.Output()
	require.NoError(t, err)
	packages := strings.Fields(string(out))
	require.Contains(t, packages, "cloud.google.com/go/storage", "the list of packages")
	for _, p := range packages {
		for prefix, instead := range heavy {
			require.False(t, p == prefix || strings.HasPrefix(p, prefix+"/"), "%s is linked: %s", p, instead)
		}
	}
}
