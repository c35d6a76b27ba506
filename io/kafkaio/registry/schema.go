package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/sr"

	"tributary/io/format/avro"
	"tributary/io/format/protobuf"
	"tributary/io/kafkaio/cluster"
)

// Type is the language of a schema, as a registry calls it.
type Type string

// Types of schemas.
const (
	Avro     Type = "AVRO"
	JSON     Type = "JSON"
	Protobuf Type = "PROTOBUF"
)

// Schema is a registered schema. What it refers to is in it.
type Schema struct {
	Type Type
	// Avro is the schema of type Avro, Protobuf that of type Protobuf; nil for others.
	Avro *avro.Schema
	// Branches are those of Avro where it is a union at the top.
	Branches avro.Branches
	Protobuf *protobuf.Schema
	// Title is what one of type JSON is called; empty if it has no title.
	Title string
}

// Names are what records of the schema may be called (record.OwnType): that of Avro, those of the records of a union, the title of JSON Schema, all messages of a .proto file.
func (s *Schema) Names() []string {
	switch {
	case s.Branches != nil:
		return s.Branches.Names()
	case s.Avro != nil:
		return []string{s.Avro.Type().Name}
	case s.Protobuf != nil:
		return s.Protobuf.Names()
	case s.Title != "":
		return []string{s.Title}
	}
	return nil
}

// mostReferences bounds how many other schemas one takes: each is asked for by itself.
const mostReferences = 500

// complete makes a Schema of an answer: it asks for all that it refers to. name is what messages call it. The error is a permanent
// *UnusableError if another attempt soon would not change it.
func (c *client) complete(ctx context.Context, name string, found sr.Schema) (*Schema, error) {
	schema := &Schema{Type: Type(found.Type.String())}
	if schema.Type == JSON {
		var named struct {
			Title string `json:"title"`
		}
		if json.Unmarshal([]byte(found.Schema), &named) == nil { // true and false are schemas, too
			schema.Title = named.Title
		}
		return schema, nil
	}
	others, err := c.references(ctx, name, found)
	if err != nil {
		return nil, err
	}
	if schema.Type == Protobuf {
		imports := map[string]string{}
		for _, other := range others {
			if text, taken := imports[other.name]; taken && text != other.text {
				return nil, unusable("%s: it and what it refers to name two schemas %s", name, other.name)
			}
			imports[other.name] = other.text
		}
		schema.Protobuf, err = protobuf.ParseSchema(ctx, found.Schema, imports)
	} else {
		schema.Avro, err = parseAvro(found.Schema, others)
		if err == nil {
			schema.Branches, err = schema.Avro.Branches()
		}
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, unusable("%s: %v", name, err)
	}
	return schema, nil
}

func parseAvro(text string, others []referred) (*avro.Schema, error) {
	texts := make([]string, len(others))
	for i, other := range others {
		texts[i] = other.text
	}
	text, err := avro.Inline(text, texts...)
	if err != nil {
		return nil, err
	}
	return avro.ParseSchema(text)
}

// referred is a schema that another refers to by a name.
type referred struct{ name, text string }

// references asks for all that a schema refers to, and what they refer to.
func (c *client) references(ctx context.Context, name string, of sr.Schema) (all []referred, err error) {
	// A version that was deleted is still what a schema was made of.
	ctx = sr.WithParams(ctx, sr.ShowDeleted)
	asked := map[sr.SchemaReference]bool{}
	for open := of.References; len(open) > 0; open = open[1:] {
		ref := open[0]
		if asked[ref] {
			continue
		}
		asked[ref] = true
		if len(asked) > mostReferences {
			return nil, unusable("%s: refers to more than %d other schemas", name, mostReferences)
		}
		var found sr.SubjectSchema
		err := c.ask(ctx, func(c *sr.Client) (err error) {
			if found, err = c.SchemaByVersion(ctx, ref.Subject, ref.Version); err == nil && found.Schema.Schema == "" {
				err = errNoSchema
			}
			return err
		})
		what := fmt.Sprintf("refers to %s, version %d of subject %s", ref.Name, ref.Version, ref.Subject)
		var answer *sr.ResponseError
		switch {
		case err != nil && itself(err) && errors.As(err, &answer):
			return nil, unknown("%s: %s, of which the registry says (status %d): %s", name, what, answer.StatusCode, cluster.OneLine(err))
		case err != nil:
			return nil, fmt.Errorf("%s: %w", what, err)
		case found.Type != of.Type:
			return nil, unusable("%s: %s, which is of type %s", name, what, found.Type)
		}
		all, open = append(all, referred{ref.Name, found.Schema.Schema}), append(open, found.References...)
	}
	return all, nil
}
