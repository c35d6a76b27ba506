package decode

import (
	"fmt"
	"slices"

	"tributary/io/format/avro"
	"tributary/io/record"
	"tributary/transforms/attribution/rules"
)

// Scanner reads the event times of an input's records and nothing else: a plan needs
// to know where in a log which times are, before anything is joined.
type Scanner struct {
	extractor record.Extractor
	at        *record.TimeReader
	values    []record.Value
	owns      owns
	own       []byte // what is known of the record at hand beside it
	ownTime   bool   // the time is of that
	computed  []computedSlot
	extra     int // how many fields the extra ones are
}

// Scanned is what a Scanner found in one record.
type Scanned struct {
	// Time is the event time in ms, record.NoTime where the record has none.
	Time int64
	// Offset is the record's in the log.
	Offset int64
	// Extra are the values of the extra fields, valid until the next record.
	Extra []record.Value
	// Record is the record's bytes.
	Record []byte
}

// NewScanner returns a Scanner of the input's records with that schema (0 for JSON). It
// also reads the extra fields.
func NewScanner(p *rules.Params, input int, schema uint64, extra ...string) (*Scanner, error) {
	text, err := schemaOf(p, schema, "")
	if err != nil {
		return nil, err
	}
	return newScanner(p, &p.Inputs[input], schemas{}, text, extra...)
}

func newScanner(p *rules.Params, in *rules.Input, known schemas, schema string, extra ...string) (*Scanner, error) {
	s := &Scanner{extra: len(extra)}
	var err error
	if s.at, err = record.NewTimeReader(in.Time.Form()); err != nil {
		return nil, fmt.Errorf("field %s: %w", in.Time.Path, err)
	}
	paths := append([]string{slotTime: in.Time.Path}, extra...)
	if s.computed, paths, err = computedSlots(p, in, paths); err != nil {
		return nil, err
	}
	s.owns, s.ownTime = ownsOf(paths), record.IsOwn(in.Time.Path)
	if len(s.computed) > 0 { // partitions and offsets are not
		s.ownTime = !slices.ContainsFunc(paths[1+len(extra):], func(path string) bool { return !record.IsOwn(path) })
	}
	s.extractor, s.values, err = known.extractor(in, schema, avro.Project, paths, 1+len(extra), 1+len(extra), timeOf{in.Time.Path, s.at})
	return s, err
}

// Scan calls each for the records of b that can be told apart: in a batch that is not
// framed, what follows a damaged record cannot. It returns how many bytes follow the last of
// so many records as b should have.
func (s *Scanner) Scan(b record.Batch, each func(Scanned)) (behind int64) {
	rest := b.Records
	s.own = b.Beside()
	for i := range b.Count {
		found := Scanned{Time: record.NoTime, Offset: b.Offset + int64(i)}
		rec := rest
		if b.Framed {
			distance, framed, after, err := record.NextFramed(rest)
			if err != nil {
				return 0
			}
			found.Offset, rec, rest = b.Offset+distance, framed, after
		}
		if b.Own {
			var err error
			if s.own, rec, err = record.SplitOwned(rec); err != nil {
				return 0
			}
		}
		n, err := s.extractor.Extract(rec, s.values)
		s.owns.fill(s.values, s.own)
		if err != nil && !b.Framed {
			if n = skip(s.extractor, rec); n < 0 {
				return 0
			}
		}
		if !b.Framed {
			rec, rest = rec[:n], rec[n:]
		}
		if err == nil || s.ownTime {
			found.Time = s.millis()
		}
		if err == nil {
			found.Extra, found.Record = s.values[slotTime+1:slotTime+1+s.extra], rec
		}
		each(found)
	}
	return int64(len(rest))
}

// time returns the event time of one record, record.NoTime where it has none.
func (s *Scanner) time(rec []byte) int64 {
	_, err := s.extractor.Extract(rec, s.values)
	s.owns.fill(s.values, s.own)
	if err != nil && !s.ownTime {
		return record.NoTime
	}
	return s.millis()
}

// millis is the event time in ms of the values, record.NoTime where there is none.
func (s *Scanner) millis() int64 {
	if compute(s.computed, s.values) != nil {
		return record.NoTime
	}
	t, err := s.at.Millis(s.values[slotTime])
	if err != nil {
		return record.NoTime
	}
	return t
}
