package folderio

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// Compact puts the groups of one shard and interval together, in one file, and acknowledges them all. Groups are
// what Publish has acknowledged of them, all of it, in any order. Without records there is no file.
//
// A replay puts the same file there again: groups stay until NoteProgress has noted that the interval is written.
// After that there is nothing to do.
func (w *Writer) Compact(ctx context.Context, groups []Written) (Written, error) {
	groups = slices.Clone(groups)
	slices.SortFunc(groups, func(a, b Written) int { return cmp.Compare(a.ID, b.ID) })
	groups = slices.Compact(groups)
	from, to := w.c.interval(groups[0].ID)
	whole := Written{Shard: groups[0].Shard, ID: to - w.c.Step}
	for i, g := range groups {
		if g.Shard != whole.Shard || g.ID >= to || i > 0 && g.ID == groups[i-1].ID {
			return Written{}, fmt.Errorf("put shard %d of %s to %s together: %+v is not one of its groups, or another than before", whole.Shard, stampOf(from), stampOf(to), g)
		}
		whole.Records += g.Records
	}
	if err := w.compact(ctx, whole, from, to, groups); err != nil {
		return Written{}, fmt.Errorf("put shard %d of %s to %s together: %w", whole.Shard, stampOf(from), stampOf(to), err)
	}
	return whole, nil
}

func (w *Writer) compact(ctx context.Context, whole Written, from, to int64, groups []Written) error {
	log, err := w.fence(ctx)
	if err != nil || to <= log.CommittedBefore || whole.Records == 0 {
		return err
	}
	file, err := w.stage(ctx, w.c.file(whole.Shard, from, to), w.c.begin)
	if err != nil {
		return err
	}
	for _, g := range groups {
		if g.Records == 0 {
			continue
		}
		if err := w.readKept(ctx, g, file.Append); err != nil {
			file.file.Abort()
			if errors.Is(err, fs.ErrNotExist) {
				err = fmt.Errorf("a group that was written is gone: %w", err)
			}
			return err
		}
	}
	if err := file.commit(); err != nil {
		return err
	}
	// Only now: see the package.
	if _, err := w.fence(ctx); err != nil {
		_ = w.steps.remove(context.WithoutCancel(ctx), file.path) // Recover does it, too
		return err
	}
	return w.steps.move(ctx, file.path, file.target)
}
