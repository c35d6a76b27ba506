package source

import (
	"cmp"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/record"
)

// maxBatchBytes is what a batch of records may be unpacked to. Clients make batches of a MiB
// before they pack them unless told otherwise, and some go by the packed size, which may be a
// tenth of it. A few hundred KiB can be made to unpack to gigabytes.
const maxBatchBytes = 128 << 20

// passBomb passes over a batch that unpacks to more: its records are lost together. The client
// has stopped there, so a new one goes on behind it.
func (r *Reader) passBomb(p *partition, bomb *kgo.ErrDecompressTooLarge) error {
	from, to := max(bomb.Offset, p.after.Next), min(bomb.NextOffset, p.after.Stop)
	if from < to {
		p.rejectAll(record.Rejected{
			Offset: from, Count: to - from, EventTime: record.NoTime,
			Detail: fmt.Sprintf("the batch of records from offset %d to %d unpacks to more than %d MiB", bomb.Offset, bomb.NextOffset-1, maxBatchBytes>>20),
		})
	}
	p.after.Next = max(p.after.Next, to)
	if err := p.flush(); err != nil {
		return err
	}
	return fmt.Errorf("%s: %w", p.name(), errReopen)
}

// rejectAll notes records that cannot be used for each input; they are malformed unless r says otherwise.
func (b *batcher) rejectAll(r record.Rejected) {
	r.Reason = cmp.Or(r.Reason, record.ReasonMalformed)
	r.Partition, r.Watermark = b.after.rank(b.ranksAfter), behind(b.after.Clock.Time(b.maxAhead), b.outOfOrderness)
	for _, r.Input = range b.topic.Inputs {
		b.rejected = append(b.rejected, r)
	}
}
