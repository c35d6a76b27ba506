package batch

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"sync/atomic"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"tributary/io/dofn"
	"tributary/io/format"
	"tributary/io/kafkaio/source"
	"tributary/io/record"
	"tributary/transforms/account"
	"tributary/transforms/attribution/decode"
	"tributary/transforms/attribution/rules"
)

func init() {
	beam.RegisterType(reflect.TypeFor[piece]())
	beam.RegisterCoder(reflect.TypeFor[piece](), encodePiece, decodePiece)
	dofn.Register(dofn.Method5x1((*readFn).ProcessElement))
	register.Emitter1[record.Batch]()
	register.Emitter1[record.Rejected]()
	register.Emitter1[account.Sheet]()
}

// Not as JSON, which would spoil names of files and partitions that are not UTF-8.
func encodePiece(p piece) ([]byte, error) {
	var out bytes.Buffer
	err := gob.NewEncoder(&out).Encode(p)
	return out.Bytes(), err
}

func decodePiece(encoded []byte) (p piece, err error) {
	err = gob.NewDecoder(bytes.NewReader(encoded)).Decode(&p)
	return p, err
}

// recordsRead counts the records read by this process, each once however many intervals
// need it. It is all that tells a progress bar how far the pipelines are: a DoFn has no
// way to reach whoever started it.
var recordsRead atomic.Int64

// readFn reads pieces of files into batches. What cannot be told apart as records is
// refused here, on account of the interval that the piece says.
type readFn struct {
	P rules.Params
	// Fields are the partition and offset fields of sources whose records carry them.
	Fields map[int32][2]string
	// Reading says how topics are read.
	Reading source.Config

	splitters map[splitKey]*decode.Scanner
}

type splitKey struct {
	input  int32
	schema uint64
}

// loaded is a chunk, read and decompressed.
type loaded struct {
	read  *read
	chunk format.Chunk
	batch record.Batch
	err   error
}

// ahead is how many chunks are read ahead, on another processor if there is one.
const ahead = 4

func (f *readFn) ProcessElement(ctx context.Context, p piece, batches func(record.Batch), rejected func(record.Rejected), accounts func(account.Sheet)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	account := account.New()
	account.From, account.To = f.P.From, f.P.To
	if p.File.Range != nil {
		if err := f.readTopic(ctx, &p, account, batches, rejected); err != nil {
			return err
		}
		accounts(*account)
		return ctx.Err()
	}
	chunks := make(chan loaded, ahead)
	rooms := make(chan []byte, ahead+2) // of records that have been packed
	go load(ctx, &p, chunks, rooms)
	for c := range chunks {
		if c.err != nil {
			return fmt.Errorf("read %s: %w", p.File.Path, c.err)
		}
		if c.read.Account {
			account.Bytes.In += c.read.Size
			account.Bytes.Records += int64(len(c.batch.Records))
			recordsRead.Add(c.read.Records)
			f.refuse(&c, account, rejected)
		}
		for _, t := range c.read.Takes {
			b := c.batch
			b.Input, b.Repeat, b.File = t.Input, !c.read.Account, f.P.Inputs[t.Input].FileOf(p.File.Path)
			if t.ByField {
				if err := f.split(&p, b, t, batches, rejected, account); err != nil {
					return err
				}
				continue
			}
			if b.Count > 0 {
				before := t.Parts[0].Before
				b.Partition, b.MaxTime, b.SecondTime = t.Parts[0].Partition, before.Largest, before.Second
				batches(b)
			}
		}
		select {
		case rooms <- c.batch.Records:
		default:
		}
	}
	accounts(*account)
	return ctx.Err()
}

// load reads the chunks of a piece, skipping what lies between them. Records go to rooms that are free.
func load(ctx context.Context, p *piece, out chan<- loaded, rooms <-chan []byte) {
	defer close(out)
	send := func(l loaded) bool {
		select {
		case out <- l:
			return l.err == nil
		case <-ctx.Done():
			return false
		}
	}
	if chunks := cachedOf(ctx, p); chunks != nil {
		for i, c := range chunks {
			l := loaded{read: &p.Reads[i], chunk: c}
			l.load(&p.File, nil)
			if !send(l) {
				return
			}
		}
		return
	}
	r, err := openChunks(ctx, &p.File, p.Reads[0].Place, nil)
	if err != nil {
		send(loaded{err: err})
		return
	}
	defer func() { _ = r.Close() }() // only read
	for i := range p.Reads {
		l := loaded{read: &p.Reads[i]}
		for l.err == nil {
			if l.chunk, l.err = r.Next(); l.err == nil && l.chunk.Offset >= l.read.Place.Offset {
				break
			}
		}
		if errors.Is(l.err, io.EOF) || l.err == nil && l.chunk.Offset != l.read.Place.Offset {
			l.err = fmt.Errorf("no chunk at byte %d: the file has changed since it was scanned", l.read.Place.Offset)
		}
		if l.err == nil {
			var room []byte
			select {
			case room = <-rooms:
			default:
			}
			l.load(&p.File, room)
		}
		if !send(l) {
			return
		}
	}
}

// load reads the records of the chunk. Where it is damaged they are lost together.
func (l *loaded) load(f *file, room []byte) {
	batch, err := batchOf(&l.chunk, f, room)
	if l.batch = batch; err != nil {
		l.chunk.Bad = append(l.chunk.Bad, lostOf(&l.chunk, err))
		l.batch.Count, l.chunk.Count = 0, 0
	}
	if l.read.Behind > 0 {
		l.chunk.Bad = append(l.chunk.Bad, format.Bad{
			Index: l.chunk.Index, AtLeast: true,
			Err: fmt.Errorf("block at byte %d: %d bytes follow the %d records it says it has", l.chunk.Offset, l.read.Behind, l.chunk.Count),
		})
	}
}

// refuse accounts for the bad records of a chunk, for every source that takes it.
func (f *readFn) refuse(c *loaded, account *account.Sheet, rejected func(record.Rejected)) {
	for _, t := range c.read.Takes {
		for _, bad := range c.chunk.Bad {
			r := record.Rejected{
				Reason: record.ReasonMalformed, Detail: bad.Err.Error(), Input: t.Input, Partition: t.File, Offset: bad.Index, Count: bad.Count, AtLeast: bad.AtLeast,
				EventTime: record.NoTime, Watermark: record.NoTime, Record: slices.Clone(bad.Record),
			}
			f.dead(r, account, rejected)
		}
	}
}

// dead accounts for a record that is none of the join's, and rejects it unless it is counted only.
func (f *readFn) dead(r record.Rejected, account *account.Sheet, rejected func(record.Rejected)) {
	in := &f.P.Inputs[r.Input]
	kind := f.P.KindName(in.Kind)
	if r.Reason == record.ReasonTombstone {
		account.AddTombstones(in.Name, kind, r.Count)
		return
	}
	account.AddDead(in.Name, kind, r.Detail, r.Count)
	if r.AtLeast {
		account.AddDamage(kind)
	}
	rejected(r)
}

// split makes a batch for each partition that the records of b name.
func (f *readFn) split(p *piece, b record.Batch, t take, batches func(record.Batch), rejected func(record.Rejected), account *account.Sheet) error {
	key := splitKey{t.Input, p.File.Schema}
	scanner := f.splitters[key]
	if scanner == nil {
		fields := f.Fields[t.Input]
		var err error
		if scanner, err = decode.NewScanner(&f.P, int(t.Input), p.File.Schema, fields[0], fields[1]); err != nil {
			return err
		}
		if f.splitters == nil {
			f.splitters = map[splitKey]*decode.Scanner{}
		}
		f.splitters[key] = scanner
	}
	parts := make(map[string]*record.Batch, len(t.Parts))
	for _, part := range t.Parts {
		parts[part.Key] = &record.Batch{Input: t.Input, Partition: part.Partition, Schema: b.Schema, MaxTime: part.Before.Largest, SecondTime: part.Before.Second, Framed: true, Repeat: b.Repeat, File: b.File}
	}
	told := int32(0)
	scanner.Scan(b, func(r decode.Scanned) {
		told++
		name, offset, err := logPosition(r.Extra)
		part := parts[string(name)]
		if err != nil || part == nil {
			if !b.Repeat {
				f.dead(record.Rejected{
					Reason: record.ReasonMalformed, Detail: fmt.Sprintf("its place in the log: %v", err), Input: t.Input, Partition: t.File, Offset: r.Offset,
					Count: 1, EventTime: record.NoTime, Watermark: record.NoTime, Schema: b.Schema, Record: slices.Clone(r.Record),
				}, account, rejected)
			}
			return
		}
		if part.Count == 0 {
			part.Offset = offset
		}
		part.Count++
		part.Records = record.AppendFramed(part.Records, offset-part.Offset, r.Record)
	})
	if lost := b.Count - told; lost > 0 && !b.Repeat {
		f.dead(record.Rejected{
			Reason: record.ReasonMalformed, Detail: "a record before these cannot be decoded, nor where they begin", Input: t.Input, Partition: t.File,
			Offset: b.Offset + int64(told), Count: int64(lost), EventTime: record.NoTime, Watermark: record.NoTime, Schema: b.Schema,
		}, account, rejected)
	}
	for _, part := range t.Parts {
		if made := parts[part.Key]; made.Count > 0 {
			batches(*made)
		}
	}
	return nil
}
