package flink

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	jobpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/jobmanagement_v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// runnerVersion is the version of Beam's Flink runner that jobs were tested with.
const runnerVersion = "2.62.0"

// CheckJobServer sees that what listens at an address is Beam's job server for Flink, and
// that it knows every option that jobs may be submitted with: one that it does not know it
// ignores without a word, and the job would run differently. It does not tell its version.
func CheckJobServer(ctx context.Context, address string) error {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return fmt.Errorf("job server at %s: %w", address, err)
	}
	defer conn.Close() //nolint:errcheck // nothing depends on it
	return checkJobServer(ctx, address, jobpb.NewJobServiceClient(conn))
}

func checkJobServer(ctx context.Context, address string, server jobpb.JobServiceClient) error {
	answer, err := server.DescribePipelineOptions(ctx, &jobpb.DescribePipelineOptionsRequest{})
	if err != nil {
		return jobServerError(address, err)
	}
	known := map[string]bool{}
	for _, option := range answer.GetOptions() {
		known[option.GetName()] = true
	}
	if !known["flink_master"] {
		return fmt.Errorf("job server at %s is Beam's, but not for Flink: it knows no option flink_master: %w; start Beam's Flink job server %s", address, ErrVersion, runnerVersion)
	}
	var missing []string
	for _, name := range everyOption() {
		if !known[name] {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("job server at %s does not know the options %s, and would ignore them: %w; use Beam's Flink job server %s", address, strings.Join(missing, ", "), ErrVersion, runnerVersion)
	}
	return nil
}

// everyOption lists the names of all options that a job may be submitted with.
func everyOption() []string {
	all := Options{
		Name: "all", StoragePath: "file:/all", Savepoint: "file:/all", AllowNonRestored: true, IdleShutdown: time.Second,
		Checkpoints: Checkpoints{Interval: time.Second},
	}.withDefaults()
	var names []string
	for _, parallelism := range []int{1, 2} {
		all.Parallelism = parallelism
		for name := range all.beamOptions(true) {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}
