package dofn

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/util/reflectx"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/direct" //nolint:staticcheck // bounded and stateless is what it is for
	"github.com/stretchr/testify/require"
)

func init() {
	Element(encodeWord, decodeWord)
	Element(encodeNumber, decodeNumber)
	Element(encodeWord, decodeWord) // another package that uses them
	register.Function1x1(wordOf)
	register.Function1x0(takeNumber)
}

type (
	word   struct{ text []byte }
	number struct{ n byte }
	// What nobody has told Beam of.
	unknown struct{ text []byte }
	list    []byte
)

func encodeWord(w word) []byte              { return w.text }
func decodeWord(text []byte) (word, error)  { return word{text}, nil }
func encodeNumber(n number) ([]byte, error) { return []byte{n.n}, nil }
func decodeNumber(text []byte) (number, error) {
	if len(text) != 1 {
		return number{}, errors.New("no number")
	}
	return number{text[0]}, nil
}

func wordOf(text string) word { return word{[]byte(text)} }
func takeNumber(number)       {}

// TestElement: an element is written as its bytes would be, by a call without reflection.
func TestElement(t *testing.T) {
	var asWord, asBytes bytes.Buffer
	require.NoError(t, beam.NewElementEncoder(reflect.TypeFor[word]()).Encode(word{[]byte("abc")}, &asWord))
	require.NoError(t, beam.NewElementEncoder(reflect.TypeFor[[]byte]()).Encode([]byte("abc"), &asBytes))
	require.Equal(t, asBytes.String(), asWord.String())
	back, err := beam.NewElementDecoder(reflect.TypeFor[word]()).Decode(&asBytes)
	require.NoError(t, err)
	require.Equal(t, word{[]byte("abc")}, back)
	_, err = beam.NewElementDecoder(reflect.TypeFor[number]()).Decode(&asWord)
	require.ErrorContains(t, err, "no number")
	for _, fn := range []any{encodeWord, decodeWord, encodeNumber, decodeNumber} {
		require.NotContains(t, reflect.TypeOf(reflectx.MakeFunc(fn)).String(), "reflectFunc", "%T", fn)
	}
}

// TestElementsBind: what takes another type of elements is refused when the pipeline is built.
func TestElementsBind(t *testing.T) {
	p, s := beam.NewPipelineWithRoot()
	words := beam.ParDo(s, wordOf, beam.Create(s, "a"))
	require.Panics(t, func() { beam.ParDo0(s, takeNumber, words) })
	_, err := direct.Execute(t.Context(), p)
	require.NoError(t, err, "what was built before")
}

// TestCheck finds what would arrive otherwise than it is sent.
func TestCheck(t *testing.T) {
	check := func(fn any) error {
		p, s := beam.NewPipelineWithRoot()
		beam.ParDo(s, fn, beam.Create(s, "a"))
		return Check(p)
	}
	require.NoError(t, check(wordOf))
	require.EqualError(t, check(func(string) unknown { return unknown{text: nil} }), "elements of type dofn.unknown lose their field text")
	require.EqualError(t, check(func(string) map[string]int { return nil }), "elements of type map[string]int are written as JSON")
	require.EqualError(t, check(func(string) (string, unknown) { return "", unknown{text: nil} }), "elements of type dofn.unknown lose their field text", "of a pair")
}

// TestElementsAreStructs: Beam would connect lists with all that takes bytes.
func TestElementsAreStructs(t *testing.T) {
	require.PanicsWithValue(t, "dofn.Element: dofn.list is no struct", func() {
		Element(func(l list) []byte { return l }, func(b []byte) (list, error) { return b, nil })
	})
}

// BenchmarkElement writes and reads an element of some size, as bytes and as a type of its own.
func BenchmarkElement(b *testing.B) {
	const size = 1 << 10
	for _, element := range []any{make([]byte, size), word{make([]byte, size)}} {
		b.Run(reflect.TypeOf(element).String(), func(b *testing.B) {
			encoder, decoder := beam.NewElementEncoder(reflect.TypeOf(element)), beam.NewElementDecoder(reflect.TypeOf(element))
			var written bytes.Buffer
			b.ReportAllocs()
			for b.Loop() {
				written.Reset()
				require.NoError(b, encoder.Encode(element, &written))
				_, err := decoder.Decode(&written)
				require.NoError(b, err)
			}
		})
	}
}
