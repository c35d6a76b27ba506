package generate

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"tributary/io/format/avro"
)

// queued is how many chunks wait for each partition: enough to keep writers busy while
// one of them is compressing.
const queued = 4

// Run makes what c says: files of views and engagements, of the truth, truth.json and,
// if wanted, spec.yaml. progress, if not nil, is told now and then how many records
// were written.
//
// The files depend on c alone. Each appears when it is complete, truth.json last; after
// an error some may be there and others not. What an earlier Run left in the folder is
// removed; a folder with files of other origin is an error.
//
// Memory is that of the engagements whose time is still to come, 48 bytes each,
// of records held back to be late, and of a few blocks per partition.
func Run(ctx context.Context, c Config, progress func(events int64)) (Truth, error) {
	if err := c.Validate(); err != nil {
		return Truth{}, err
	}
	if err := prepare(ctx, &c); err != nil {
		return Truth{}, fmt.Errorf("generate: %w", err)
	}
	m := newModel(c)
	whole := ctx
	group, ctx := errgroup.WithContext(ctx)
	w, err := newWriters(ctx, m)
	if err != nil {
		return Truth{}, err
	}
	sequence := m.produce(ctx, group)
	w.start(ctx, group)
	group.Go(func() error { return w.distribute(ctx, sequence, progress) })
	if err := group.Wait(); err != nil {
		w.abort()
		return Truth{}, fmt.Errorf("generate: %w", err)
	}
	truth := w.truth()
	if err := writeTruth(whole, &c, &truth); err != nil {
		return Truth{}, fmt.Errorf("generate: %w", err)
	}
	if progress != nil {
		progress(truth.Events())
	}
	return truth, nil
}

// produce makes the chunks on all cores and hands them out in order.
func (m *model) produce(ctx context.Context, group *errgroup.Group) <-chan chan *chunk {
	type job struct {
		number int64
		done   chan *chunk
	}
	workers := runtime.GOMAXPROCS(0)
	jobs, sequence := make(chan job), make(chan chan *chunk, workers)
	group.Go(func() error {
		defer close(jobs)
		defer close(sequence)
		for n := range m.chunks() {
			j := job{n, make(chan *chunk, 1)}
			if err := send(ctx, jobs, j); err != nil {
				return err
			}
			if err := send(ctx, sequence, j.done); err != nil {
				return err
			}
		}
		return nil
	})
	for range workers {
		group.Go(func() error {
			t := newTeller(m)
			for j := range jobs {
				j.done <- t.chunk(j.number)
			}
			return nil
		})
	}
	return sequence
}

func send[T any](ctx context.Context, to chan<- T, v T) error {
	select {
	case to <- v:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// writers are what writes: one for each partition of views and engagements, each in its
// own goroutine, and one for the truth.
type writers struct {
	model   *model
	lanes   []*laneWriter
	rows    *rowWriter
	queues  []chan numbered
	written atomic.Int64
}

type numbered struct {
	number int
	*chunk
}

func newWriters(ctx context.Context, m *model) (*writers, error) {
	w := &writers{model: m}
	texts := newSchemas(&m.Config)
	for stream, dir := range []string{viewsDir, engagementsDir} {
		for p := range m.Partitions {
			text := [][2]string{texts.views, texts.engagements}[stream][0]
			if m.olderPartition(p) {
				text = [][2]string{texts.views, texts.engagements}[stream][1]
			}
			schema, err := avro.ParseSchema(text)
			if err != nil {
				return nil, err
			}
			f := partitionFiles(ctx, &m.Config, dir, p, schema)
			w.lanes = append(w.lanes, newLaneWriter(m, stream, p, f, &w.written))
		}
	}
	schema, err := avro.ParseSchema(texts.truth)
	if err != nil {
		return nil, err
	}
	if w.rows, err = newRowWriter(m, partitionFiles(ctx, &m.Config, truthDir, 0, schema)); err != nil {
		return nil, err
	}
	for range len(w.lanes) + 1 {
		w.queues = append(w.queues, make(chan numbered, queued))
	}
	return w, nil
}

// start lets all writers work through their queues.
func (w *writers) start(ctx context.Context, group *errgroup.Group) {
	consumers := make([]consumer, 0, len(w.queues))
	for _, l := range w.lanes {
		consumers = append(consumers, l)
	}
	consumers = append(consumers, w.rows)
	for i, c := range consumers {
		group.Go(func() error {
			for chunk := range w.queues[i] {
				if err := c.take(chunk); err != nil {
					return err
				}
			}
			if ctx.Err() != nil {
				return ctx.Err() // the queue ended early
			}
			return c.finish()
		})
	}
}

type consumer interface {
	take(numbered) error
	finish() error
}

// distribute hands every chunk to every writer, in order.
func (w *writers) distribute(ctx context.Context, sequence <-chan chan *chunk, progress func(events int64)) error {
	defer func() {
		for _, queue := range w.queues {
			close(queue)
		}
	}()
	number := 0
	for done := range sequence {
		select {
		case c := <-done:
			for _, queue := range w.queues {
				if err := send(ctx, queue, numbered{number, c}); err != nil {
					return err
				}
			}
		case <-ctx.Done():
			return ctx.Err()
		}
		number++
		if progress != nil {
			progress(w.written.Load())
		}
	}
	return nil
}

func (w *writers) abort() {
	for _, l := range w.lanes {
		l.files.abort()
	}
	w.rows.files.abort()
}

// truth sums up what all writers wrote; for after they finished.
func (w *writers) truth() Truth {
	var views, engagements []tally
	for _, l := range w.lanes {
		if l.stream == 0 {
			views = append(views, l.tally)
		} else {
			engagements = append(engagements, l.tally)
		}
	}
	return newTruth(w.model.Kinds, views, engagements, &w.rows.positives)
}
