package kafkaio

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
	"tributary/io/record"
)

// MarksTopic is the compacted topic in which readers note marks.
type MarksTopic struct {
	Cluster string `json:",omitempty"`
	Topic   string
}

// Mark is a fact about a log: its clock before an offset. Marks may be
// repeated, stale or missing without harm; the more there are, the less a restart reads.
type Mark struct {
	Partition cluster.Partition
	Position
	// Begin says that it is where the job's reading began: to the job there is nothing
	// before it, and marks that were written earlier are about another reading.
	Begin bool
	// TopicID is the id of the topic that it is about; zero if it is not known.
	TopicID kadm.TopicID
	// Written is when it was written, in ms.
	Written int64
}

// ring is a set of keys that a partition's marks take in turn, as event time goes on: of
// each stretch of event time compaction keeps one mark, and of all that is older none.
type ring struct {
	name    string
	stretch time.Duration
	keys    int64
}

// rings: the minutes of half a day, for a job that was at work until just now, and the hours
// of three weeks, for long windows and partitions that are far ahead of others. They take
// about 100 KB a partition.
var rings = []ring{{"m", time.Minute, 512}, {"h", time.Hour, 512}}

// stretchOf is the number of a ring's stretch that holds an event time.
func (g ring) stretchOf(ms int64) int64 { return ms / g.stretch.Milliseconds() }

// markValue is what a mark's record holds. There is no event time if none was read before.
type markValue struct {
	Partition cluster.Partition `json:"partition"`
	Offset    int64             `json:"offset"`
	MaxTimeMs *int64            `json:"max_event_time_ms,omitempty"`
	SecondMs  *int64            `json:"second_event_time_ms,omitempty"` // largest but one
	Begin     bool              `json:"begin,omitempty"`
	TopicID   string            `json:"topic_id,omitempty"`
}

// records are the mark as records of a marks topic, one a ring.
func (m Mark) records(topic string) ([]*kgo.Record, error) {
	v := markValue{Partition: m.Partition, Offset: m.Offset, Begin: m.Begin}
	if m.Clock != record.NoClock {
		v.MaxTimeMs, v.SecondMs = &m.Clock.Largest, &m.Clock.Second
	}
	if m.TopicID != (kadm.TopicID{}) {
		v.TopicID = hex.EncodeToString(m.TopicID[:])
	}
	value, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("mark of %s: %w", m.Partition, err)
	}
	if m.Begin {
		return []*kgo.Record{{Topic: topic, Key: []byte(m.Partition.String() + "/begin"), Value: value}}, nil
	}
	var records []*kgo.Record
	for _, g := range rings {
		key := m.Partition.String() + "/" + g.name + strconv.FormatInt(g.stretchOf(m.Clock.Largest)%g.keys, 10)
		records = append(records, &kgo.Record{Topic: topic, Key: []byte(key), Value: value})
	}
	return records, nil
}

// parseMark reads what records wrote.
func parseMark(r *kgo.Record) (Mark, error) {
	var v markValue
	if err := json.Unmarshal(r.Value, &v); err != nil {
		return Mark{}, fmt.Errorf("a mark: %w", err)
	}
	m := Mark{Partition: v.Partition, Position: Position{Offset: v.Offset, Clock: record.NoClock}, Begin: v.Begin, Written: r.Timestamp.UnixMilli()}
	if v.MaxTimeMs != nil {
		m.Clock = record.Clock{Largest: *v.MaxTimeMs, Second: *cmp.Or(v.SecondMs, v.MaxTimeMs)}
	}
	id, err := hex.DecodeString(v.TopicID)
	if err != nil || len(id) > len(m.TopicID) {
		return Mark{}, fmt.Errorf("a mark: its topic id %q is not one", v.TopicID)
	}
	copy(m.TopicID[:], id)
	return m, nil
}

// ReadMarks reads all marks that are in the topic now, in no particular order. The error
// names the topic; one that holds no marks is none.
func ReadMarks(ctx context.Context, c cluster.Config, topic string) ([]Mark, error) {
	var marks []Mark
	err := cluster.ReadAll(ctx, c, topic, func(r *kgo.Record) error {
		if r.Value == nil {
			return nil // somebody has removed one
		}
		m, err := parseMark(r)
		marks = append(marks, m)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("marks in topic %s: %w", topic, err)
	}
	return marks, nil
}

// Resume returns where to read each partition from so that every record with an event time
// of before (ms) or later is read again: the latest mark with no such record behind it, or
// else where the reading of the partition began. A partition of which neither is known is
// not among them. Where a cut is such a mark, the latest cut comes before other marks.
func Resume(marks, cuts []Mark, before int64) map[cluster.Partition]Position {
	begins := map[cluster.Partition]Mark{}
	from := map[cluster.Partition]Position{}
	for _, m := range marks {
		if begin, ok := begins[m.Partition]; m.Begin && (!ok || m.Written >= begin.Written) {
			begins[m.Partition], from[m.Partition] = m, m.Position
		}
	}
	latest := func(marks []Mark, from map[cluster.Partition]Position) map[cluster.Partition]Position {
		for _, m := range marks {
			if begin, ok := begins[m.Partition]; m.Begin || m.Clock.Largest >= before || ok && m.Written < begin.Written {
				continue
			}
			if have, ok := from[m.Partition]; !ok || m.Offset > have.Offset {
				from[m.Partition] = m.Position
			}
		}
		return from
	}
	maps.Copy(latest(marks, from), latest(cuts, map[cluster.Partition]Position{}))
	return from
}

// dueMarks returns the marks of partitions whose event time has come to another stretch, or
// which have none yet. A clock that was raised after an idle partition came back is not a
// fact about the log: the mark has the one that is.
func (r *reader) dueMarks(at restriction) []Mark {
	var marks []Mark
	for i, p := range at.Partitions {
		clock := p.logClock()
		if clock == record.NoClock {
			continue
		}
		if stretch := rings[0].stretchOf(clock.Largest); !r.parts[i].marked || r.parts[i].stretch != stretch {
			r.parts[i].marked, r.parts[i].stretch = true, stretch
			marks = append(marks, Mark{Partition: r.parts[i].name(), Position: Position{Offset: p.Next, Clock: clock}, TopicID: at.topicID(p.Topic)})
		}
	}
	return marks
}

// noteBegin writes down where the reading of partitions begins, unless it goes on from marks.
func (r *Reading) noteBegin(ctx context.Context, at restriction) error {
	if r.Marks == nil || r.Start.At == AtOffsets && !r.Start.Begins || len(at.Partitions) == 0 {
		return nil
	}
	marks := make([]Mark, 0, len(at.Partitions))
	for _, p := range at.Partitions {
		t := r.Topics[p.Topic]
		marks = append(marks, Mark{
			Partition: cluster.Partition{Cluster: t.Cluster, Topic: t.Name, Partition: p.Partition},
			Position:  Position{Offset: p.Next, Clock: p.Clock}, Begin: true, TopicID: at.topicID(p.Topic),
		})
	}
	brokers, _ := r.cluster(r.Marks.Cluster)
	client, err := brokers.Connect(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, noteWithin)
	defer cancel()
	return writeMarks(ctx, client, r.Marks.Topic, marks)
}

func writeMarks(ctx context.Context, client *kgo.Client, topic string, marks []Mark) error {
	var records []*kgo.Record
	var errs []error
	for _, m := range marks {
		of, err := m.records(topic)
		records, errs = append(records, of...), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return fmt.Errorf("write marks to %s: %w", topic, err)
	}
	return nil
}
