package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/format/jsontext"
	"tributary/io/kafkaio/cluster"
	"tributary/io/record"
	"tributary/pipelines/job"
	"tributary/pipelines/job/stream"
	"tributary/pipelines/rejected"
	"tributary/pipelines/spec"
)

// idle are the ids of the views that records are or name which the job has judged by a clock that was not that of their
// partition, since it had been idle. A join in batch has them in time.
type idle struct {
	ids *parts
	// held and heldEarly say that some of what is late, or of what may be for a stage, is behind a transaction that stays open; unknown are the
	// late records that name no view by its id.
	held, heldEarly bool
	unknown         int
}

// readIdle finds them: those that are late by it, as the topic of late records says, and, where there are stages and as long as the
// accounts say which they were, all others, which may be late for a stage.
func readIdle(ctx context.Context, s *spec.Spec, sinks []*sink, dir string) (_ *idle, err error) {
	all := &idle{}
	if all.ids, err = newParts(dir, 0); err != nil {
		return nil, err
	}
	kafka := s.Cluster(s.OutputCluster())
	if s.Outputs.Topics.Late == "" || kafka == nil || !slices.ContainsFunc(sinks, func(k *sink) bool { return len(k.stages) > 0 }) {
		return all, nil
	}
	ids := map[string]idFields{"views": newIDFields(s.Views.ID)}
	for _, e := range s.Engagements {
		if _, named := e.Named(); len(e.Key) == 0 {
			ids[e.Kind] = newIDFields(named)
		}
	}
	all.held, err = cluster.ReadWithin(ctx, job.Kafka(kafka), s.Outputs.Topics.Late, s.Stream.TransactionTimeout, func(r *kgo.Record) error {
		var late rejected.Record
		if err := json.Unmarshal(r.Value, &late); err != nil || !late.AfterIdle {
			return nil //nolint:nilerr // one that was cut is no JSON, and names no view
		}
		id, ok := ids[late.Role].of(late.Record)
		if !ok {
			all.unknown++
			return nil
		}
		return all.ids.put(&entry{side: sideIdle, producer: noProducer, id: id})
	})
	if err != nil {
		return nil, fmt.Errorf("late records: %w", err)
	}
	if s.Outputs.Topics.Accounts == "" || !slices.ContainsFunc(sinks, (*sink).early) {
		return all, nil
	}
	ranges, held, err := stream.AfterIdle(ctx, s, s.Stream.TransactionTimeout)
	if all.heldEarly = held; err == nil && len(ranges) > 0 {
		err = readAgain(ctx, s, ranges, func(id []byte) error { return all.ids.put(&entry{side: sideEarly, producer: noProducer, id: id}) })
	}
	return all, err
}

// early tells whether what is late for a stage shows in the sink.
func (k *sink) early() bool {
	return slices.ContainsFunc(k.stages, func(of stage) bool { return of.early })
}

// put gives the ids to the parts of a sink, and its result the notes.
func (all *idle) put(to *parts, c *comparison) error {
	if len(c.result.Stages) == 0 {
		return nil
	}
	if all.held || all.heldEarly && c.sink.early() {
		c.result.Notes = append(c.result.Notes, "late records or accounts are behind a transaction that stays open: what those explain is among the findings")
	}
	if all.unknown > 0 {
		c.result.Notes = append(c.result.Notes, fmt.Sprintf("%d records are late only because their partition had been idle, and name no view by its id: what they changed is among the findings", all.unknown))
	}
	return all.ids.putInto(to)
}

// idFields read an id of a record as JSON.
type idFields struct {
	reads  record.Extractor
	values []record.Value
}

func newIDFields(paths []string) idFields {
	return idFields{jsontext.NewExtractor(paths), make([]record.Value, len(paths))}
}

func (f idFields) of(text []byte) (id []byte, ok bool) {
	if f.reads == nil || len(text) == 0 {
		return nil, false
	}
	if _, err := f.reads.Extract(text, f.values); err != nil {
		return nil, false
	}
	var err error
	if len(f.values) == 1 {
		id, err = f.values[0].AppendID(nil)
	} else {
		id, _, err = record.AppendIDParts(nil, f.values)
	}
	return id, err == nil
}
