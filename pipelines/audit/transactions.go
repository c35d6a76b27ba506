package audit

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// transactions are what became of those of a topic. Memory: of those that were aborted.
type transactions struct {
	open    map[writer]begun
	aborted map[writer][]offsets
	// stable is where the first transaction begins that is open, by partition.
	stable map[int32]int64
}

// writer is a producer's in a partition.
type writer struct {
	partition int32
	producer  int64
}

type offsets struct{ from, to int64 }

// begun is where and when the first record of a transaction was written, by the clock of who wrote it or of the broker.
type begun struct {
	offset int64
	at     time.Time
}

func newTransactions() *transactions {
	return &transactions{open: map[writer]begun{}, aborted: map[writer][]offsets{}}
}

// controlAbort is the type of a control record that aborts; the other that ends a transaction commits it.
const controlAbort = 0

// take notes a record, and tells whether it is one of data.
func (t *transactions) take(r *kgo.Record) bool {
	w := writer{r.Partition, r.ProducerID}
	if !r.Attrs.IsControl() {
		if _, open := t.open[w]; !open && r.Attrs.IsTransactional() {
			t.open[w] = begun{r.Offset, r.Timestamp}
		}
		return true
	}
	from, open := t.open[w]
	// key = version (int16) type (int16), the highest byte first
	if open && len(r.Key) >= 4 && binary.BigEndian.Uint16(r.Key[2:]) == controlAbort {
		t.aborted[w] = append(t.aborted[w], offsets{from.offset, r.Offset})
	}
	delete(t.open, w)
	return false
}

// state is what became of the transaction of a record.
type state int

const (
	committed state = iota
	// held: committed, and behind a transaction that is open: readers of what is committed do not come to it.
	held
	open
	aborted
)

// of is the state of the record of an entry; nil is of what knows no transactions.
func (t *transactions) of(e *entry) state {
	if t == nil {
		return committed
	}
	w := writer{e.partition, e.producer}
	if e.producer != noProducer {
		if from, some := t.open[w]; some && e.offset >= from.offset {
			return open
		}
		ranges := t.aborted[w]
		at, _ := slices.BinarySearchFunc(ranges, e.offset, func(r offsets, offset int64) int {
			if r.to < offset {
				return -1
			}
			return 1
		})
		if at < len(ranges) && ranges[at].from <= e.offset {
			return aborted
		}
	}
	if t.stable == nil {
		t.stable = map[int32]int64{}
		for w, from := range t.open {
			if known, some := t.stable[w.partition]; !some || from.offset < known {
				t.stable[w.partition] = from.offset
			}
		}
	}
	if from, some := t.stable[e.partition]; some && e.offset >= from {
		return held
	}
	return committed
}

// endsLate is how much later than it should a broker may end a transaction, and how far its clock may be from ours.
const endsLate = 30 * time.Second

// tellHanging tells of the transactions that have been open for longer than a broker lets them: readers of what is committed come past none.
func (c *comparison) tellHanging(longest time.Duration, now time.Time) {
	if c.transactions == nil || longest <= 0 {
		return
	}
	last := c.result.Stages[len(c.result.Stages)-1].Stage
	writers := slices.SortedFunc(maps.Keys(c.transactions.open), func(a, b writer) int {
		return cmp.Or(cmp.Compare(a.partition, b.partition), cmp.Compare(a.producer, b.producer))
	})
	for _, w := range writers {
		from := c.transactions.open[w]
		if now.Sub(from.at) <= longest+endsLate {
			continue
		}
		partition, offset := strconv.Itoa(int(w.partition)), from.offset
		c.stage(last).Hanging++
		c.row(last, partition, noHour).Hanging++
		c.tell(Finding{
			Class: Hanging, Stage: last, Partition: partition, Offset: &offset,
			Note: fmt.Sprintf("a transaction of producer %d has been open since %s, longer than stream.transaction_timeout (%s): readers of what is committed come to nothing behind it",
				w.producer, from.at.UTC().Format(time.RFC3339), longest),
		})
	}
}
