package tap

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
	"tributary/pipelines/job"
)

const (
	// fetched and fetchedOfPartition bound what is in memory of topics, in bytes.
	fetched            = 8 << 20
	fetchedOfPartition = 1 << 20
	// polled is how many records pass from a cluster at once.
	polled = 1000
	// tellEvery is how often it is told what was left out.
	tellEvery = time.Second
)

// polledRecord is a record of a source, or the end of a cluster.
type polledRecord struct {
	of     *source
	record *kgo.Record
	err    error
}

// follow shows the records of all sources until the context ends or enough are shown.
func (t *Tap) follow(ctx context.Context, show *show) error {
	ctx, cancel := context.WithCancel(ctx)
	var readers sync.WaitGroup
	defer readers.Wait()
	defer cancel()
	by := map[string]map[string]*source{}
	for _, of := range t.sources {
		if by[of.cluster] == nil {
			by[of.cluster] = map[string]*source{}
		}
		by[of.cluster][of.topic] = of
	}
	records := make(chan polledRecord)
	for name, sources := range by {
		client, err := t.open(ctx, job.Kafka(t.spec.Cluster(name)), sources)
		if err != nil {
			return err
		}
		readers.Go(func() {
			defer client.Close()
			poll(ctx, client, sources, records)
		})
	}
	tell := time.NewTicker(tellEvery)
	defer tell.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tell.C:
			if err := show.tell(); err != nil {
				return err
			}
		case r := <-records:
			if r.err != nil {
				return r.err
			}
			entry := t.entry(ctx, r.of, r.record)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if entry == nil {
				continue
			}
			if enough, err := show.take(entry); enough || err != nil {
				return err
			}
		}
	}
}

// open returns a client at the places where topics of a cluster are shown from.
func (t *Tap) open(ctx context.Context, kafka cluster.Config, sources map[string]*source) (*kgo.Client, error) {
	client, err := kafka.Connect(ctx,
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.FetchMaxBytes(fetched), kgo.BrokerMaxReadBytes(2*fetched), kgo.FetchMaxPartitionBytes(fetchedOfPartition), kgo.MaxConcurrentFetches(1),
	)
	if err != nil {
		return nil, err
	}
	admin := kadm.NewClient(client)
	list := admin.ListCommittedOffsets // what is in an open transaction is shown once that ends
	switch {
	case t.opt.FromBeginning:
		list = admin.ListStartOffsets
	case !t.opt.Since.IsZero():
		list = func(ctx context.Context, topics ...string) (kadm.ListedOffsets, error) {
			return admin.ListOffsetsAfterMilli(ctx, t.opt.Since.UnixMilli(), topics...)
		}
	}
	from := map[string]map[int32]kgo.Offset{}
	for topic := range sources {
		offsets, err := cluster.ListOffsets(ctx, topic, list)
		if errors.Is(err, kerr.UnknownTopicOrPartition) {
			err = fmt.Errorf("%s: topic %s does not exist: tributary topics %s --create", kafka, topic, t.spec.File)
		} else if err != nil {
			err = fmt.Errorf("%s: %w", kafka, err)
		}
		if err != nil {
			client.Close()
			return nil, err
		}
		from[topic] = map[int32]kgo.Offset{}
		for p, offset := range offsets {
			from[topic][p] = kgo.NewOffset().At(offset)
		}
	}
	client.AddConsumePartitions(from)
	return client, nil
}

// poll passes on what is written to a cluster, until the context ends.
func poll(ctx context.Context, client *kgo.Client, sources map[string]*source, to chan<- polledRecord) {
	pass := func(r polledRecord) bool {
		select {
		case to <- r:
			return r.err == nil
		case <-ctx.Done():
			return false
		}
	}
	for ctx.Err() == nil {
		fetches := client.PollRecords(ctx, polled)
		if ctx.Err() != nil {
			return
		}
		var failed error
		fetches.EachError(func(topic string, p int32, err error) {
			if lost := (*kgo.ErrDataLoss)(nil); !errors.As(err, &lost) { // retention was faster: it goes on where the topic begins
				failed = errors.Join(failed, fmt.Errorf("read %s/%d: %w", topic, p, err))
			}
		})
		if failed != nil {
			pass(polledRecord{err: failed})
			return
		}
		for r := range fetches.RecordsAll() {
			if of := sources[r.Topic]; of != nil && !pass(polledRecord{of: of, record: r}) {
				return
			}
		}
	}
}
