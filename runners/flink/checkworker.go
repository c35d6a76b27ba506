package flink

import (
	"context"
	"errors"
	"fmt"
	"strings"

	fnpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/fnexecution_v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// Errors of CheckWorker.
var (
	// ErrUnreachable: a worker's address is as TaskManagers see it, so it need not be one here.
	ErrUnreachable = errors.New("not reached from here")
	// ErrNoWorker says that something else answers.
	ErrNoWorker = errors.New("what answers is no worker")
	// ErrRefuses says that the worker would refuse the job.
	ErrRefuses = errors.New("the worker would refuse the job")
)

// CheckWorker asks the worker at an address whether it would take jobs of this binary from who knows
// the token in a file, empty for none. guarded tells whether it takes none without a token. No
// worker is started by it: the request names no runner.
func CheckWorker(ctx context.Context, address, tokenFile string) (guarded bool, err error) {
	version, err := Version()
	if err != nil {
		return false, err
	}
	tokens, err := readTokens(tokenFile)
	if err != nil {
		return false, err
	}
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return false, fmt.Errorf("worker at %s: %w", address, err)
	}
	defer conn.Close() //nolint:errcheck // nothing depends on it
	ask := func(params map[string]string) (string, error) {
		answer, err := fnpb.NewBeamFnExternalWorkerPoolClient(conn).StartWorker(ctx, &fnpb.StartWorkerRequest{WorkerId: "check", Params: params})
		switch code := status.Code(err); {
		case code == codes.Unavailable || code == codes.DeadlineExceeded:
			return "", fmt.Errorf("worker at %s: %w: %w", address, ErrUnreachable, err)
		case err != nil:
			return "", fmt.Errorf("worker at %s: %w: %w", address, ErrNoWorker, err)
		}
		return answer.GetError(), nil
	}
	said, err := ask(map[string]string{versionParam: version})
	switch {
	case err != nil:
		return false, err
	case strings.HasSuffix(said, errNoProof.Error()):
		guarded = true
	case !strings.Contains(said, noEndpoint):
		return false, fmt.Errorf("%w: %s", ErrRefuses, said)
	}
	if !guarded {
		return false, nil
	}
	if len(tokens) == 0 {
		return true, fmt.Errorf("%w: %s", ErrRefuses, said)
	}
	if said, err = ask(map[string]string{versionParam: version, proofParam: proof(tokens[0], version)}); err == nil && !strings.Contains(said, noEndpoint) {
		err = fmt.Errorf("%w: %s", ErrRefuses, said)
	}
	return true, err
}
