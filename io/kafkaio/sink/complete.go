package sink

import (
	"context"
	"fmt"

	"tributary/io/kafkaio/commitlog"
)

// NoteComplete notes in the commit log that w.Topic is, at least once, that all groups of a job up to an
// ID are written, and all messages beside them.
func NoteComplete(ctx context.Context, w Config, job string, through int64) error {
	r, err := commitlog.CompleteRecord(job, through)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, deliveryTime)
	defer cancel()
	s, err := sharedSenders.get(ctx, w)
	if err != nil {
		return err
	}
	if err := s.client.ProduceSync(ctx, r).FirstErr(); err != nil {
		return fmt.Errorf("write to %s: %w", w.Topic, err)
	}
	return nil
}
