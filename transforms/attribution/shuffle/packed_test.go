package shuffle

import (
	"tributary/transforms/account"
	"tributary/transforms/attribution/rules"
)

// packed flushes k and returns all that it accounts for.
func packed(p *rules.Params, k *Packer) *account.Sheet {
	counted := p.NewSheet()
	k.Flush(func(l account.Sheet) { counted.Merge(&l) })
	return counted
}
