package rules

import "tributary/transforms/account"

// NewSheet returns an account of nothing yet, of the kinds and the interval of the join.
func (p *Params) NewSheet() *account.Sheet {
	kinds := make([]string, len(p.Kinds))
	for i, k := range p.Kinds {
		kinds[i] = k.Name
	}
	l := account.New(kinds...)
	l.From, l.To = p.From, p.To
	for i := range p.Stages {
		l.StageOf(p.Stages[i].Name)
	}
	return l
}

// Origin is that of the account of a step for a shard of bucket b.
func (p *Params) Origin(step account.Step, shard, b int64) account.Origin {
	o := account.Origin{Step: step, Shard: shard, Shards: int64(p.ShardsOf(b)), Time: b * p.Bucket}
	if !p.Final() {
		o.Stage = p.Stages[p.Stage].Name
	}
	return o
}
