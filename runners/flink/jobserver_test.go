package flink

import (
	"context"
	"net"
	"slices"
	"testing"

	jobpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/jobmanagement_v1"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
)

// describedServer is a job server that knows some options, and does no more.
type describedServer struct {
	jobpb.UnimplementedJobServiceServer
	options []string
}

func (s *describedServer) DescribePipelineOptions(context.Context, *jobpb.DescribePipelineOptionsRequest) (*jobpb.DescribePipelineOptionsResponse, error) {
	answer := &jobpb.DescribePipelineOptionsResponse{}
	for _, name := range s.options {
		answer.Options = append(answer.Options, &jobpb.PipelineOptionDescriptor{Name: name})
	}
	return answer, nil
}

func startJobServer(t *testing.T, options ...string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer()
	jobpb.RegisterJobServiceServer(server, &describedServer{options: options})
	go server.Serve(listener) //nolint:errcheck // ended by Stop
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

func TestJobServerOfAnotherVersion(t *testing.T) {
	all := append(everyOption(), "flink_master")
	require.NoError(t, CheckJobServer(t.Context(), startJobServer(t, all...)))

	older := slices.DeleteFunc(slices.Clone(all), func(name string) bool {
		return name == "finish_bundle_before_checkpointing" || name == "unaligned_checkpoint_enabled"
	})
	err := CheckJobServer(t.Context(), startJobServer(t, older...))
	require.ErrorIs(t, err, ErrVersion)
	require.ErrorContains(t, err, "does not know the options finish_bundle_before_checkpointing, unaligned_checkpoint_enabled, and would ignore them")

	err = CheckJobServer(t.Context(), startJobServer(t, "spark_master"))
	require.ErrorIs(t, err, ErrVersion)
	require.ErrorContains(t, err, "is Beam's, but not for Flink")
}

// The job server that jobs are tested with is one that they may be submitted to.
func TestJobServerAtHand(t *testing.T) {
	require.NoError(t, CheckJobServer(t.Context(), cluster(t).JobServer))
}
