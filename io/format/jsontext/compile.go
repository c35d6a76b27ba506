package jsontext

import (
	"errors"
	"fmt"
	"strings"

	"tributary/io/format/avro"
)

// encType is a type of a schema with what is looked up to encode a value of it. Named types may
// contain themselves.
type encType struct {
	*avro.Type
	name     string // for messages
	logical  logical
	fields   []encField     // of a record
	index    map[string]int // of the fields by names and aliases, or of the symbols of an enum
	items    *encType       // of an array or a map
	branches []*encType     // of a union
	null     int            // the branch of a union that is null, -1 if there is none
}

type encField struct {
	name string
	typ  *encType
	// unset is the encoded default, if there is one.
	unset      []byte
	hasDefault bool
}

// compiler makes encTypes, each type's once.
type compiler struct {
	known    map[*avro.Type]*encType
	problems []error
}

// compile prepares a schema. The error tells every default that does not fit.
func compile(schema *avro.Schema) (*encType, error) {
	c := compiler{known: map[*avro.Type]*encType{}}
	root := c.of(schema.Type(), "the schema")
	if len(c.problems) > 0 {
		return nil, fmt.Errorf("avro schema: %w", errors.Join(c.problems...))
	}
	return root, nil
}

// of prepares a type; at is where it stands.
func (c *compiler) of(from *avro.Type, at string) *encType {
	if t := c.known[from]; t != nil {
		return t
	}
	t := &encType{Type: from, name: from.Kind.String(), logical: logicals[from.Logical], null: -1}
	c.known[from] = t
	if from.Name != "" {
		t.name = from.Name
	}
	if from.BadDecimal { // Avro has it ignored; then 1234 would be base64
		c.problems = append(c.problems, fmt.Errorf("%s: precision and scale of the decimal do not go together", at))
	}
	switch from.Kind {
	case avro.KindArray, avro.KindMap:
		t.items = c.of(from.Items, at)
	case avro.KindEnum:
		t.index = map[string]int{}
		for i, symbol := range from.Symbols {
			t.index[symbol] = i
		}
	case avro.KindRecord:
		c.fields(t)
	case avro.KindUnion:
		c.branches(t, at)
	default: // it holds nothing
	}
	return t
}

func (c *compiler) branches(t *encType, at string) {
	var names []string
	for i, from := range t.Branches {
		branch := c.of(from, at)
		if from.Kind == avro.KindNull {
			t.null = i
		}
		names = append(names, branch.name)
		t.branches = append(t.branches, branch)
	}
	t.name = "one of " + strings.Join(names, ", ")
}

func (c *compiler) fields(t *encType) {
	t.index = map[string]int{}
	for i, from := range t.Fields {
		at := fmt.Sprintf("record %s: field %s", t.name, from.Name)
		f := encField{name: from.Name, typ: c.of(from.Type, at), hasDefault: from.HasDefault}
		if f.hasDefault {
			var err error
			if f.unset, err = from.AppendDefault(nil); err != nil {
				c.problems = append(c.problems, fmt.Errorf("%s: %w", at, err))
			}
		}
		t.index[f.name] = i
		t.fields = append(t.fields, f)
	}
	for i, from := range t.Fields {
		for _, alias := range from.Aliases {
			if _, taken := t.index[alias]; !taken {
				t.index[alias] = i
			}
		}
	}
}
