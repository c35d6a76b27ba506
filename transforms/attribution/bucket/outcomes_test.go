package bucket

var lateCases = []coreCase{
	{
		name: "an engagement counts for no view that had closed when it was read",
		in: `view v@1000
		     view v@1500
		     like v@1600 closed=1000`,
		want: `v@1000 like=0 share=0
		       v@1500 like=1+100 share=0
		       like v@1600: matched, owner, final`,
	},
	{
		name: "a view a millisecond younger was open",
		in: `view v@1001
		     like v@1600 closed=1000`,
		want: `v@1001 like=1+599 share=0
		       like v@1600: matched, owner, final`,
	},
	{
		name: "one that is late for the view does not make another a duplicate",
		in: `view v@1000
		     like v@1500 id=e closed=1000
		     like v@1510 id=e`,
		want: `v@1000 like=1+510 share=0
		       like v@1500: nothing, owner, final
		       like v@1510: matched, owner, final`,
	},
	{
		name: "one that came in time makes a late one a duplicate",
		in: `view v@1000
		     like v@1500 id=e
		     like v@1510 id=e closed=1000`,
		want: `v@1000 like=1+500 share=0
		       like v@1500: matched, owner, final
		       like v@1510: duplicate, owner, final`,
	},
	{
		name: "final, because all other views it might name had closed", change: likesOnly,
		in: `view v@5000
		     like v@6000 closed=4900`,
		want: `v@5000 like=0
		       like v@6000: nothing, owner, final`,
	},
}

var ownerCases = []coreCase{
	{
		name: "its owner is the bucket of the last view that may be its own", change: shortBucket, bucket: 1,
		in: `view v@1500
		     like v@1600`,
		want: `v@1500 like=1+100
		       like v@1600: matched, owner, final`,
	},
	{
		name: "another bucket tells only of what it saw", change: shortBucket, bucket: 1,
		in: `view v@1500
		     like v@2100
		     like w@2100`,
		want: `v@1500 like=1+600
		       like v@2100: matched`,
	},
	{
		name: "a duplicate is told of in the owner bucket alone", change: shortBucket, bucket: 1,
		in: `view v@1500
		     like v@2100 id=e
		     like v@2110 id=e`,
		want: `v@1500 like=1+600
		       like v@2100: matched`,
	},
	{
		name: "in the owner bucket an orphan is told of, for other buckets to gainsay", change: shortBucket, bucket: 2,
		in:   `like v@2100`,
		want: `like v@2100: nothing, owner`,
	},
	{
		name: "with its view's time it has one bucket, which says the last word",
		in: `view v@1000
		     like v@1500 vt=1000
		     like w@1500 vt=1000`,
		want: `v@1000 like=1+500 share=0
		       like v@1500: matched, owner, final
		       like w@1500: nothing, owner, final`,
	},
	{
		name: "the out-of-orderness is a margin in which a view is still known", change: outOfOrder,
		in: `view v@3000
		     like v@4499
		     like v@4500
		     like v@2500
		     like v@2499`,
		want: `v@3000 like=0
		       like v@2499: nothing, owner, final
		       like v@2500: outside, owner, final
		       like v@4499: outside, owner, final
		       like v@4500: nothing, owner, final`,
	},
}
