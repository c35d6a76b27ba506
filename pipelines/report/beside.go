package report

// besideRow is a count that is part of others in the balance, or beside it: of the views,
// then of each kind.
type besideRow struct {
	Name  string
	Cells []string
}

// beside has the counts of the accounts that do not balance with others, without those that
// are 0 everywhere.
func (r *Report) beside() []besideRow {
	kinds, v := r.kinds(), r.Accounts.Views
	of := func(views int64, of func(kind) int64) []int64 {
		counts := []int64{views}
		for _, k := range kinds {
			counts = append(counts, of(k))
		}
		return counts
	}
	// notCounted stands where views or kinds have no such count.
	const notCounted = -1
	none := func(kind) int64 { return notCounted }
	var rows []besideRow
	for _, row := range []struct {
		name   string
		counts []int64
	}{
		{"positive samples", of(v.Positives, func(k kind) int64 { return k.Positives })},
		{"immature samples", of(v.Immature, none)},
		{"duplicates that differ", of(v.DuplicatesDiffering, none)},
		{"sent again later, at least", of(v.Resent, none)},
		{"in the window of a view, pairs", of(notCounted, func(k kind) int64 { return k.Matches })},
		{"late only after idleness", of(v.LateAfterIdle, func(k kind) int64 { return k.LateAfterIdle })},
		{"partly late", of(notCounted, func(k kind) int64 { return k.PartlyLate })},
		{"of another kind (where)", of(notCounted, func(k kind) int64 { return k.Filtered })},
		{"without an id of their own", of(notCounted, func(k kind) int64 { return k.WithoutID })},
		{"without a value", of(notCounted, func(k kind) int64 { return k.WithoutValue })},
		{"values that are no numbers", of(notCounted, func(k kind) int64 { return k.BadValues })},
		{"sums beyond what a double holds", of(notCounted, func(k kind) int64 { return k.Overflows })},
		{"orphans like 123.0", of(notCounted, func(k kind) int64 { return k.OrphansLikeFloats })},
		{"damaged places", of(v.Damages, func(k kind) int64 { return k.Damages })},
	} {
		some, cells := false, make([]string, len(row.counts))
		for i, n := range row.counts {
			some = some || n > 0
			if n != notCounted {
				cells[i] = grouped(n)
			}
		}
		if some {
			rows = append(rows, besideRow{row.name, cells})
		}
	}
	return rows
}
