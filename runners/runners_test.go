package runners_test

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/stretchr/testify/require"

	"tributary/runners"
	"tributary/runners/direct"
	"tributary/runners/flink"
	"tributary/runners/prism"
)

func init() {
	register.Function1x0(swallow)
	register.Function1x1(refuse)
}

func swallow(int) {}

func TestMain(m *testing.M) {
	beam.Init()
	os.Exit(m.Run())
}

var errRefused = errors.New("an element is refused")

func refuse(int) error { return errRefused }

// inProcess are the runners that need nothing but this process.
var inProcess = []runners.Runner{direct.Runner{}, prism.Runner{}}

// TestRunners: each has its name, and a job of this process ends with its pipeline, or with what failed it.
func TestRunners(t *testing.T) {
	names := map[string]bool{}
	for _, r := range append(inProcess, flink.Runner{}) {
		require.False(t, names[r.Name()], r.Name())
		names[r.Name()] = true
	}
	for _, r := range inProcess {
		t.Run(r.Name(), func(t *testing.T) {
			p, s := beam.NewPipelineWithRoot()
			beam.ParDo0(s, swallow, beam.Create(s, 1, 2, 3))
			job, err := r.Start(t.Context(), p)
			require.NoError(t, err)
			require.False(t, job.Outlives())
			require.Empty(t, job.String())
			require.NoError(t, job.Wait(t.Context(), true, nil))
			require.NoError(t, job.Close(t.Context()))

			p, s = beam.NewPipelineWithRoot()
			beam.ParDo0(s, refuse, beam.Create(s, 1))
			job, err = r.Start(t.Context(), p)
			require.NoError(t, err)
			require.ErrorContains(t, job.Wait(t.Context(), true, nil), errRefused.Error())
			require.NoError(t, job.Close(t.Context()))
		})
	}
}

// TestInProcess: who stops waiting stops the job, and a job that is closed has ended.
func TestInProcess(t *testing.T) {
	ended := make(chan error, 2)
	forever := func(ctx context.Context) error {
		<-ctx.Done()
		ended <- ctx.Err()
		return ctx.Err()
	}
	ctx, cancel := context.WithCancel(t.Context())
	job := runners.InProcess(t.Context(), forever)
	cancel()
	require.ErrorIs(t, job.Wait(ctx, false, nil), context.Canceled)
	require.ErrorIs(t, <-ended, context.Canceled)

	job = runners.InProcess(t.Context(), forever)
	require.NoError(t, job.Close(t.Context()))
	require.Len(t, ended, 1)
}
