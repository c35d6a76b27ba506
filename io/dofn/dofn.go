// Package dofn registers DoFns with Beam so that a worker knows their types and calls their methods
// without reflection.
//
// The SDK's register package does the same for a DoFn and asks for less: it guesses the signatures of
// StartBundle and FinishBundle, and each DoFn brings compiled code for every guess. With twenty
// DoFns that was half of the command, 20 MB of code and more for its tables, and most of the time
// that it takes to build it. Here the DoFn names its methods, and their signatures are known:
//
//	func init() {
//		dofn.Register(
//			dofn.Method3x1((*countFn).ProcessElement),
//			dofn.Method1x1((*countFn).FinishBundle),
//		)
//	}
//
// Functions, emitters and iterators are registered by the SDK's register package, whose code for
// them is small.
package dofn

import (
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/util/reflectx"
)

// lifecycle are the methods that a worker calls once a bundle or more often. Those of a splittable
// DoFn beside ProcessElement are called now and then, and Beam calls them by reflection.
var lifecycle = []string{"Setup", "StartBundle", "ProcessElement", "OnTimer", "FinishBundle", "Teardown"}

// Method is a method of a DoFn, made by one of the functions below. Their numbers are those of its
// parameters and of its results.
type Method struct {
	name string
	// receiver is a pointer to the DoFn, signature that of the method without it.
	receiver, signature reflect.Type
	bind                func(fn any) call
}

// call calls a method of one DoFn.
type call func(args []any) []any

// newMethod makes a Method of a method expression, (*T).Name.
func newMethod[T any](expression any, signature reflect.Type, bind func(*T) call) Method {
	full := runtime.FuncForPC(reflect.ValueOf(expression).Pointer()).Name()
	return Method{
		name:      full[strings.LastIndexByte(full, '.')+1:],
		receiver:  reflect.TypeFor[*T](),
		signature: signature,
		bind:      func(fn any) call { return bind(fn.(*T)) },
	}
}

// Register registers the DoFn that the methods are of, and the types of their parameters. They must be
// all of Setup, StartBundle, ProcessElement, OnTimer, FinishBundle and Teardown that the DoFn has; Register
// panics otherwise, when the process starts.
func Register(methods ...Method) {
	receiver := methods[0].receiver
	names := make([]string, len(methods))
	for i, m := range methods {
		names[i] = m.name
		has, ok := receiver.MethodByName(m.name)
		if m.receiver != receiver || !ok || has.Type.NumIn() != m.signature.NumIn()+1 || !slices.Contains(lifecycle, m.name) {
			panic(fmt.Sprintf("dofn.Register: %s is no method of %v that Beam calls", m.name, receiver))
		}
		registerTypes(m.signature)
	}
	for _, name := range lifecycle {
		if _, has := receiver.MethodByName(name); has && !slices.Contains(names, name) {
			panic(fmt.Sprintf("dofn.Register: %v has a method %s that is not named", receiver, name))
		}
	}
	beam.RegisterType(receiver.Elem())
	reflectx.RegisterStructWrapper(receiver.Elem(), func(fn any) map[string]reflectx.Func {
		wrapped := make(map[string]reflectx.Func, len(methods))
		for _, m := range methods {
			wrapped[m.name] = &caller{Method: m, call: m.bind(fn)}
		}
		return wrapped
	})
}

// registerTypes registers the structs that a method takes.
func registerTypes(signature reflect.Type) {
	for in := range signature.Ins() {
		if in = reflectx.SkipPtr(in); in.Kind() == reflect.Struct {
			beam.RegisterType(in)
		}
	}
}

// caller is a method of one DoFn as Beam calls it.
type caller struct {
	Method
	call call
}

func (c *caller) Name() string          { return c.receiver.String() + "." + c.name }
func (c *caller) Type() reflect.Type    { return c.signature }
func (c *caller) Call(args []any) []any { return c.call(args) }
