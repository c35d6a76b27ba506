package decode

import (
	"tributary/io/format/avro"
	"tributary/io/record"
	"tributary/transforms/attribution/rules"
)

// Scanner reads the event times of an input's records and nothing else: a plan needs
// to know where in a log which times are, before anything is joined.
type Scanner struct {
	extractor record.Extractor
	unit      record.Unit
	values    []record.Value
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
	in := &p.Inputs[input]
	s := &Scanner{unit: in.Time.Unit}
	text, err := schemaOf(p, schema, "")
	if err != nil {
		return nil, err
	}
	s.extractor, s.values, err = schemas{}.extractor(in, text, avro.Project, append([]string{slotTime: in.Time.Path}, extra...), 1+len(extra), unitOf{in.Time.Path, &s.unit})
	return s, err
}

// Scan calls each for the records of b that can be told apart: in a batch that is not
// framed, what follows a damaged record cannot. It returns how many bytes follow the last of
// so many records as b should have.
func (s *Scanner) Scan(b record.Batch, each func(Scanned)) (behind int64) {
	rest := b.Records
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
		n, err := s.extractor.Extract(rec, s.values)
		if err != nil && !b.Framed {
			if n = skip(s.extractor, rec); n < 0 {
				return 0
			}
		}
		if !b.Framed {
			rec, rest = rec[:n], rec[n:]
		}
		if err == nil {
			if t, err := s.values[slotTime].Millis(s.unit); err == nil {
				found.Time = t
			}
			found.Extra, found.Record = s.values[slotTime+1:], rec
		}
		each(found)
	}
	return int64(len(rest))
}

// time returns the event time of one record, record.NoTime where it has none.
func (s *Scanner) time(rec []byte) int64 {
	if _, err := s.extractor.Extract(rec, s.values); err != nil {
		return record.NoTime
	}
	t, err := s.values[slotTime].Millis(s.unit)
	if err != nil {
		return record.NoTime
	}
	return t
}
