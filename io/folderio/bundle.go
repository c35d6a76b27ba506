package folderio

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path"

	"github.com/zeebo/xxh3"

	"tributary/io/fileio"
	"tributary/io/format"
)

// ErrFenced marks a writer of a run that another one has come after.
var ErrFenced = errors.New("the job was begun or resumed since")

// Writer writes the groups of a job, bundle by bundle. It is for one goroutine.
type Writer struct {
	c     Config
	steps steps
}

// NewWriter returns a Writer; c is valid.
func NewWriter(c Config) *Writer { return &Writer{c: c} }

// Bundle is what is written of the groups of a bundle, of which none can be read before Publish.
type Bundle struct {
	w      *Writer
	open   map[place]*openGroup
	staged []stagedFile
}

// place is that of a group among those of a job.
type place struct {
	shard int32
	id    int64
}

// openGroup is a group whose last part has not come.
type openGroup struct {
	parts  int32
	digest *xxh3.Hasher
	Written
	file *stage
}

// stagedFile is a file that waits for its name; of a group without records there is none.
type stagedFile struct {
	path, target string
	written      Written
}

// Bundle begins a bundle.
func (w *Writer) Bundle() *Bundle { return &Bundle{w: w, open: map[place]*openGroup{}} }

// Add takes the next part of a group, and tells whether the group is whole by it.
func (b *Bundle) Add(ctx context.Context, g Group) (whole bool, err error) {
	key := place{g.Shard, g.ID}
	o := b.open[key]
	if o == nil {
		o = &openGroup{digest: xxh3.New(), Written: Written{Shard: g.Shard, ID: g.ID}}
		b.open[key] = o
	}
	if err := b.add(ctx, o, g); err != nil {
		return false, fmt.Errorf("group %d of shard %d: %w", g.ID, g.Shard, err)
	}
	return g.Last, nil
}

func (b *Bundle) add(ctx context.Context, o *openGroup, g Group) error {
	if g.Part != o.parts {
		return fmt.Errorf("part %d comes where part %d was due", g.Part, o.parts)
	}
	o.parts++
	_, _ = o.digest.Write(g.Records) // never fails
	for rest := g.Records; len(rest) > 0; o.Records++ {
		var record []byte
		var err error
		if record, rest, err = nextRecord(rest); err != nil {
			return err
		}
		if o.file == nil {
			if o.file, err = b.w.stageGroup(ctx, g.Shard, g.ID); err != nil {
				return err
			}
		}
		if err := o.file.Append(record); err != nil {
			return err
		}
	}
	if !g.Last {
		return nil
	}
	delete(b.open, place{g.Shard, g.ID})
	o.Digest = o.digest.Sum64()
	if o.file == nil {
		b.staged = append(b.staged, stagedFile{written: o.Written})
		return nil
	}
	err := o.file.commit()
	b.staged = append(b.staged, stagedFile{o.file.path, o.file.target, o.Written}) // it may be there all the same
	return err
}

// Publish gives all files of the bundle their names, and acknowledges its groups in the order in which they
// became whole. A group that is known to be written is left as it is. An error fails the bundle; trying it again,
// here or elsewhere, is safe.
func (b *Bundle) Publish(ctx context.Context) ([]Written, error) {
	for key, o := range b.open {
		return nil, fmt.Errorf("group %d of shard %d has no last part in its bundle, %d parts came", key.id, key.shard, o.parts)
	}
	if len(b.staged) == 0 {
		return nil, context.Cause(ctx)
	}
	log, err := b.w.fence(ctx)
	if err != nil {
		return nil, err
	}
	var acks []Written
	for _, s := range b.staged {
		switch {
		case s.path == "":
			err = context.Cause(ctx)
		case s.written.ID < log.CommittedBefore:
			err = b.w.steps.remove(ctx, s.path)
		default:
			err = b.w.steps.move(ctx, s.path, s.target)
		}
		if err != nil {
			return nil, err
		}
		acks = append(acks, s.written)
	}
	b.staged = nil
	return acks, nil
}

// Abort gives up what is not published. Files that it cannot remove are hidden, and removed later: see NoteProgress
// and Recover.
func (b *Bundle) Abort(ctx context.Context) {
	for _, o := range b.open {
		if o.file != nil {
			o.file.file.Abort()
		}
	}
	for _, s := range b.staged {
		if s.path != "" {
			_ = b.w.steps.remove(context.WithoutCancel(ctx), s.path)
		}
	}
	b.open, b.staged = map[place]*openGroup{}, nil
}

// stage is a file that is written aside.
type stage struct {
	format.Records
	file         *fileio.Writer
	steps        steps
	path, target string
}

// stageGroup begins the file of a group.
func (w *Writer) stageGroup(ctx context.Context, shard int32, id int64) (*stage, error) {
	if w.c.Compact > 0 {
		return w.stage(ctx, w.c.kept(shard, id), newKept)
	}
	return w.stage(ctx, w.c.file(shard, id, id+w.c.Step), w.c.begin)
}

// stage begins a file that is to become target. Its name is not that of another attempt, which may be at work.
func (w *Writer) stage(ctx context.Context, target string, begin func(*fileio.Writer) (format.Records, error)) (_ *stage, err error) {
	s := &stage{path: w.c.within("staged/" + path.Base(target) + "." + rand.Text()[:8]), target: target, steps: w.steps}
	if s.file, err = w.steps.create(ctx, s.path); err != nil {
		return nil, err
	}
	if s.Records, err = begin(s.file); err != nil {
		s.file.Abort()
		return nil, err
	}
	return s, nil
}

// commit ends the file, which is then there, aside.
func (s *stage) commit() error {
	err := s.Close()
	if err == nil {
		err = s.steps.commit(s.file)
	}
	if err != nil {
		s.file.Abort()
	}
	return err
}

// begin begins a file of records.
func (c *Config) begin(w *fileio.Writer) (format.Records, error) {
	in, err := format.Get[format.Writer](c.Format)
	if err != nil {
		return nil, err
	}
	asIs := func(dst, record []byte) ([]byte, error) { return append(dst, record...), nil }
	return in.Write(w, format.WriteOptions{Codec: c.Codec, Schema: c.Schema, JSON: asIs})
}
