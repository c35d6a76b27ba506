package attribution

import (
	"tributary/io/record"
	"tributary/transforms/account"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/attribution/shuffle"
)

// Inspector judges records as a join does, and joins nothing: it tells what a join would
// refuse, and why. Not for concurrent use.
type Inspector struct {
	packer *shuffle.Packer
	sheet  *account.Sheet
}

// NewInspector returns an Inspector that hands refused records to reject, whose bytes are
// valid for the call.
func NewInspector(p rules.Params, reject func(record.Rejected)) *Inspector {
	p.Shards, p.Earlier = 1, nil
	return &Inspector{
		packer: shuffle.NewPacker(&p, func(shuffle.Place, shuffle.Block) {}, reject),
		sheet:  p.NewSheet(),
	}
}

// Add judges the records of one batch. An error means a batch of an unknown input or schema.
func (i *Inspector) Add(b record.Batch) error {
	err := i.packer.Add(b)
	i.packer.Flush(func(l account.Sheet) { i.sheet.Merge(&l) })
	return err
}

// Account counts what was read, late, dead and left out so far. What a join finds out later,
// like orphans, is not in it.
func (i *Inspector) Account() *account.Sheet { return i.sheet }
