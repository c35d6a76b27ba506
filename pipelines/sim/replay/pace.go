package replay

import (
	"context"
	"time"

	"tributary/io/record"
)

// pace is a clock of event time that all partitions go by. It starts when it is made.
type pace struct {
	speed  float64 // 0 for no waiting
	origin int64   // event time at began, ms
	began  time.Time
}

func newPace(speed float64, origin int64) *pace {
	return &pace{speed: speed, origin: origin, began: time.Now()}
}

// partition begins to pace a partition.
func (p *pace) partition() *pacer { return &pacer{pace: p, reached: record.NoTime} }

// pacer paces one partition.
type pacer struct {
	*pace
	reached int64 // largest event time so far
}

// slack is how much too early a record may be: a timer for each would cost more than sending.
const slack = time.Millisecond

// wait waits until the record with that event time is due; record.NoTime is due at once.
func (p *pacer) wait(ctx context.Context, at int64) error {
	if p.speed == 0 || at <= p.reached {
		return nil
	}
	p.reached = at
	due := p.began.Add(time.Duration(float64(at-p.origin) / p.speed * float64(time.Millisecond)))
	left := time.Until(due)
	if left < slack {
		return nil
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
