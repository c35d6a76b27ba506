package bucket

import "tributary/transforms/attribution/rules"

// columns are where the labels of kinds stand in those of a view.
type columns struct {
	first []int // by kind, its first column
	kinds []int // by column
}

func columnsOf(p *rules.Params) (c columns) {
	for kind := range p.Kinds {
		c.first = append(c.first, len(c.kinds))
		for range p.Kinds[kind].LabelCount() {
			c.kinds = append(c.kinds, kind)
		}
	}
	return c
}
