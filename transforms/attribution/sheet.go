package attribution

import "tributary/transforms/account"

func newSheet(p *Params) *account.Sheet {
	kinds := make([]string, len(p.Kinds))
	for i, k := range p.Kinds {
		kinds[i] = k.Name
	}
	l := account.New(kinds...)
	l.From, l.To = p.From, p.To
	return l
}

// origin is that of the account of a step for a shard of bucket b.
func (p *Params) origin(step account.Step, shard, b int64) account.Origin {
	return account.Origin{Step: step, Shard: shard, Shards: int64(p.shardsOf(b)), Time: b * p.Bucket}
}
