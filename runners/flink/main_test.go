package flink

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"tributary/runners/devcluster/servicestest"
)

// workerEnv makes the test binary a worker at the address it holds, so that tests can run one
// as a process of its own, and kill it. The file of its tokens is in the other one.
const (
	workerEnv      = "TRIBUTARY_TEST_WORKER"
	workerTokenEnv = "TRIBUTARY_TEST_WORKER_TOKEN"
)

func TestMain(m *testing.M) {
	flag.Parse()
	beam.Init()
	if listen := os.Getenv(workerEnv); listen != "" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		if err := Worker(ctx, WorkerOptions{Listen: listen, TokenFile: os.Getenv(workerTokenEnv)}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(servicestest.Main(m))
}
