package attribution

import (
	"tributary/transforms/account"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/attribution/shuffle"
)

// flushed flushes k and returns all that it accounts for.
func flushed(p *rules.Params, k *shuffle.Packer) *account.Sheet {
	counted := p.NewSheet()
	k.Flush(func(l account.Sheet) { counted.Merge(&l) })
	return counted
}
