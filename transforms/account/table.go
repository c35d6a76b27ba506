package account

// The table of counts. A new one is a row here, or in the package of the transform that counts it.
//
//	views:       read = samples + sampled out + duplicates + late + dead + open
//	each kind:   read = matched + outside window + orphans + duplicates + late + dead + open
var (
	// Read records; of a kind or the views.
	Read = Define(Row{
		Key: "read", Label: "read",
		Views:       &Use{Doc: "Views read", Side: Whole, Metric: "views_read"},
		Engagements: &Use{Doc: "Engagements read", Side: Whole, Metric: "read"},
		Input:       &Use{Doc: "Records read", Side: Whole},
		Stage:       &Use{Doc: "Views read that are neither late for all stages nor dead", Side: Whole},
	})
	// Samples are views that became one.
	Samples = Define(Row{
		Key: "samples", Label: "samples", Colour: "kept",
		Views: &Use{Doc: "Became samples", Side: Part, Metric: "samples"},
		Stage: &Use{Doc: "Have a sample at that stage, given or as it was said before", Side: Part, Metric: "samples"},
	})
	// SampledOut are negatives that were not kept.
	SampledOut = Define(Row{
		Key: "sampled_out", Label: "sampled out", Colour: "spare",
		Views: &Use{Doc: "Negatives that were not kept", Side: Part, Metric: "sampled_out"},
		Stage: &Use{Doc: "Negatives that were not kept", Side: Part},
	})
	// Matched engagements: the view came, and they lie in its attribution window.
	Matched = Define(Row{
		Key: "matched", Label: "matched", Colour: "kept",
		Engagements: &Use{Doc: "In the window of their view", Side: Part, Metric: "matched"},
	})
	// Outside: the view came, but they lie outside its attribution window.
	Outside = Define(Row{
		Key: "outside_window", Label: "outside window", Colour: "spare",
		Engagements: &Use{Doc: "Their view came, but they lie outside its window", Side: Part, Metric: "outside_window"},
	})
	// Orphans: the view never came.
	Orphans = Define(Row{
		Key: "orphans", Label: "orphans", Colour: "orphan",
		Engagements: &Use{Doc: "Their view never came", Side: Part, Metric: "orphans"},
	})
	// Duplicates of a record that was used.
	Duplicates = Define(Row{
		Key: "duplicates", Label: "duplicates", Colour: "double",
		Views:       &Use{Doc: "Of a view that is a sample or sampled out", Side: Part, Metric: "views_duplicate"},
		Engagements: &Use{Doc: "Sent again", Side: Part, Metric: "duplicate"},
		Stage:       &Use{Doc: "Of a view that has a sample or is sampled out", Side: Part},
	})
	// Late: a view whose bucket had closed; an engagement that is wholly late, or partly late and
	// its view not among those still open.
	Late = Define(Row{
		Key: "late", Label: "late", Colour: "late",
		Views:       &Use{Doc: "Came later than their partition's watermark allows", Side: Part, Metric: "views_late"},
		Engagements: &Use{Doc: "Came later than their partition's watermark allows", Side: Part, Metric: "late"},
		Input:       &Use{Doc: "Of these, late", Side: Part, Optional: true},
		Stage:       &Use{Doc: "Came too late for the stage, and count in a later one", Side: Part, Metric: "late"},
	})
	// Dead records cannot be used: each is a dead letter.
	Dead = Define(Row{
		Key: "dead", Label: "dead", Colour: "dead",
		Views:       &Use{Doc: "Could not be used", Side: Part, Metric: "views_dead"},
		Engagements: &Use{Doc: "Could not be used", Side: Part, Metric: "dead"},
		Input:       &Use{Doc: "Of these, dead", Side: Part, Optional: true},
	})
	// LateAfterIdle of the wholly or partly late are so only because their partition had been idle.
	LateAfterIdle = Define(Row{
		Key: "late_after_idle", Label: "late only after idleness",
		Views: &Use{
			Doc:    "Of the late, those that are so only because their partition had been idle: another reading of the log may find them in time",
			Within: []Count{Late}, Optional: true,
		},
		Engagements: &Use{
			Doc:    "Of the wholly or partly late, those that are so only because their partition had been idle: another reading of the log may find them in time",
			Within: []Count{Read}, Optional: true,
		},
		Note: &Note{
			Code: "late_after_idle", After: "late", Title: "Late only after idleness", Form: Share, Of: Read,
			Advice: "Their partition had brought nothing for idle_timeout, and the watermark went on without it: joined again from the log, they may be in time. A larger idle_timeout waits longer for such a partition.",
		},
	})
	// Open: what becomes of them depends on buckets that a stream has not joined yet.
	Open = Define(Row{
		Key: "open", Label: "open", Colour: "spare",
		Views:       &Use{Doc: "Wait for the end of their window, in a stream", Side: Part, Optional: true},
		Engagements: &Use{Doc: "Wait for buckets that a stream has not joined yet", Side: Part, Optional: true},
		Stage:       &Use{Doc: "Wait for the stage, in a stream", Side: Part, Optional: true},
	})
	// DuplicatesDiffering had another content than the view kept.
	DuplicatesDiffering = Define(Row{
		Key: "duplicates_differing", Label: "duplicates that differ",
		Views: &Use{Doc: "Of the duplicates, those that differ from the view kept", Within: []Count{Duplicates}},
		Note: &Note{
			Code: "duplicates_differing", After: "immature", Title: "Duplicate views that differ from the one that was kept, the first in the log", Form: Portion, Of: Duplicates,
			Advice: "Their ids may not be unique.",
		},
	})
	// DuplicatesChained, at the least, came more than dedup_window after the view kept: each is a
	// duplicate of the one before it.
	DuplicatesChained = Define(Row{
		Key: "duplicates_chained_at_least", Label: "duplicates of a duplicate, at least",
		Views: &Use{
			Doc:    "Of the duplicates, those that came more than dedup_window after the view kept: each is a duplicate of the one before it; there may be more",
			Within: []Count{Duplicates}, Optional: true,
		},
		Note: &Note{
			Code: "duplicates_chained", After: "duplicates_differing", Title: "Duplicate views further than dedup_window from the one that was kept", Form: AtLeast, Remark: true,
			Advice: "Each is a duplicate of the one before it: a view that is sent again and again is one view, however long that goes on.",
		},
	})
	// PartlyLate engagements found some of the views they may refer to closed; they are under Late if
	// their view was not among the open ones, else under their outcome.
	PartlyLate = Define(Row{
		Key: "partly_late", Label: "partly late",
		Engagements: &Use{Doc: "Found some of the views they may refer to closed", Within: []Count{Read}},
	})
	// Filtered records of the inputs were no views, or not of this kind (`where`); not under Read.
	Filtered = Define(Row{
		Key: "filtered", Label: "of another kind (where)",
		Views:       &Use{Doc: "Records of the inputs that are no views by `where`; not among those read", Optional: true},
		Engagements: &Use{Doc: "Records of the inputs that are not of this kind; not among those read"},
		Input:       &Use{Doc: "Records that `where` does not let through; not among those read", Optional: true},
	})
	// Tombstones are records of topics without a value: deletions of their key; not under Read.
	Tombstones = Define(Row{
		Key: "tombstones", Label: "without a value (tombstones)",
		Views:       &Use{Doc: "Records of the topics without a value (tombstones); not among those read", Optional: true, Metric: "views_tombstones"},
		Engagements: &Use{Doc: "Records of the topics without a value (tombstones); not among those read", Optional: true, Metric: "tombstones"},
		Input:       &Use{Doc: "Records without a value (tombstones); not among those read", Optional: true},
	})
	// Positives are samples with an engagement that counts, of any kind or of one.
	Positives = Define(Row{
		Key: "positives", Label: "positive samples",
		Views:       &Use{Doc: "Of the samples, those with a label", Within: []Count{Samples}, Metric: "positives"},
		Engagements: &Use{Doc: "Samples with a label of this kind"},
		Stage:       &Use{Doc: "Of the samples, those with a label", Within: []Count{Samples}, Metric: "positives"},
	})
	// Given are the samples that a stage has given, of those of the views that have one.
	Given = Define(Row{
		Key: "given", Label: "given",
		Stage: &Use{Doc: "Of the samples, those that the stage gave: the others were said before", Within: []Count{Samples}, Metric: "given"},
	})
	// Withdrawn are negatives that are not kept, of which an earlier stage has given a sample.
	Withdrawn = Define(Row{
		Key: "withdrawn", Label: "taken back",
		Stage: &Use{Doc: "Of the negatives that were not kept, those of which an earlier stage gave a sample, which one of weight 0 takes back", Within: []Count{SampledOut}, Optional: true},
	})
	// Immature samples were cut before their closing time was reached, because the log ends there:
	// their negatives may be fake.
	Immature = Define(Row{
		Key: "immature", Label: "immature samples",
		Views: &Use{Doc: "Of the samples, those cut before their closing time", Within: []Count{Samples}},
		Note: &Note{
			Code: "immature", After: "stale", Title: "Immature samples", Form: Share, Of: Samples,
			Advice: "The log ends before their closing time, so their negatives may be fake. Join them again when the log reaches further, or leave them out by maturity_ms.",
		},
	})
	// Resent samples, at the least, have the id of an earlier view that is not their duplicate: it
	// came more than dedup_window before.
	Resent = Define(Row{
		Key: "resent_at_least", Label: "sent again later, at least",
		Views: &Use{
			Doc:    "Of the samples, those with the id of an earlier view that is not their duplicate; there may be more",
			Within: []Count{Samples, SampledOut}, Optional: true,
		},
		Note: &Note{
			Code: "resent", After: "several_views", Title: "Views that came again after dedup_window", Form: AtLeast,
			Advice: "Each is a sample of its own, with the id of an earlier one. If they are the same view, a larger dedup_window makes one of them.",
		},
	})
	// Matches are the pairs of a view and an engagement in its window. Where they are more than
	// Matched, engagements count for several views.
	Matches = Define(Row{
		Key: "matches", Label: "in the window of a view, pairs",
		Engagements: &Use{Doc: "Pairs of a view and an engagement in its window", Optional: true},
	})
	// WithoutID engagements have no id of their own, though the spec names a field for it.
	WithoutID = Define(Row{
		Key: "without_id", Label: "without an id of their own",
		Engagements: &Use{Doc: "Have no id of their own, though the spec names a field for it", Within: []Count{Read}, Optional: true},
	})
	// WithoutValue engagements have no value for their label.
	WithoutValue = Define(Row{
		Key: "without_value", Label: "without a value",
		Engagements: &Use{Doc: "Have no value for their label", Within: []Count{Read}, Optional: true},
	})
	// BadValues: engagements that count, but their value is left out of the label: it is no number,
	// and the spec says on_bad_value: null.
	BadValues = Define(Row{
		Key: "bad_values", Label: "values that are no numbers",
		Engagements: &Use{Doc: "Count, but their value is no number and left out of the label", Within: []Count{Read}, Optional: true},
		Note: &Note{
			Code: "bad_values", After: "without_value", Title: "Values that are no numbers", Form: Share, Of: Read,
			Advice: "They were left out of the label (on_bad_value: null).",
		},
	})
	// Overflows are sums beyond what a double holds: the label is the largest double.
	Overflows = Define(Row{
		Key: "overflows", Label: "sums beyond what a double holds",
		Engagements: &Use{Doc: "Sums beyond what a double holds: the label is the largest double", Optional: true},
		Note: &Note{
			Code: "overflows", After: "bad_values", Title: "Sums beyond what a double holds", Form: Share, Of: Read,
			Advice: "The label is the largest double.",
		},
	})
	// OrphansLikeFloats name a view like 123.0: a whole number that was written as a float on its way.
	OrphansLikeFloats = Define(Row{
		Key: "orphans_like_floats", Label: "orphans like 123.0",
		Engagements: &Use{Doc: "Of the orphans, those that name a view like 123.0", Within: []Count{Orphans}, Optional: true},
		Note: &Note{
			Code: "orphans_like_floats", After: "zero_delays", Title: "Orphans whose view ids look like 123.0", Form: Portion, Of: Orphans,
			Advice: "Whole numbers were written as floats on their way: write them as integers or as text, and they will find their views.",
		},
	})
	// Damages are places in files where it is not known how many records were lost; what is known to
	// be lost is under Dead.
	Damages = Define(Row{
		Key: "damages", Label: "damaged places",
		Views:       &Use{Doc: "Places in files where an unknown number of records was lost", Optional: true},
		Engagements: &Use{Doc: "Places in files where an unknown number of records was lost", Optional: true},
		Note: &Note{
			Code: "damaged", After: "no_positives", Title: "An unknown number of records was lost", Form: Places,
			Advice: "Files are damaged or cut short there: what is known to be lost is among the dead, the rest is in no count.",
		},
	})
)
