package dofn

import (
	"context"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/util/reflectx"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/direct" //nolint:staticcheck // the one that calls methods in a known order
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/vet"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	flag.Parse()
	beam.Init()
	os.Exit(m.Run())
}

func init() {
	Register(
		Method0x0((*lifeFn).Setup),
		Method2x0((*lifeFn).StartBundle),
		Method3x1((*lifeFn).ProcessElement),
		Method2x1((*lifeFn).FinishBundle),
		Method0x1((*lifeFn).Teardown),
	)
	Register(Method1x1((*noteFn).ProcessElement))
	register.Emitter1[string]()
}

// called are the methods in the order of their calls: the tests here run one pipeline at a time, in
// this process.
var called []string

// lifeFn has all methods that Beam calls; a word refused is an error.
type lifeFn struct{ Prefix string }

func (f *lifeFn) Setup()                                    { called = append(called, "Setup") }
func (f *lifeFn) StartBundle(context.Context, func(string)) { called = append(called, "StartBundle") }

func (f *lifeFn) ProcessElement(_ context.Context, word string, emit func(string)) error {
	if word == "refused" {
		return errors.New("a word that is refused")
	}
	emit(f.Prefix + word)
	return nil
}

func (f *lifeFn) FinishBundle(_ context.Context, emit func(string)) error {
	emit("end")
	return nil
}

func (f *lifeFn) Teardown() error {
	called = append(called, "Teardown")
	return nil
}

type noteFn struct{}

func (f *noteFn) ProcessElement(word string) error {
	called = append(called, word)
	return nil
}

func pipeline(words ...string) *beam.Pipeline {
	p, s := beam.NewPipelineWithRoot()
	beam.ParDo0(s, &noteFn{}, beam.ParDo(s, &lifeFn{Prefix: "> "}, beam.CreateList(s, words)))
	return p
}

func TestMethodsAreCalled(t *testing.T) {
	called = nil
	_, err := beam.Run(t.Context(), "direct", pipeline("one", "two"))
	require.NoError(t, err)
	require.Equal(t, []string{"Setup", "StartBundle", "> one", "> two", "end", "Teardown"}, called)
}

func TestErrorsArrive(t *testing.T) {
	_, err := beam.Run(t.Context(), "direct", pipeline("refused"))
	require.ErrorContains(t, err, "a word that is refused")
}

// No method is called by reflection.
func TestRegisteredIsPerformant(t *testing.T) {
	found, err := vet.Evaluate(t.Context(), pipeline("one"))
	require.NoError(t, err)
	require.True(t, found.Performant(), "%s", found.Bytes())
	wrapped, ok := reflectx.WrapMethods(&lifeFn{})
	require.True(t, ok)
	require.Len(t, wrapped, 5)
	require.Equal(t, "*dofn.lifeFn.FinishBundle", wrapped["FinishBundle"].Name())
	require.Equal(t, "func(context.Context, func(string)) error", wrapped["FinishBundle"].Type().String())
}

// partFn has a method that a careless registration forgets, and one that Beam does not know.
type partFn struct{}

func (f *partFn) ProcessElement(string) {}
func (f *partFn) FinishBundle()         {}
func (f *partFn) Other()                {}

func TestRegisterPanics(t *testing.T) {
	require.PanicsWithValue(t, "dofn.Register: *dofn.partFn has a method FinishBundle that is not named", func() {
		Register(Method1x0((*partFn).ProcessElement))
	})
	require.PanicsWithValue(t, "dofn.Register: Other is no method of *dofn.partFn that Beam calls", func() {
		Register(Method0x0((*partFn).Other))
	})
	require.PanicsWithValue(t, "dofn.Register: ProcessElement is no method of *dofn.partFn that Beam calls", func() {
		Register(Method0x0((*partFn).FinishBundle), Method1x1((*noteFn).ProcessElement))
	})
}

// A DoFn that the SDK's package registers costs megabytes: none may.
func TestNothingElseRegisters(t *testing.T) {
	root, files := filepath.Join("..", ".."), 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		files++
		content, err := os.ReadFile(path)
		require.NotContains(t, string(content), "register."+"DoFn", path)
		return err
	})
	require.NoError(t, err)
	require.Greater(t, files, 100, "not the module's root: %s", root)
}
