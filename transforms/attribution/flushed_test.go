package attribution

import "tributary/transforms/account"

// flushed flushes k and returns all that it accounts for.
func flushed(p *Params, k *packer) *account.Sheet {
	counted := newSheet(p)
	k.flush(func(l account.Sheet) { counted.Merge(&l) })
	return counted
}
