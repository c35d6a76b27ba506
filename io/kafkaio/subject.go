package kafkaio

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/twmb/franz-go/pkg/sr"
)

// Latest returns the newest schema of a subject, as JSON.
func (r *Registry) Latest(ctx context.Context, subject string) (string, error) {
	client, err := r.client()
	if err != nil {
		return "", err
	}
	found, err := client.SchemaByVersion(ctx, subject, -1)
	if err != nil {
		return "", fmt.Errorf("schema registry: latest schema of %s: %w", subject, err)
	}
	return found.Schema.Schema, nil
}

// Register makes a schema the newest one of a subject, if it is not there already, and
// returns what precedes values written with it: a zero byte and its id in four bytes.
func (r *Registry) Register(ctx context.Context, subject, schema string) (frame []byte, err error) {
	client, err := r.client()
	if err != nil {
		return nil, err
	}
	found, err := client.CreateSchema(ctx, subject, sr.Schema{Schema: schema, Type: sr.TypeAvro})
	if err != nil {
		return nil, fmt.Errorf("schema registry: register the schema of %s: %w", subject, err)
	}
	return binary.BigEndian.AppendUint32([]byte{0}, uint32(found.ID)), nil
}
