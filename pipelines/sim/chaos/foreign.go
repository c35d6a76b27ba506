package chaos

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// largest is what the topics of input take: hostile records are larger than usual ones.
const largest = 32 << 20

// foreign is a record among those of the input that the batch does not know.
type foreign struct {
	topic string // its ending
	value []byte
	fate  fate
}

// fate is what must become of a foreign record.
type fate int

const (
	// A dead letter for each role that it may have.
	becomesDead fate = iota
	// A dead letter in the place of its sample, which the topic of samples does not take: accounts
	// and accounts count it as a sample.
	becomesTooLarge
	// A tombstone, which is counted and nothing else.
	becomesTombstone
	// A late record.
	becomesLate
	// A sample in its time, and nothing else is late by it.
	becomesSample
)

// foreignPrefix begins the ids of foreign views.
const foreignPrefix = "foreign-"

// poison are records that nobody can use, of each kind in each topic; now is in event time.
func (s *schemas) poison(random *rand.Rand, now int64) []foreign {
	large := make([]byte, 10<<20)
	for i := range large {
		large[i] = 0xff // no Avro, whatever comes behind it
	}
	var all []foreign
	for _, topic := range []string{"views", "engagements"} {
		garbage := make([]byte, 1+random.IntN(1000))
		for i := range garbage {
			garbage[i] = 0xff
		}
		all = append(all,
			foreign{topic, garbage, becomesDead},
			foreign{topic, s.frame(topic, garbage), becomesDead},
			foreign{topic, []byte{0, 0x7f, 0xff, 0xff, 0xff, 2}, becomesDead}, // of a schema that nobody knows
			foreign{topic, nil, becomesTombstone},
			foreign{topic, []byte{}, becomesDead},
			foreign{topic, s.frame(topic, large), becomesDead},
			foreign{topic, make([]byte, 129<<20), becomesDead}, // a batch of a hundred KiB, until it is unpacked
		)
	}
	// What is read, but is too much for the topic of samples.
	return append(all, foreign{"views", s.frame("views", viewRecord(newID(random), now, 3<<20)), becomesTooLarge})
}

func newID(random *rand.Rand) string { return foreignPrefix + strconv.FormatUint(random.Uint64(), 36) }

// viewRecord is a view as package generate encodes them, with that many features.
func viewRecord(id string, ms int64, features int) []byte {
	text := func(b []byte, s string) []byte { return append(binary.AppendVarint(b, int64(len(s))), s...) }
	b := text(binary.AppendVarint(nil, 1), id) // the second of a union, as is the time
	b = binary.AppendVarint(binary.AppendVarint(b, 7), 8)
	b = binary.AppendVarint(binary.AppendVarint(b, 1), ms)
	b = binary.AppendVarint(text(b, "feed"), 3)
	if features > 0 {
		b = append(binary.AppendVarint(b, int64(features)), make([]byte, 4*features)...)
	}
	return append(b, 0)
}

// putForeign writes foreign records to random partitions that are being published to, and
// notes them for the audit.
func (s *System) putForeign(ctx context.Context, random *rand.Rand, all []foreign) error {
	client, err := s.Stream.client(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.GzipCompression()),
		kgo.ProducerBatchMaxBytes(1<<28), kgo.BrokerMaxWriteBytes(1<<29))
	if err != nil {
		return err
	}
	defer client.Close()
	for _, f := range all {
		r := &kgo.Record{Topic: s.Stream.topic(f.topic), Partition: one(s.Publisher.active(f.topic), random), Value: f.value}
		if err := client.ProduceSync(ctx, r).FirstErr(); err != nil {
			return fmt.Errorf("a record of %d bytes to %s/%d: %w", len(f.value), r.Topic, r.Partition, err)
		}
		s.Stream.foreign[place{r.Topic, r.Partition, r.Offset}] = f
	}
	return nil
}

// place is where a record lies.
type place struct {
	topic     string
	partition int32
	offset    int64
}

// putPoison writes records that nobody can use.
func putPoison(ctx context.Context, s *System, random *rand.Rand) error {
	return s.putForeign(ctx, random, s.Stream.schemas.poison(random, s.Publisher.Reached()))
}

// putWrongClocks writes views of clocks that are wrong: from 1970, from years after they are
// written, and from a while after the others, which only a clock of their kind would confirm.
func putWrongClocks(ctx context.Context, s *System, random *rand.Rand) error {
	view := func(ms int64, fate fate) foreign {
		return foreign{"views", s.Stream.schemas.frame("views", viewRecord(newID(random), ms, 0)), fate}
	}
	const ahead = 2 * time.Minute // in half a minute the others are there
	return s.putForeign(ctx, random, []foreign{
		view(0, becomesLate),
		view(time.Now().AddDate(3, 0, 0).UnixMilli(), becomesDead),
		view(s.Publisher.Reached()+ahead.Milliseconds(), becomesSample),
	})
}

// views is how many views of that fate the record is, and engagements how many of each kind.
func (f *foreign) views(fate fate) int64 { return f.is("views", fate) }

func (f *foreign) engagements(fate fate) int64 { return f.is("engagements", fate) }

func (f *foreign) is(topic string, fate fate) int64 {
	if f.topic == topic && f.fate == fate {
		return 1
	}
	return 0
}
