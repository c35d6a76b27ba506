package direct

import (
	"context"
	"errors"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/stretchr/testify/require"

	"tributary/io/dofn"
)

func init() {
	dofn.Register(dofn.Method2x1((*passFn).ProcessElement))
	dofn.Register(dofn.Method1x1((*failFn).ProcessElement))
	register.Emitter1[string]()
}

type passFn struct{}

func (*passFn) ProcessElement(s string, emit func(string)) error {
	emit(s)
	return nil
}

type failFn struct{ Panic bool }

func (f *failFn) ProcessElement(s string) error {
	if f.Panic {
		panic("about " + s)
	}
	return errors.New("write " + s + ":\n  no space left")
}

// TestErrorsSayTheCause: what a step returns is the whole of the error, wherever in a plan it
// stands.
func TestErrorsSayTheCause(t *testing.T) {
	run := func(fn *failFn) error {
		p, s := beam.NewPipelineWithRoot()
		beam.ParDo0(s, fn, beam.ParDo(s, &passFn{}, beam.ParDo(s, &passFn{}, beam.Create(s, "x"))))
		return Run(t.Context(), p)
	}
	require.EqualError(t, run(&failFn{}), "write x:\n  no space left")
	err := run(&failFn{Panic: true})
	require.ErrorContains(t, err, "panic: about x")
	require.NotContains(t, err.Error(), "Plan[")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p, s := beam.NewPipelineWithRoot()
	beam.ParDo0(s, &failFn{}, beam.Create(s, "x"))
	require.ErrorIs(t, Run(ctx, p), context.Canceled)
}
