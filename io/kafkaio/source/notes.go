package source

import (
	"context"
	"errors"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/timeindex"
)

const (
	// commitsEvery is how often a reader commits where it is to its group.
	commitsEvery = 5 * time.Second
	// noteWithin bounds how long noting may take.
	noteWithin = 10 * time.Second
)

// notes is what a reader has written down of where it is.
type notes struct {
	// last is when it committed to its group.
	last time.Time
	// done is closed when what was begun has ended; nil before the first.
	done chan struct{}
}

// Note writes down positions that were claimed: entries, and the group's offsets for tools
// that show lag. It returns at once. Nothing depends on either, so what fails is told in
// the log and left at that.
func (r *Reader) Note(ctx context.Context, at Restriction) {
	now := r.Now()
	if len(r.parts) != len(at.Partitions) {
		return
	}
	if r.notes.done != nil {
		select {
		case <-r.notes.done:
		default:
			return // the last ones are still under way
		}
	}
	var work []func(context.Context) error
	if r.config.Group != "" && now.Sub(r.notes.last) >= commitsEvery {
		r.notes.last = now
		work = append(work, r.commits(at)...)
	}
	if r.config.TimeIndex != nil {
		if entries := r.dueEntries(at); len(entries) > 0 {
			work = append(work, r.writeEntries(entries))
		}
	}
	if len(work) == 0 {
		return
	}
	done := make(chan struct{})
	r.notes.done = done
	go func() {
		defer close(done)
		// The call whose context this is may end first.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteWithin)
		defer cancel()
		for _, do := range work {
			if err := do(ctx); err != nil && !errors.Is(err, kgo.ErrClientClosed) {
				log.Warnf(ctx, "reader %d: its positions were not noted: %v", r.index, err)
			}
		}
	}()
}

// commits returns what commits the positions to the group, for each cluster.
func (r *Reader) commits(at Restriction) []func(context.Context) error {
	byLink := map[*link]kadm.Offsets{}
	for i, p := range at.Partitions {
		part := r.parts[i]
		if part.link == nil {
			continue
		}
		offsets := byLink[part.link]
		offsets.AddOffset(part.topic.Name, p.Partition, p.Next, -1)
		byLink[part.link] = offsets
	}
	var work []func(context.Context) error
	for l, offsets := range byLink {
		admin, group := l.admin, r.config.Group
		work = append(work, func(ctx context.Context) error { return admin.CommitAllOffsets(ctx, group, offsets) })
	}
	return work
}

// writeEntries returns what writes entries.
func (r *Reader) writeEntries(entries []timeindex.Entry) func(context.Context) error {
	topic := r.config.TimeIndex.Topic
	var client *kgo.Client
	if l := r.links[r.config.TimeIndex.Cluster]; l != nil {
		client = l.client
	}
	cluster, _ := r.config.cluster(r.config.TimeIndex.Cluster)
	return func(ctx context.Context) error {
		if client == nil { // entries are kept on a cluster that nothing is read from
			var err error
			if client, err = cluster.Connect(ctx); err != nil {
				return err
			}
			defer client.Close()
		}
		return timeindex.Write(ctx, client, topic, entries)
	}
}
