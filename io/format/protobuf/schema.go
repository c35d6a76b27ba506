package protobuf

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/reporter"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// Schema is a .proto file with what it imports. It is safe for concurrent use.
type Schema struct{ file protoreflect.FileDescriptor }

// root is what the file of a schema is called: registries have no name for it.
const root = "schema.proto"

// ParseSchema compiles a .proto file: its text or, as some producers register it, its descriptor in base64. Imports are those that it
// imports, by the paths that it imports them by; those of google/protobuf need not be there. The error is all that is wrong with it.
func ParseSchema(ctx context.Context, text string, imports map[string]string) (*Schema, error) {
	var found []string
	compiler := protocompile.Compiler{
		MaxParallelism: 1,
		Resolver: protocompile.WithStandardImports(protocompile.ResolverFunc(func(path string) (protocompile.SearchResult, error) {
			if path == root {
				return file(path, text), nil
			}
			if other, ok := imports[path]; ok {
				return file(path, other), nil
			}
			return protocompile.SearchResult{}, errors.New("the schema does not refer to it")
		})),
		Reporter: reporter.NewReporter(func(err reporter.ErrorWithPos) error {
			found = append(found, err.Error())
			return nil
		}, nil),
	}
	files, err := compiler.Compile(ctx, root)
	if err != nil {
		if len(found) > 0 {
			err = errors.New(strings.Join(found, "; "))
		}
		return nil, fmt.Errorf("parse Protobuf schema: %w", err)
	}
	return &Schema{files[0]}, nil
}

// file is what a registry has of a file. No text of one is base64.
func file(path, text string) protocompile.SearchResult {
	if encoded, err := base64.StdEncoding.DecodeString(text); err == nil {
		var d descriptorpb.FileDescriptorProto
		if proto.Unmarshal(encoded, &d) == nil {
			d.Name = &path
			for _, m := range d.MessageType {
				nameFields(m)
			}
			return protocompile.SearchResult{Proto: &d}
		}
	}
	return protocompile.SearchResult{Source: strings.NewReader(text)}
}

// nameFields gives fields of a descriptor the names in JSON that it may leave out, since the compiler takes it at its word.
func nameFields(m *descriptorpb.DescriptorProto) {
	for _, f := range m.Field {
		if f.JsonName == nil {
			name := camelCase(f.GetName())
			f.JsonName = &name
		}
	}
	for _, nested := range m.NestedType {
		nameFields(nested)
	}
}

// camelCase is the name of a field as the compiler makes it for JSON: without underscores, and the letter behind one in upper case.
func camelCase(name string) string {
	words := strings.Split(name, "_")
	for i, word := range words {
		if i > 0 && word != "" {
			words[i] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, "")
}

// mostIndexes bounds how deep in other messages one may stand.
const mostIndexes = 64

// CutIndexes splits what says which message of a schema follows off b, as encoded: how many indexes, and these, as zigzag varints. A lone 0
// stands for the first message.
func CutIndexes(b []byte) (indexes, rest []byte, err error) {
	next := b
	cut := func() (int64, error) {
		v, n := binary.Varint(next)
		if n <= 0 {
			return 0, fmt.Errorf("message indexes: %d bytes end in the middle of them", len(b))
		}
		next = next[n:]
		return v, nil
	}
	count, err := cut()
	if err == nil && (count < 0 || count > mostIndexes) {
		err = fmt.Errorf("message indexes: %d of them; expected at most %d", count, mostIndexes)
	}
	for ; err == nil && count > 0; count-- {
		_, err = cut()
	}
	if err != nil {
		return nil, nil, err
	}
	return b[:len(b)-len(next)], next, nil
}

// Message returns the message that indexes lead to, as CutIndexes has split them off: each is the place of a message among those of the file,
// then among those that are declared in it.
func (s *Schema) Message(indexes []byte) (*Message, error) {
	count, n := binary.Varint(indexes)
	path, among := []int64{}, s.file.Messages()
	for range count {
		i, size := binary.Varint(indexes[n:])
		path, n = append(path, i), n+size
	}
	if count == 0 {
		path = append(path, 0)
	}
	var found protoreflect.MessageDescriptor
	for _, i := range path {
		if i < 0 || i >= int64(among.Len()) {
			return nil, fmt.Errorf("message indexes %v: there are %d messages where %d is one", path, among.Len(), i)
		}
		found = among.Get(int(i))
		among = found.Messages()
	}
	return newMessage(found), nil
}

// Names are the full names of all messages of the file, those that are declared in others behind them.
func (s *Schema) Names() []string { return namesOf(nil, s.file.Messages()) }

func namesOf(to []string, messages protoreflect.MessageDescriptors) []string {
	for i := range messages.Len() {
		if m := messages.Get(i); !m.IsMapEntry() {
			to = namesOf(append(to, string(m.FullName())), m.Messages())
		}
	}
	return to
}
