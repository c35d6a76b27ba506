package sink

import (
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/zeebo/xxh3"

	"tributary/io/kafkaio/commitlog"
)

// A group that is larger than a transaction should be is written in several, one after another.
// Each but the last notes in the commit log how many records of the group are written by then, and
// their digest: whoever goes on after a crash finds it there, sees that its own group begins with
// the same records, and writes the rest. So where a group was cut does not matter to it. If its
// group begins otherwise, it writes all of it as the next version.

const (
	// DefaultTransactionBytes are what a broker that takes 1.5 MB/s from a shard takes within
	// DefaultTransactionTimeout.
	DefaultTransactionBytes = 64 << 20
	// TransactionRecords bound what a client holds beside the bytes, some 300 each.
	TransactionRecords = 200_000
)

// border is a place between two records of a group.
type border struct {
	part, offset int
	// records and bytes come before it, and digest is that of their frames.
	records, bytes int64
	digest         uint64
}

// piece is what one transaction writes of a group: all records, mostly.
type piece struct {
	decision
	from, to border
	last     bool
}

// transaction is what is written at once.
type transaction struct {
	pieces         []piece
	bytes, records int64
}

func (t *transaction) add(p piece) {
	t.pieces = append(t.pieces, p)
	t.bytes += p.to.bytes - p.from.bytes
	t.records += p.to.records - p.from.records
}

// transactions cuts a plan. What fits into one transaction is not spread over two.
func (p *plan) transactions(most int64) (all []transaction, err error) {
	var open transaction
	flush := func() {
		if len(open.pieces) > 0 {
			all = append(all, open)
			open = transaction{}
		}
	}
	for _, d := range p.decisions {
		if d.skip {
			continue
		}
		cuts, err := d.group.cut(d.from, most)
		if err != nil {
			return nil, err
		}
		whole := piece{decision: d, from: cuts[0], to: cuts[len(cuts)-1], last: true}
		bytes, records := whole.to.bytes-whole.from.bytes, whole.to.records-whole.from.records
		if open.bytes+bytes > most || open.records+records > TransactionRecords {
			flush()
		}
		if len(cuts) <= 2 {
			open.add(whole)
			continue
		}
		for i := 1; i < len(cuts); i++ {
			open.add(piece{decision: d, from: cuts[i-1], to: cuts[i], last: i == len(cuts)-1})
			flush()
		}
	}
	flush()
	return all, nil
}

// cut returns the border behind the first from records, the end of the group, and between them
// as many others as it takes to have no more than most bytes from one to the next, or one record.
func (g *group) cut(from, most int64) ([]border, error) {
	if first, last := (border{}), g.end(); from == 0 && last.bytes <= most && last.records <= TransactionRecords {
		return []border{first, last}, nil
	}
	var cuts []border
	err := g.walk(func(at border) bool {
		switch {
		case at.records < from:
		case len(cuts) == 0:
			cuts = append(cuts, at)
		default:
			last := &cuts[len(cuts)-1]
			if len(cuts) > 1 && at.bytes-cuts[len(cuts)-2].bytes <= most && at.records-cuts[len(cuts)-2].records <= TransactionRecords {
				*last = at // still within the same
			} else {
				cuts = append(cuts, at)
			}
		}
		return true
	})
	if err == nil && len(cuts) == 1 {
		cuts = append(cuts, cuts[0])
	}
	return cuts, err
}

// end is the border behind the last record.
func (g *group) end() border {
	b := border{records: g.records, digest: g.digest}
	for i, part := range g.parts {
		b.part, b.offset, b.bytes = i, len(part), b.bytes+int64(len(part))
	}
	return b
}

// begins tells whether the group begins with what the entry says is written.
func (g *group) begins(e commitlog.Entry) (same bool, err error) {
	err = g.walk(func(at border) bool {
		same = at.records == e.Records && at.digest == e.Digest
		return at.records < e.Records
	})
	return same, err
}

// walk visits the borders of the group from its start to its end, until visit returns false.
func (g *group) walk(visit func(at border) bool) error {
	h := xxh3.New()
	at := border{digest: h.Sum64()}
	if !visit(at) {
		return nil
	}
	for i, part := range g.parts {
		at.part, at.offset = i, 0
		for rest := part; len(rest) > 0; {
			_, _, _, after, err := nextRecord(rest)
			if err != nil {
				return fmt.Errorf("part %d of group %d: %w", i, g.id, err)
			}
			size := len(rest) - len(after)
			_, _ = h.Write(rest[:size]) // a hash takes all it is given
			at.offset, at.records, at.bytes, rest = at.offset+size, at.records+1, at.bytes+int64(size), after
			at.digest = h.Sum64()
			if !visit(at) {
				return nil
			}
		}
	}
	return nil
}

// appendRecords appends the records of a piece that the topic takes.
func (p *piece) appendRecords(slab []kgo.Record, topic string) ([]kgo.Record, error) {
	headers := []kgo.RecordHeader{{Key: VersionHeader, Value: strconv.AppendInt(nil, int64(p.version), 10)}}
	g := p.group
	for i := p.from.part; i <= p.to.part && i < len(g.parts); i++ {
		part := g.parts[i]
		if i == p.to.part {
			part = part[:p.to.offset]
		}
		if i == p.from.part {
			part = part[p.from.offset:]
		}
		for rest := part; len(rest) > 0; {
			key, value, stamp, after, err := nextRecord(rest)
			if err != nil {
				return nil, fmt.Errorf("part %d of group %d: %w", i, g.id, err)
			}
			if rest = after; g.refuses(key, value) {
				continue
			}
			r := kgo.Record{Topic: topic, Value: value, Headers: headers}
			if len(key) > 0 {
				r.Key = key
			}
			if stamp != NoTimestamp {
				r.Timestamp = time.UnixMilli(stamp)
			}
			slab = append(slab, r)
		}
	}
	return slab, nil
}

// entry is what the commit log says once the piece is written.
func (p *piece) entry() commitlog.Entry {
	if p.last {
		return p.group.entry(p.version)
	}
	return commitlog.Entry{Version: p.version, Records: p.to.records, Digest: p.to.digest, Partial: true}
}

// records lays out a transaction: the samples first, so that a commit log record in the log
// says that its samples are in the log. The first of a plan lets go what the plan does.
func (s *shardWriter) records(t *transaction, drop []int64, truncatedBefore int64) ([]*kgo.Record, error) {
	// One allocation, for the pointers below stay valid.
	slab := make([]kgo.Record, 0, int(t.records)+len(t.pieces)+len(drop)+1)
	var err error
	for i := range t.pieces {
		if slab, err = t.pieces[i].appendRecords(slab, s.w.Topic); err != nil {
			return nil, err
		}
	}
	if !s.log.Headed {
		r, err := s.header().Record(s.w.CommitLog, s.shard)
		if err != nil {
			return nil, err
		}
		slab = append(slab, *r)
	}
	for _, id := range drop {
		slab = append(slab, kgo.Record{Topic: s.w.CommitLog, Partition: s.shard, Key: commitlog.Key(s.shard, id)})
	}
	for i := range t.pieces {
		p := &t.pieces[i]
		l := commitlog.Record{Shard: s.shard, ID: p.group.id, TruncatedBefore: truncatedBefore, Job: s.w.Job, Entry: p.entry()}
		slab = append(slab, kgo.Record{Topic: s.w.CommitLog, Partition: s.shard, Key: commitlog.Key(l.Shard, l.ID), Value: l.Value()})
	}
	records := make([]*kgo.Record, len(slab))
	for i := range slab {
		records[i] = &slab[i]
	}
	return records, nil
}
