package dofn

import (
	"fmt"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
)

// Element makes T a type of elements: between workers and in state they are what encode writes, which
// decode takes to keep. Beam binds DoFns by the types of their elements, so two that are connected
// wrongly fail when the pipeline is built.
//
// T has to be a struct, or Element panics: Beam takes a slice of bytes for []byte, whatever its name, and
// asks for no coder. The bytes of a struct of one slice are those of a []byte: state that was written as such
// is read as T. To write and read one takes 6 allocations, where bytes take 4, and 15 without the calls that
// are registered here (BenchmarkElement): so elements are blocks of many records.
//
// Without Element a struct is written field by field and by reflection. It may be called for one type by several
// packages.
func Element[T any, E func(T) []byte | func(T) ([]byte, error)](encode E, decode func([]byte) (T, error)) {
	t := reflect.TypeFor[T]()
	if t.Kind() != reflect.Struct {
		panic(fmt.Sprintf("dofn.Element: %v is no struct", t))
	}
	beam.RegisterType(t)
	beam.RegisterCoder(t, encode, decode)
	// Or Beam would call them by reflection.
	switch encode := any(encode).(type) {
	case func(T) []byte:
		register.Function1x1(encode)
	case func(T) ([]byte, error):
		register.Function1x2(encode)
	}
	register.Function1x2(decode)
}
