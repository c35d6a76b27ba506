package registry

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/sr"
)

// ErrNoSubject says that a registry has no schema of a subject.
var ErrNoSubject = errors.New("there is no such subject")

// Latest returns the newest schema of a subject. An *UnusableError means that it is one that records cannot be read with, ErrNoSubject
// that the registry says that there is none.
func (r *Config) Latest(ctx context.Context, subject string) (*Schema, error) {
	client, err := r.client()
	if err != nil {
		return nil, err
	}
	var found sr.SubjectSchema
	err = client.ask(ctx, func(c *sr.Client) (err error) {
		if found, err = c.SchemaByVersion(ctx, subject, -1); err == nil && found.Schema.Schema == "" {
			err = errNoSchema
		}
		return err
	})
	var answer *sr.ResponseError
	switch {
	case err != nil && itself(err) && errors.As(err, &answer) && (answer.ErrorCode == noSubject || answer.ErrorCode == noVersion):
		return nil, fmt.Errorf("schema registry: latest schema of %s: %w: %w", subject, ErrNoSubject, err)
	case err != nil && typeIn(err) != "":
		return nil, fmt.Errorf("schema registry: latest schema of %s: %w", subject, &UnusableError{reason: otherType(err)})
	case err != nil:
		return nil, fmt.Errorf("schema registry: latest schema of %s: %w", subject, err)
	}
	schema, err := client.complete(ctx, fmt.Sprintf("schema id %d", found.ID), found.Schema)
	var unusable *UnusableError
	switch {
	case errors.As(err, &unusable):
		return nil, fmt.Errorf("schema registry: latest schema of %s: %w", subject, unusable)
	case err != nil:
		return nil, fmt.Errorf("schema registry: latest schema of %s: %w", subject, err)
	}
	return schema, nil
}

// Names are what records of any version of a subject's schema may be called, see Schema.Names. Versions that cannot be used are passed over.
func (r *Config) Names(ctx context.Context, subject string) (names []string, err error) {
	client, err := r.client()
	if err != nil {
		return nil, err
	}
	var all []sr.SubjectSchema
	err = client.ask(ctx, func(c *sr.Client) (err error) {
		all, err = c.Schemas(ctx, subject)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("schema registry: schemas of %s: %w", subject, err)
	}
	for _, one := range all {
		schema, err := client.complete(ctx, fmt.Sprintf("schema id %d", one.ID), one.Schema)
		var unusable *UnusableError
		switch {
		case errors.As(err, &unusable):
		case err != nil:
			return nil, fmt.Errorf("schema registry: schemas of %s: %w", subject, err)
		default:
			names = append(names, schema.Names()...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
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
