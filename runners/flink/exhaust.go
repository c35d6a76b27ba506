package flink

import (
	"context"
	"errors"
	"fmt"
)

// WaitExhausted waits until a stream whose sources have an end has done all there is to do,
// and ends it: Flink itself keeps a job with checkpoints and a splittable source for ever.
// Meanwhile it tells follow, if that is not nil, how the job is doing.
//
// All is done when every step's watermark is at the end and a checkpoint has been begun and
// completed since: what the last watermark set off precedes it. The job needs checkpoints.
func (j *Job) WaitExhausted(ctx context.Context, follow func(Status)) (Status, error) {
	waiting, done := context.WithCancel(ctx)
	defer done()
	exhausted := false
	var before int64 // the last checkpoint when the end was first seen; 0 while it was not
	last, err := j.Wait(waiting, func(s Status) {
		if follow != nil {
			follow(s)
		}
		switch c := s.Checkpoints.Last; {
		case !s.AtEnd || c == nil:
			before = 0 // it may have gone back
		case before == 0:
			before = c.ID
		// One may have been under way then.
		case c.ID >= before+2:
			exhausted = true
			done()
		}
	})
	if !exhausted {
		return last, err
	}
	if err := j.Cancel(ctx); err != nil {
		return last, fmt.Errorf("end the job, which has done all: %w", err)
	}
	last, err = j.Wait(ctx, follow)
	if errors.Is(err, ErrJobCanceled) {
		err = nil
	}
	return last, err
}
