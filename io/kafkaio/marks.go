package kafkaio

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/event"
)

// markEvery is how many offsets of a partition share a mark: so far apart are those that
// compaction leaves, and so much more than needed may be read again.
const markEvery = 1 << 16

// MarksTopic is the compacted topic in which readers note marks.
type MarksTopic struct {
	Cluster string `json:",omitempty"`
	Topic   string
}

// Mark is a fact about a log: the largest event time before an offset. Marks may be
// repeated, stale or missing without harm; the more there are, the less a restart reads.
type Mark struct {
	Partition Partition
	Position
}

// markValue is what a mark's record holds; the record's key names the partition and the
// stretch of offsets.
type markValue struct {
	Partition Partition `json:"partition"`
	Offset    int64     `json:"offset"`
	MaxTimeMs int64     `json:"max_event_time_ms"`
}

// record is the mark as a record of a marks topic.
func (m Mark) record(topic string) (*kgo.Record, error) {
	value, err := json.Marshal(markValue{m.Partition, m.Offset, m.MaxTime})
	if err != nil {
		return nil, fmt.Errorf("mark of %s: %w", m.Partition, err)
	}
	key := m.Partition.String() + "/" + strconv.FormatInt(m.Offset/markEvery, 10)
	return &kgo.Record{Topic: topic, Key: []byte(key), Value: value}, nil
}

// ReadMarks reads all marks that are in the topic now, in no particular order. The error
// names the topic; one that holds no marks is none.
func ReadMarks(ctx context.Context, c Cluster, topic string) ([]Mark, error) {
	var marks []Mark
	err := ReadAll(ctx, c, topic, func(r *kgo.Record) error {
		var v markValue
		if err := json.Unmarshal(r.Value, &v); err != nil {
			return fmt.Errorf("a mark: %w", err)
		}
		marks = append(marks, Mark{v.Partition, Position{Offset: v.Offset, MaxTime: v.MaxTimeMs}})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("marks in topic %s: %w", topic, err)
	}
	return marks, nil
}

// Resume returns where to read each partition from so that every record with an event time
// of before (ms) or later is read again: the latest mark with no such record behind it. A
// partition without such a mark is not among them: it is read from its beginning.
func Resume(marks []Mark, before int64) map[Partition]Position {
	from := map[Partition]Position{}
	for _, m := range marks {
		if m.MaxTime != event.NoTime && m.MaxTime >= before {
			continue
		}
		if have, ok := from[m.Partition]; !ok || m.Offset > have.Offset {
			from[m.Partition] = m.Position
		}
	}
	return from
}

// marksOf returns the marks of positions. A largest event time that was raised after an
// idle partition came back is not a fact about the log, and makes no mark.
func (r *reader) marksOf(at restriction) []Mark {
	var marks []Mark
	for i, p := range at.Partitions {
		if p.MaxTime != event.NoTime && !p.Raised {
			marks = append(marks, Mark{r.parts[i].name(), Position{Offset: p.Next, MaxTime: p.MaxTime}})
		}
	}
	return marks
}
