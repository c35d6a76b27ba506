package attribution

import (
	"context"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"tributary/io/dofn"
	"tributary/io/record"
	"tributary/io/spill"
	"tributary/transforms/account"
	"tributary/transforms/attribution/outcome"
	"tributary/transforms/attribution/shuffle"
	"tributary/transforms/sample"
)

func init() {
	dofn.Register(
		dofn.Method1x0((*keepBlocksFn).StartBundle),
		dofn.Method5x1((*keepBlocksFn).ProcessElement),
		dofn.Method2x1((*keepBlocksFn).FinishBundle),
		dofn.Method0x0((*keepBlocksFn).Teardown),
	)
	dofn.Register(dofn.Method0x0((*joinKeptFn).Setup), dofn.Method7x1((*joinKeptFn).ProcessElement))
	dofn.Element(spill.EncodeRef, spill.DecodeRef)
	register.Emitter3[beam.EventTime, int64, spill.Ref]()
	register.Iter1[spill.Ref]()
}

// keepBlocksFn keeps the blocks of a bundle in a file, and emits where they are when it ends.
type keepBlocksFn struct {
	Folder string

	keeper spill.Keeper[keptBlock]
}

// keptBlock is what is to be emitted with a reference.
type keptBlock struct {
	at    beam.EventTime
	shard int64
}

func (f *keepBlocksFn) StartBundle(func(beam.EventTime, int64, spill.Ref)) { f.keeper.Abort() }

func (f *keepBlocksFn) ProcessElement(ctx context.Context, at beam.EventTime, shard int64, block shuffle.Block, _ func(beam.EventTime, int64, spill.Ref)) error {
	return f.keeper.Keep(ctx, f.Folder, keptBlock{at, shard}, shuffle.EncodeBlock(block))
}

func (f *keepBlocksFn) FinishBundle(_ context.Context, emit func(beam.EventTime, int64, spill.Ref)) error {
	return f.keeper.Commit(func(k keptBlock, ref spill.Ref) { emit(k.at, k.shard, ref) })
}

func (f *keepBlocksFn) Teardown() { f.keeper.Abort() }

// joinKeptFn joins blocks that were kept.
type joinKeptFn struct {
	Join   joinFn
	Folder string
}

func (f *joinKeptFn) Setup() { f.Join.Setup() }

func (f *joinKeptFn) ProcessElement(ctx context.Context, shard int64, refs func(*spill.Ref) bool, samples func(sample.Block), partials func(beam.EventTime, int64, outcome.Partials), rejected func(record.Rejected), accounts func(account.Sheet)) error {
	next := func(block *shuffle.Block) (bool, error) {
		var ref spill.Ref
		if !refs(&ref) {
			return false, nil
		}
		return true, getBlock(ctx, f.Folder, ref, block)
	}
	return f.Join.join(shard, next, samples, partials, rejected, accounts)
}

// getBlock reads a block that was kept.
func getBlock(ctx context.Context, folder string, ref spill.Ref, block *shuffle.Block) error {
	encoded, err := spill.Get(ctx, folder, ref)
	if err != nil {
		return err
	}
	*block, err = shuffle.DecodeBlock(encoded)
	return err
}
