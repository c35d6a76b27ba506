package bucket

import "tributary/transforms/attribution/rules"

var windowCases = []coreCase{
	{
		name: "a view that nobody engages with is a negative",
		in:   `view v@1000`,
		want: `v@1000 like=0 share=0`,
	},
	{
		name: "an engagement at the view's own millisecond counts",
		in: `view v@1000
		     like v@1000`,
		want: `v@1000 like=1+0 share=0
		       like v@1000: matched, owner, final`,
	},
	{
		name: "a millisecond before the view does not count",
		in: `view v@1000
		     like v@999`,
		want: `v@1000 like=0 share=0
		       like v@999: nothing, owner, final`,
	},
	{
		name: "the last millisecond of the window counts",
		in: `view v@1000
		     like v@1999`,
		want: `v@1000 like=1+999 share=0
		       like v@1999: matched, owner, final`,
	},
	{
		name: "at the window's end it does not, and its view is known",
		in: `view v@1000
		     like v@2000`,
		want: `v@1000 like=0 share=0
		       like v@2000: outside, owner, final`,
	},
	{
		name: "each kind has its own window",
		in: `view v@1000
		     like v@3999
		     share v@3999
		     share v@4000`,
		want: `v@1000 like=0 share=1+2999
		       like v@3999: outside, owner, final
		       share v@3999: matched, owner, final
		       share v@4000: nothing, owner, final`,
	},
	{
		name:   "an engagement may precede its view by the clock skew, with no delay",
		change: withSkew,
		in: `view v@1000
		     like v@950`,
		want: `v@1000 like=1+0 share=0
		       like v@950: matched, owner, final`,
	},
	{
		name:   "by a millisecond more it is outside",
		change: withSkew,
		in: `view v@1000
		     like v@949`,
		want: `v@1000 like=0 share=0
		       like v@949: outside, owner, final`,
	},
	{
		name:   "the clock skew does not lengthen the window",
		change: withSkew,
		in: `view v@1000
		     like v@2000`,
		want: `v@1000 like=0 share=0
		       like v@2000: outside, owner, final`,
	},
	{
		name:   "skew far beyond the window: the engagement may come long before",
		change: func(p *rules.Params) { p.ClockSkew = 5000; p.Kinds = p.Kinds[:1] },
		in: `view v@9000
		     like v@4000
		     like v@3999`,
		want: `v@9000 like=1+0
		       like v@3999: outside
		       like v@4000: matched`,
	},
	{
		name: "an engagement counts for the view it names alone",
		in: `view v@1000
		     view w@1000
		     like w@1500`,
		want: `v@1000 like=0 share=0
		       w@1000 like=1+500 share=0
		       like w@1500: matched, owner, final`,
	},
	{
		name: "views of one id that lie apart each have the engagement in their windows",
		in: `view v@1000
		     view v@1500
		     like v@1600`,
		want: `v@1000 like=1+600 share=0
		       v@1500 like=1+100 share=0
		       like v@1600: matched, owner, final`,
	},
	{
		name: "by its view's time it counts for that one alone",
		in: `view v@1000
		     view v@1500
		     like v@1600 vt=1500`,
		want: `v@1000 like=0 share=0
		       v@1500 like=1+100 share=0
		       like v@1600: matched, owner, final`,
	},
	{
		name:   "a view's time may be off by the clock skew and no more",
		change: func(p *rules.Params) { p.ClockSkew = 50; p.DedupWindow = 0 },
		in: `view v@1000
		     view v@1001
		     view v@1101
		     view v@1102
		     like v@1600 vt=1051`,
		want: `v@1000 like=0 share=0
		       v@1001 like=1+599 share=0
		       v@1101 like=1+499 share=0
		       v@1102 like=0 share=0
		       like v@1600: matched, owner, final`,
	},
}
