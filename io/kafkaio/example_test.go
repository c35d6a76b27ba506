package kafkaio_test

import (
	"context"
	"fmt"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/direct" //nolint:staticcheck // bounded and stateless is what it is for
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio"
	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/commitlog"
	"tributary/io/kafkaio/sink"
	"tributary/io/kafkaio/source"
	"tributary/io/record"
)

func init() {
	register.Function1x1(printBatch)
	register.Function1x0(printCommitted)
	register.Function1x0(printSent)
}

// kafka is a cluster in this process with topics of one partition, all but the first compacted, and a client
// that reads what is committed to the first.
func kafka(topics ...string) (*kfake.Cluster, *kgo.Client) {
	fake := kfake.MustCluster(kfake.NumBrokers(1))
	client, err := kgo.NewClient(kgo.SeedBrokers(fake.ListenAddrs()...), kgo.ConsumeTopics(topics[0]), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		panic(err)
	}
	compact := "compact"
	for i, topic := range topics {
		settings := map[string]*string{}
		if i > 0 {
			settings["cleanup.policy"] = &compact
		}
		if _, err := kadm.NewClient(client).CreateTopic(context.Background(), 1, 1, settings, topic); err != nil {
			panic(err)
		}
	}
	return fake, client
}

// printValues prints the next records of the client's topic.
func printValues(client *kgo.Client, n int) {
	for n > 0 {
		client.PollRecords(context.Background(), n).EachRecord(func(r *kgo.Record) {
			n--
			fmt.Printf("%s=%s", r.Key, r.Value)
			for _, h := range r.Headers {
				fmt.Printf(" %s %s", h.Key, h.Value)
			}
			fmt.Println()
		})
	}
}

func run(execute func(context.Context, *beam.Pipeline) (beam.PipelineResult, error), p *beam.Pipeline) {
	if _, err := execute(context.Background(), p); err != nil {
		fmt.Println(err)
	}
}

func printBatch(b record.Batch) error {
	for rest := b.Records; len(rest) > 0; {
		distance, value, after, err := record.NextFramed(rest)
		if err != nil {
			return err
		}
		fmt.Printf("%d: %s\n", b.Offset+distance, value)
		rest = after
	}
	return nil
}

func printCommitted(c commitlog.Committed) {
	fmt.Printf("group %d: %d records, there before: %t\n", c.ID, c.Records, c.Skipped)
}

func printSent(n int64) { fmt.Println("sent:", n) }

// A topic of JSON is read to where it ends now.
func ExampleRead() {
	fake, client := kafka("views")
	defer fake.Close()
	defer client.Close()
	for _, value := range []string{`{"ts":1000}`, `{"ts":2000}`} {
		client.ProduceSync(context.Background(), &kgo.Record{Topic: "views", Value: []byte(value)})
	}

	pipeline, s := beam.NewPipelineWithRoot()
	batches, rejected := kafkaio.Read(s, source.Config{
		Job:            "example-read",
		Clusters:       []cluster.Config{{Brokers: fake.ListenAddrs()}},
		Topics:         []source.Topic{{Name: "views", Format: source.JSON, Time: source.Field{Path: "ts", Unit: record.UnitEpochMs}, Inputs: []int32{0}}},
		Readers:        1,
		OutOfOrderness: time.Second,
		Stop:           source.Stop{At: source.StopAtEnd},
	})
	beam.ParDo0(s, printBatch, batches)
	_ = rejected // dead letters
	run(prism.Execute, pipeline)
	// Output:
	// 0: {"ts":1000}
	// 1: {"ts":2000}
}

// A group of two samples is written in a transaction; written again, it is found to be there.
func ExampleWrite() {
	fake, client := kafka("samples", "samples.commits")
	defer fake.Close()
	defer client.Close()
	group := sink.Group{Shard: 0, ID: 60_000, Last: true}
	group.Records = sink.AppendRecord(group.Records, []byte("v1"), []byte("positive"), sink.NoTimestamp)
	group.Records = sink.AppendRecord(group.Records, []byte("v2"), []byte("negative"), sink.NoTimestamp)

	for range 2 {
		pipeline, s := beam.NewPipelineWithRoot()
		committed, refused := kafkaio.Write(s, sink.Config{
			Cluster: cluster.Config{Brokers: fake.ListenAddrs()},
			Topic:   "samples", CommitLog: "samples.commits", Job: "example-write", Shards: 1,
		}, beam.CreateList(s, []sink.Group{group}))
		beam.ParDo0(s, printCommitted, committed)
		_ = refused // too large for the topic
		run(direct.Execute, pipeline)
	}
	printValues(client, 2)
	// Output:
	// group 60000: 2 records, there before: false
	// group 60000: 2 records, there before: true
	// v1=positive version 1
	// v2=negative version 1
}

// Messages are written as they come, and acknowledged by the bundle.
func ExampleWriteAtLeastOnce() {
	fake, client := kafka("late")
	defer fake.Close()
	defer client.Close()

	pipeline, s := beam.NewPipelineWithRoot()
	refused, sent := kafkaio.WriteAtLeastOnce(s, sink.Config{Cluster: cluster.Config{Brokers: fake.ListenAddrs()}, Topic: "late"},
		beam.CreateList(s, []sink.Message{{Key: []byte("views/0@7 views"), Value: []byte("late by 2m")}}))
	beam.ParDo0(s, printSent, sent)
	_ = refused // too large for the topic
	run(direct.Execute, pipeline)
	printValues(client, 1)
	// Output:
	// sent: 1
	// views/0@7 views=late by 2m
}
