package source

import (
	"context"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/timeindex"
	"tributary/io/record"
)

// dueEntries returns the entries of partitions whose event time has come to another span, or
// which have none yet. A clock that was raised after an idle partition came back is not a
// fact about the log: the entry has the one that is.
func (r *Reader) dueEntries(at Restriction) []timeindex.Entry {
	var entries []timeindex.Entry
	for i, p := range at.Partitions {
		clock := p.logClock()
		if clock == record.NoClock {
			continue
		}
		if span := timeindex.Tiers[0].SpanOf(clock.Largest); !r.parts[i].noted || r.parts[i].span != span {
			r.parts[i].noted, r.parts[i].span = true, span
			entries = append(entries, timeindex.Entry{Partition: r.parts[i].name(), Position: timeindex.Position{Offset: p.Next, Clock: clock}, TopicID: at.topicID(p.Topic)})
		}
	}
	return entries
}

// NoteBegin writes down where the reading of partitions begins, unless it goes on from entries.
func (r *Config) NoteBegin(ctx context.Context, at Restriction) error {
	if r.TimeIndex == nil || r.Start.At == AtOffsets && !r.Start.Begins || len(at.Partitions) == 0 {
		return nil
	}
	entries := make([]timeindex.Entry, 0, len(at.Partitions))
	for _, p := range at.Partitions {
		t := r.Topics[p.Topic]
		entries = append(entries, timeindex.Entry{
			Partition: cluster.Partition{Cluster: t.Cluster, Topic: t.Name, Partition: p.Partition},
			Position:  timeindex.Position{Offset: p.Next, Clock: p.Clock}, Begin: true, TopicID: at.topicID(p.Topic),
		})
	}
	brokers, _ := r.cluster(r.TimeIndex.Cluster)
	client, err := brokers.Connect(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, noteWithin)
	defer cancel()
	return timeindex.Write(ctx, client, r.TimeIndex.Topic, entries)
}
