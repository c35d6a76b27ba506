package replay

import (
	"context"
	"fmt"
	"sync/atomic"

	"tributary/io/fileio"
	"tributary/io/format/avro"
	"tributary/io/kafkaio/cluster"
	"tributary/io/record"
)

// Source is Avro files on their way to a topic: in order of name, they are its partitions.
type Source struct {
	Topic string
	// Schema is the one that all files were written with.
	Schema *avro.Schema

	time  string // path of the field with the event time
	files []file
	sent  atomic.Int64
}

// Open looks at files on their way to a topic: a glob or a folder, local or gs://. field is
// the path of the event time. Files with different schemas, which bare Avro could not tell
// apart, or with a damaged block are an error.
func Open(ctx context.Context, files, topic, field string) (*Source, error) {
	found, err := fileio.List(ctx, files)
	if err != nil {
		return nil, fmt.Errorf("publish to %s: %w", topic, err)
	}
	s := &Source{Topic: topic, time: field}
	for _, f := range found {
		if err := s.add(ctx, f.Path); err != nil {
			return nil, fmt.Errorf("publish %s: %w", f.Path, err)
		}
	}
	return s, nil
}

// add looks at a file and appends it.
func (s *Source) add(ctx context.Context, path string) error {
	f := file{path: path, first: record.NoTime}
	schema, err := f.blocks(ctx, s.time, func(c *cutter, block *avro.Block) error {
		f.records += block.Count
		if f.first != record.NoTime {
			return nil // counting needs no decompression
		}
		return c.cut(block, func(_ []byte, at int64) error {
			if f.first == record.NoTime {
				f.first = at
			}
			return nil
		})
	})
	switch {
	case err != nil:
		return err
	case s.Schema == nil:
		s.Schema = schema
	case s.Schema.ID() != schema.ID():
		return fmt.Errorf("its schema is not that of %s: a topic of bare Avro has one", s.files[0].path)
	}
	s.files = append(s.files, f)
	return nil
}

// Records is how many records there are.
func (s *Source) Records() (n int64) {
	for _, f := range s.files {
		n += f.records
	}
	return n
}

// Partitions is how many partitions the topic needs.
func (s *Source) Partitions() int { return len(s.files) }

// Sent is how many records brokers have acknowledged so far. It may be asked while Run runs.
func (s *Source) Sent() int64 { return s.sent.Load() }

// Ends are the offsets behind the last records, once all is sent to a topic that was empty:
// where a job that is started before can be told to stop.
func (s *Source) Ends(name string) map[cluster.Partition]int64 {
	out := map[cluster.Partition]int64{}
	for i, f := range s.files {
		out[cluster.Partition{Cluster: name, Topic: s.Topic, Partition: int32(i)}] = f.records
	}
	return out
}
