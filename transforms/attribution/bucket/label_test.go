package bucket

import (
	"tributary/transforms/attribution/rules"
	"tributary/transforms/label"
)

var creditCases = []coreCase{
	{
		name: "all that count are credited, in order of time",
		in: `view v@1000
		     like v@1700
		     like v@1500
		     like v@1900`,
		want: `v@1000 like=3+500 share=0
		       like v@1500: matched, owner, final
		       like v@1700: matched, owner, final
		       like v@1900: matched, owner, final`,
	},
	{
		name:   "the first alone",
		change: onlyLike(label.Sum, rules.CountFirst),
		in: `view v@1000
		     like v@1700 value=7
		     like v@1500 value=5`,
		want: `v@1000 like=5+500
		       like v@1500: matched, owner, final
		       like v@1700: matched, owner, final`,
	},
	{
		name:   "the last alone, and the delay is its own",
		change: onlyLike(label.Sum, rules.CountLast),
		in: `view v@1000
		     like v@1700 value=7
		     like v@1500 value=5`,
		want: `v@1000 like=7+700
		       like v@1500: matched, owner, final
		       like v@1700: matched, owner, final`,
	},
	{
		name:   "the last in the window, not the last of all",
		change: onlyLike(label.Sum, rules.CountLast),
		in: `view v@1000
		     like v@1500 value=5
		     like v@2000 value=9`,
		want: `v@1000 like=5+500
		       like v@1500: matched, owner, final
		       like v@2000: nothing, owner, final`,
	},
	{
		name:   "of two at one time the first in the log is first",
		change: onlyLike(label.First, rules.CountAll),
		in: `view v@1000
		     like v@1500 value=8
		     like v@1500 value=2`,
		want: `v@1000 like=8+500
		       like v@1500: matched, owner, final
		       like v@1500: matched, owner, final`,
	},
	{
		name:   "and the last in the log is last",
		change: onlyLike(label.Last, rules.CountAll),
		in: `view v@1000
		     like v@1500 value=8
		     like v@1500 value=2`,
		want: `v@1000 like=2+500
		       like v@1500: matched, owner, final
		       like v@1500: matched, owner, final`,
	},
	{
		name:   "the partition goes before the offset",
		change: onlyLike(label.First, rules.CountAll),
		in: `view v@1000
		     like v@1500 value=8 p=2
		     like v@1500 value=2 p=1`,
		want: `v@1000 like=2+500
		       like v@1500: matched, owner, final
		       like v@1500: matched, owner, final`,
	},
	{
		name: "credit is given within a kind: the kinds do not compete",
		change: func(p *rules.Params) {
			p.Kinds = []rules.Kind{{Name: "like", Window: 1000, Label: label.Count, Count: rules.CountLast}, {Name: "share", Window: 1000, Label: label.Count, Count: rules.CountFirst}}
		},
		in: `view v@1000
		     like v@1100
		     share v@1200
		     like v@1300
		     share v@1400`,
		want: `v@1000 like=1+300 share=1+200
		       like v@1100: matched, owner, final
		       like v@1300: matched, owner, final
		       share v@1200: matched, owner, final
		       share v@1400: matched, owner, final`,
	},
}

// labelCases: what each function makes of no engagement, and of these, of which the field of
// two is no number.
func labelCases() (cases []coreCase) {
	const mixed = `view v@1000
		like v@1600 value=2.5
		like v@1500 value="many"
		like v@1700 value=-4
		like v@1800`
	for f, labels := range map[label.Func][3]string{
		//                  nothing, the mixed ones, a single one without a number
		label.Binary:      {"0", "1+500", "1+500"},
		label.Count:       {"0", "4+500", "1+500"},
		label.TimeToFirst: {"null", "500+500", "500+500"},
		label.Sum:         {"0", "-1.5+500", "0+500"},
		label.Min:         {"null", "-4+500", "null+500"},
		label.Max:         {"null", "2.5+500", "null+500"},
		label.First:       {"null", `"many"+500`, `"many"+500`},
		label.Last:        {"null", "null+500", `"many"+500`},
	} {
		const counted = ": matched, owner, final\n"
		cases = append(
			cases,
			coreCase{string(f) + " of nothing", onlyLike(f, rules.CountAll), 0, `view v@1000`, "v@1000 like=" + labels[0]},
			coreCase{
				string(f) + " of numbers and others", onlyLike(f, rules.CountAll), 0, mixed,
				"v@1000 like=" + labels[1] + "\nlike v@1500" + counted + "like v@1600" + counted + "like v@1700" + counted + "like v@1800" + counted,
			},
			coreCase{
				string(f) + " of one without a number", onlyLike(f, rules.CountAll), 0, "view v@1000\nlike v@1500 value=\"many\"",
				"v@1000 like=" + labels[2] + "\nlike v@1500" + counted,
			},
		)
	}
	// Text that reads as a number is one: CSV has no others.
	return append(cases, coreCase{
		"sum of numbers in text", onlyLike(label.Sum, rules.CountAll), 0, "view v@1000\nlike v@1500 value=\"2.5\"\nlike v@1501 value=true",
		"v@1000 like=3.5+500\nlike v@1500: matched, owner, final\nlike v@1501: matched, owner, final",
	})
}

var maturityCases = []coreCase{
	{
		name: "a log that goes on lets every view mature",
		in:   `view v@1000`, want: `v@1000 like=0 share=0 mature=3000`,
	},
	{
		name: "where the log ends before the window does, the label is immature", change: logEndsAt3000,
		in: `view v@1000
		     view w@0
		     view x@3000`,
		want: `v@1000 like=0 share=0 mature=2000
		       w@0 like=0 share=0 mature=3000
		       x@3000 like=0 share=0 mature=0`,
	},
	{
		name: "a view after the end of the log has seen nothing", change: logEndsAt3000,
		in: `view v@3001`, want: `v@3001 like=0 share=0 mature=0`,
	},
}
