package batch

import (
	"context"
	"slices"
	"sync"

	"tributary/io/format"
)

// cacheBytes bounds the records that are kept from the scan for the join: a million of a hundred bytes.
const cacheBytes = 128 << 20

// cache holds the chunks of all inputs from the scan on, so that small inputs are read once. Once they do not fit, none is kept:
// a share of them would be memory for little.
type cache struct {
	mu     sync.Mutex
	bytes  int64
	full   bool
	chunks map[chunkPlace]format.Chunk
}

// chunkPlace names a chunk of a file, as it is read.
type chunkPlace struct {
	path, format, convert string
	offset                int64
}

func cachePlace(f *file, c *format.Chunk) chunkPlace {
	return chunkPlace{f.Path, string(f.Format), f.Convert, c.Offset}
}

// add takes a chunk with its records, or the damage that keeps them from being read, and tells whether it has kept them: then
// they are not the caller's any more. Text is not kept, whose chunks share their memory.
func (k *cache) add(f *file, c format.Chunk, records []byte, damage error) bool {
	if k == nil || f.reads().Text() {
		return k.drop()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.bytes += int64(cap(records)); k.full || k.bytes > cacheBytes {
		k.full, k.chunks = true, nil
		return false
	}
	c.Bad = slices.Clip(c.Bad) // who reads the chunk may add to it, and is not alone
	c.Records = func([]byte) ([]byte, error) { return records, damage }
	if k.chunks == nil {
		k.chunks = map[chunkPlace]format.Chunk{}
	}
	k.chunks[cachePlace(f, &c)] = c
	return true
}

// drop keeps nothing from now on.
func (k *cache) drop() bool {
	if k != nil {
		k.mu.Lock()
		k.full, k.chunks = true, nil
		k.mu.Unlock()
	}
	return false
}

type cacheKey struct{}

// in is a context in which the join finds what is kept. It works as the direct runner does, in this process.
func (k *cache) in(ctx context.Context) context.Context { return context.WithValue(ctx, cacheKey{}, k) }

// cachedOf are the chunks of a piece, nil if they are not kept.
func cachedOf(ctx context.Context, p *piece) (all []format.Chunk) {
	k, ok := ctx.Value(cacheKey{}).(*cache)
	if !ok || k == nil || k.full {
		return nil
	}
	for i := range p.Reads {
		c, ok := k.chunks[cachePlace(&p.File, &format.Chunk{Place: p.Reads[i].Place})]
		if !ok {
			return nil
		}
		all = append(all, c)
	}
	return all
}
