package attribution

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"tributary/io/dofn"
	"tributary/io/record"
	"tributary/io/spill"
	"tributary/io/wire"
	"tributary/transforms/account"
	"tributary/transforms/attribution/outcome"
	"tributary/transforms/attribution/shuffle"
	"tributary/transforms/sample"
)

func init() {
	register.Function2x2(placeOf)
	dofn.Register(dofn.Method0x0((*joinInOrderFn).Setup), dofn.Method7x1((*joinInOrderFn).ProcessElement))
	dofn.Element(encodePlaced, decodePlaced)
	register.Iter1[placed]()
}

// placed is a block that was kept, with its shard.
type placed struct {
	shard int64
	ref   spill.Ref
}

func encodePlaced(p placed) []byte {
	return append(binary.AppendVarint(nil, p.shard), spill.EncodeRef(p.ref)...)
}

func decodePlaced(encoded []byte) (p placed, err error) {
	r := wire.NewReader(encoded)
	if p.shard = r.Varint(); r.Short() {
		return p, fmt.Errorf("%d bytes are no block of a shard", len(encoded))
	}
	p.ref, err = spill.DecodeRef(r.Rest())
	return p, err
}

// placeOf puts all blocks under one key: their references are small.
func placeOf(shard int64, ref spill.Ref) (int64, placed) { return 0, placed{shard, ref} }

// joinInOrderFn joins all that was kept, one (bucket, shard) after another.
type joinInOrderFn struct {
	Join   joinFn
	Folder string
}

func (f *joinInOrderFn) Setup() { f.Join.Setup() }

func (f *joinInOrderFn) ProcessElement(ctx context.Context, _ int64, blocks func(*placed) bool, samples func(sample.Block), partials func(beam.EventTime, int64, outcome.Partials), rejected func(record.Rejected), accounts func(account.Sheet)) error {
	type part struct {
		bucket int64
		placed
	}
	var all []part
	var one placed
	for blocks(&one) {
		head, err := shuffle.DecodeBlock(one.ref.Head)
		if err != nil {
			return err
		}
		bucket, err := head.Bucket()
		if err != nil {
			return err
		}
		all = append(all, part{bucket, one})
	}
	slices.SortStableFunc(all, func(a, b part) int { return cmp.Or(cmp.Compare(a.bucket, b.bucket), cmp.Compare(a.shard, b.shard)) })
	for len(all) > 0 {
		first := all[0]
		next := func(block *shuffle.Block) (bool, error) {
			if len(all) == 0 || all[0].bucket != first.bucket || all[0].shard != first.shard {
				return false, nil
			}
			err := getBlock(ctx, f.Folder, all[0].ref, block)
			all = all[1:]
			return true, err
		}
		if err := f.Join.join(first.shard, next, samples, partials, rejected, accounts); err != nil {
			return err
		}
	}
	return nil
}
