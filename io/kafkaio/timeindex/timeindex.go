// Package timeindex notes, in a compacted topic, where in the log of each partition an event time is, so
// that a job can begin again from the log without reading all of it.
//
// An entry is a fact about a log: its clock before an offset. Entries may be repeated, old or missing
// without harm; the more there are, the less a restart reads. Compaction keeps those of the minutes of
// half a day and of the hours of three weeks (see Tiers).
package timeindex

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
	"tributary/io/record"
)

// Topic is the compacted topic in which readers note entries.
type Topic struct {
	Cluster string `json:",omitempty"`
	Topic   string
}

// Entry is a fact about a log: its clock before an offset. Entries may be
// repeated, stale or missing without harm; the more there are, the less a restart reads.
type Entry struct {
	Partition cluster.Partition
	Position
	// Begin says that it is where the job's reading began: to the job there is nothing
	// before it, and entries that were written earlier are about another reading.
	Begin bool
	// TopicID is the id of the topic that it is about; zero if it is not known.
	TopicID kadm.TopicID
	// Written is when it was written, in ms.
	Written int64
}

// tier is a set of keys that a partition's entries take in turn, as event time goes on: of
// each span of event time compaction keeps one entry, and of all that is older none.
type tier struct {
	name string
	span time.Duration
	keys int64
}

// Tiers are the minutes of half a day, for a job that was at work until just now, and the hours
// of three weeks, for long windows and partitions that are far ahead of others. They take
// about 100 KB a partition.
var Tiers = []tier{{"m", time.Minute, 512}, {"h", time.Hour, 512}}

// SpanOf is the number of a tier's spans that holds an event time.
func (g tier) SpanOf(ms int64) int64 { return ms / g.span.Milliseconds() }

// entryValue is what an entry's record holds. There is no event time if none was read before.
type entryValue struct {
	Partition cluster.Partition `json:"partition"`
	Offset    int64             `json:"offset"`
	MaxTimeMs *int64            `json:"max_event_time_ms,omitempty"`
	SecondMs  *int64            `json:"second_event_time_ms,omitempty"` // largest but one
	Begin     bool              `json:"begin,omitempty"`
	TopicID   string            `json:"topic_id,omitempty"`
}

// Records are the entry as records of a topic of a time index, one a tier.
func (m Entry) Records(topic string) ([]*kgo.Record, error) {
	v := entryValue{Partition: m.Partition, Offset: m.Offset, Begin: m.Begin}
	if m.Clock != record.NoClock {
		v.MaxTimeMs, v.SecondMs = &m.Clock.Largest, &m.Clock.Second
	}
	if m.TopicID != (kadm.TopicID{}) {
		v.TopicID = hex.EncodeToString(m.TopicID[:])
	}
	value, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("time index entry of %s: %w", m.Partition, err)
	}
	if m.Begin {
		return []*kgo.Record{{Topic: topic, Key: []byte(m.Partition.String() + "/begin"), Value: value}}, nil
	}
	var records []*kgo.Record
	for _, g := range Tiers {
		key := m.Partition.String() + "/" + g.name + strconv.FormatInt(g.SpanOf(m.Clock.Largest)%g.keys, 10)
		records = append(records, &kgo.Record{Topic: topic, Key: []byte(key), Value: value})
	}
	return records, nil
}

// parse reads what records wrote.
func parse(r *kgo.Record) (Entry, error) {
	var v entryValue
	if err := json.Unmarshal(r.Value, &v); err != nil {
		return Entry{}, fmt.Errorf("an entry of the time index: %w", err)
	}
	m := Entry{Partition: v.Partition, Position: Position{Offset: v.Offset, Clock: record.NoClock}, Begin: v.Begin, Written: r.Timestamp.UnixMilli()}
	if v.MaxTimeMs != nil {
		m.Clock = record.Clock{Largest: *v.MaxTimeMs, Second: *cmp.Or(v.SecondMs, v.MaxTimeMs)}
	}
	id, err := hex.DecodeString(v.TopicID)
	if err != nil || len(id) > len(m.TopicID) {
		return Entry{}, fmt.Errorf("an entry of the time index: its topic id %q is not one", v.TopicID)
	}
	copy(m.TopicID[:], id)
	return m, nil
}

// Read reads all entries that are in the topic now, in no particular order. The error
// names the topic; one that holds no entries is none.
func Read(ctx context.Context, c cluster.Config, topic string) ([]Entry, error) {
	var entries []Entry
	err := cluster.ReadAll(ctx, c, topic, func(r *kgo.Record) error {
		if r.Value == nil {
			return nil // somebody has removed one
		}
		m, err := parse(r)
		entries = append(entries, m)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("time index in topic %s: %w", topic, err)
	}
	return entries, nil
}

// Cuts are what a job's accounts of a log say of where reading it can go on.
type Cuts struct {
	// Entries are where offset ranges begin that are accounted for.
	Entries []Entry
	// At tells whether a partition can be read on from an offset so that what is accounted for then goes
	// on from what is: it lies in no offset range, nor behind one that is not accounted for. If it is nil, all can.
	At func(cluster.Partition, int64) bool
}

// Resume returns where to read each partition from so that every record with an event time
// of before (ms) or later is read again: the latest entry or cut with no such record behind it, or
// else where the reading of the partition began. A partition of which neither is known is
// not among them.
func Resume(entries []Entry, cuts Cuts, before int64) map[cluster.Partition]Position {
	begins := map[cluster.Partition]Entry{}
	from := map[cluster.Partition]Position{}
	for _, m := range entries {
		if begin, ok := begins[m.Partition]; m.Begin && (!ok || m.Written >= begin.Written) {
			begins[m.Partition], from[m.Partition] = m, m.Position
		}
	}
	for _, m := range slices.Concat(entries, cuts.Entries) {
		begin, begun := begins[m.Partition]
		if m.Begin || m.Clock.Largest >= before || begun && m.Written < begin.Written || cuts.At != nil && !cuts.At(m.Partition, m.Offset) {
			continue
		}
		if have, ok := from[m.Partition]; !ok || m.Offset > have.Offset {
			from[m.Partition] = m.Position
		}
	}
	return from
}

// Write writes entries to a topic.
func Write(ctx context.Context, client *kgo.Client, topic string, entries []Entry) error {
	var records []*kgo.Record
	var errs []error
	for _, m := range entries {
		of, err := m.Records(topic)
		records, errs = append(records, of...), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return fmt.Errorf("write the time index to %s: %w", topic, err)
	}
	return nil
}

// TopicIDs returns the id that the topic of each partition had when it was noted last.
func TopicIDs(entries []Entry) map[cluster.Partition]kadm.TopicID {
	newest := map[cluster.Partition]Entry{}
	for _, m := range entries {
		if have, ok := newest[m.Partition]; !ok || m.Written >= have.Written {
			newest[m.Partition] = m
		}
	}
	ids := map[cluster.Partition]kadm.TopicID{}
	for p, m := range newest {
		ids[p] = m.TopicID
	}
	return ids
}
