package registry

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/twmb/franz-go/pkg/sr"
)

// Latest returns the newest schema of a subject, as JSON.
func (r *Config) Latest(ctx context.Context, subject string) (string, error) {
	var found sr.SubjectSchema
	err := r.ask(ctx, func(c *sr.Client) (err error) {
		if found, err = c.SchemaByVersion(ctx, subject, -1); err == nil && found.Schema.Schema == "" {
			err = errNoSchema
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("schema registry: latest schema of %s: %w", subject, err)
	}
	return found.Schema.Schema, nil
}

// Register makes a schema the newest one of a subject, if it is not there already, and
// returns what precedes values written with it: a zero byte and its id in four bytes.
func (r *Config) Register(ctx context.Context, subject, schema string) (frame []byte, err error) {
	var found sr.SubjectSchema
	err = r.ask(ctx, func(c *sr.Client) (err error) {
		found, err = c.CreateSchema(ctx, subject, sr.Schema{Schema: schema, Type: sr.TypeAvro})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("schema registry: register the schema of %s: %w", subject, err)
	}
	return binary.BigEndian.AppendUint32([]byte{0}, uint32(found.ID)), nil
}

// Subjects lists what the registry has schemas of. An error of an answer wraps *sr.ResponseError.
func (r *Config) Subjects(ctx context.Context) (subjects []string, err error) {
	err = r.ask(ctx, func(c *sr.Client) (err error) {
		subjects, err = c.Subjects(ctx)
		return err
	})
	return subjects, err
}

func (r *Config) ask(ctx context.Context, question func(*sr.Client) error) error {
	client, err := r.client()
	if err != nil {
		return err
	}
	return client.ask(ctx, question)
}
