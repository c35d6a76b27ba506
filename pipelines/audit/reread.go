package audit

import (
	"context"
	"fmt"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/source"
	"tributary/io/record"
	"tributary/pipelines/job"
	"tributary/pipelines/job/stream"
	"tributary/pipelines/spec"
	"tributary/transforms/attribution/decode"
	"tributary/transforms/attribution/rules"
)

// readAgain calls take with the ids of the views that the records of some ranges of the inputs' logs are, or name; valid for the call.
// What names none is passed over: it is in no sample.
func readAgain(ctx context.Context, s *spec.Spec, ranges []stream.OffsetRange, take func(id []byte) error) error {
	params, sources := job.Of(s)
	ranged, err := rangesOf(ctx, s, &params, sources)
	if err != nil {
		return err
	}
	if err := ranged.topics.ChooseSchemas(); err != nil {
		return err
	}
	of := map[cluster.Partition]source.Range{}
	for _, r := range ranged.all {
		of[r.Partition] = r
	}
	readers := decode.NewReaders(&params)
	for _, want := range ranges {
		r, there := of[want.Partition]
		if !there {
			continue
		}
		r.From, r.To, r.Clock = max(r.From, want.From), min(r.To, want.To), record.NoClock
		if r.From >= r.To {
			continue
		}
		err := ranged.reading.ReadRange(ctx, r, func(b record.Batch) error {
			reader, err := readers.Of(&b)
			if err != nil || reader.Unusable != nil {
				return nil //nolint:nilerr // these records are dead letters
			}
			if k := reader.Input.Kind; k != rules.Views && len(s.Engagements[k].Key) > 0 {
				return nil // they name a key
			}
			return eachID(reader, b, take)
		}, func(record.Rejected) error { return nil })
		if err != nil {
			return fmt.Errorf("what was read after a partition was idle: %w", err)
		}
	}
	return nil
}

// eachID calls take for the ids of a batch that can be read.
func eachID(reader *decode.Reader, b record.Batch, take func(id []byte) error) (err error) {
	rest := b.Records
	reader.Beside(b.Beside())
	for range b.Count {
		rec := rest
		if b.Framed {
			if _, rec, rest, err = record.NextFramed(rest); err != nil {
				return nil //nolint:nilerr // it is a dead letter
			}
		}
		if b.Own {
			var own []byte
			if own, rec, err = record.SplitOwned(rec); err != nil {
				return nil //nolint:nilerr // likewise
			}
			reader.Beside(own)
		}
		n, err := reader.Read(rec)
		if err != nil && !b.Framed {
			if n = reader.Skip(rec); n < 0 {
				return nil
			}
		}
		if !b.Framed {
			rest = rec[n:]
		}
		if err != nil {
			continue
		}
		if err := idsOf(reader, rec, take); err != nil {
			return err
		}
	}
	return nil
}

// idsOf calls take for those of the record last read: of several where it is a list.
func idsOf(reader *decode.Reader, rec []byte, take func(id []byte) error) error {
	if reader.Input.Each == "" {
		return idOf(reader, take)
	}
	for at := range reader.Elements() {
		if _, err := reader.ReadElement(rec, at); err != nil {
			continue
		}
		if err := idOf(reader, take); err != nil {
			return err
		}
	}
	return nil
}

// idOf calls take for the id of the event last read, unless the spec leaves it out or it is a dead letter.
func idOf(reader *decode.Reader, take func(id []byte) error) error {
	if reader.Input.Decides() {
		if matches, err := reader.Matches(); err != nil || !matches {
			return nil //nolint:nilerr // it is in no sample
		}
	}
	if _, err := reader.Time(); err != nil {
		return nil //nolint:nilerr // likewise
	}
	id, err := reader.ID()
	if err != nil {
		return nil //nolint:nilerr // likewise
	}
	return take(id)
}
