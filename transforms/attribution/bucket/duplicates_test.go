package bucket

import "tributary/transforms/attribution/rules"

var duplicateCases = []coreCase{
	{
		name: "of two copies of a view the first in the log is kept",
		in: `view v@1000 x=same
		     view v@1000 x=same`,
		want: `v@1000 like=0 share=0
		       duplicate`,
	},
	{
		name: "a copy with another content is counted as such",
		in: `view v@1000 x=first
		     view v@1000 x=second`,
		want: `v@1000 like=0 share=0 x=first
		       duplicate differs`,
	},
	{
		name: "the earlier view is kept, wherever it stands in the log",
		in: `view v@1050 x=later
		     view v@1000 x=earlier`,
		want: `v@1000 like=0 share=0 x=earlier
		       duplicate differs`,
	},
	{
		name: "views just within reach are one",
		in: `view v@1000
		     view v@1100`,
		want: `v@1000 like=0 share=0
		       duplicate`,
	},
	{
		name: "a millisecond more and they are two",
		in: `view v@1000
		     view v@1101`,
		want: `v@1000 like=0 share=0
		       v@1101 like=0 share=0`,
	},
	{
		name: "each is held against the one before it, be it a duplicate itself",
		in: `view v@1000
		     view v@1090
		     view v@1180
		     view v@1281`,
		want: `v@1000 like=0 share=0
		       v@1281 like=0 share=0
		       duplicate
		       duplicate`,
	},
	{
		name:   "with no reach only the same millisecond is a duplicate",
		change: func(p *rules.Params) { p.DedupWindow = 0 },
		in: `view v@1000
		     view v@1000
		     view v@1001`,
		want: `v@1000 like=0 share=0
		       v@1001 like=0 share=0
		       duplicate`,
	},
	{
		name: "a duplicate view has no labels of its own, though an engagement lies in its window alone",
		in: `view v@1000
		     view v@1100
		     like v@2050`,
		want: `v@1000 like=0 share=0
		       duplicate
		       like v@2050: outside, owner, final`,
	},
	{
		name: "a view of an earlier bucket makes one here a duplicate", bucket: 1,
		in: `marker v@9950 x=a
		     view v@10050 x=b`,
		want: `duplicate differs`,
	},
	{
		name: "with the same content, the same", bucket: 1,
		in: `marker v@9950 x=a
		     view v@10050 x=a`,
		want: `duplicate`,
	},
	{
		name: "one that is too far back does not", bucket: 1,
		in: `marker v@9949
		     view v@10050`,
		want: `v@10050 like=0 share=0`,
	},
	{
		name: "a marker of another interval gives no sample, but accounts for engagements",
		in: `marker v@1000
		     like v@1500`,
		want: `like v@1500: matched, owner, final`,
	},
	{
		name: "an engagement is judged by a marker of an earlier bucket there, not here", bucket: 1,
		in: `marker v@9950
		     like v@10500`,
		want: `like v@10500: nothing, owner`,
	},
	{
		name: "an engagement told twice counts once",
		in: `view v@1000
		     like v@1500 id=e
		     like v@1500 id=e`,
		want: `v@1000 like=1+500 share=0
		       like v@1500: duplicate, owner, final
		       like v@1500: matched, owner, final`,
	},
	{
		name: "by its own id even at another time, the earlier one",
		in: `view v@1000
		     like v@1600 id=e
		     like v@1500 id=e`,
		want: `v@1000 like=1+500 share=0
		       like v@1500: matched, owner, final
		       like v@1600: duplicate, owner, final`,
	},
	{
		name: "beyond reach the same id is another event",
		in: `view v@1000
		     like v@1500 id=e
		     like v@1601 id=e`,
		want: `v@1000 like=2+500 share=0
		       like v@1500: matched, owner, final
		       like v@1601: matched, owner, final`,
	},
	{
		name: "own ids that differ are two events, alike as they are",
		in: `view v@1000
		     like v@1500 id=e
		     like v@1500 id=f`,
		want: `v@1000 like=2+500 share=0
		       like v@1500: matched, owner, final
		       like v@1500: matched, owner, final`,
	},
	{
		name: "without an own id the same time and value is the same event",
		in: `view v@1000
		     like v@1500 value=1
		     like v@1500 value=1
		     like v@1500 value=2
		     like v@1501 value=1`,
		want: `v@1000 like=3+500 share=0
		       like v@1500: duplicate, owner, final
		       like v@1500: matched, owner, final
		       like v@1500: matched, owner, final
		       like v@1501: matched, owner, final`,
	},
	{
		name: "one id in two kinds is two events",
		in: `view v@1000
		     like v@1500 id=e
		     share v@1500 id=e`,
		want: `v@1000 like=1+500 share=1+500
		       like v@1500: matched, owner, final
		       share v@1500: matched, owner, final`,
	},
	{
		name: "one id on two views is two events",
		in: `view v@1000
		     view w@1000
		     like v@1500 id=e
		     like w@1500 id=e`,
		want: `v@1000 like=1+500 share=0
		       w@1000 like=1+500 share=0
		       like v@1500: matched, owner, final
		       like w@1500: matched, owner, final`,
	},
	{
		name:   "a duplicate stays one even if it alone lies in the window",
		change: likesOnly,
		in: `view v@1000
		     like v@990 id=e
		     like v@1010 id=e`,
		want: `v@1000 like=0
		       like v@1010: duplicate, owner, final
		       like v@990: nothing, owner, final`,
	},
}
