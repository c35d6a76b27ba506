package generate

import (
	"tributary/transforms/label"
)

// TrueSample is what the sample of a view must hold: a row of the files in truth.
type TrueSample struct {
	ViewID   string `json:"view_id"`
	ViewTime int64  `json:"view_time"` // ms
	Positive bool   `json:"positive"`
	// Pos tells a view from a duplicate with another payload.
	Pos    int64                `json:"pos"`
	Labels map[string]TrueLabel `json:"labels"` // by kind
}

// TrueLabel is what labels of one kind must be.
type TrueLabel struct {
	Count   int64   `json:"count"`
	Sum     float64 `json:"sum_amount"`
	DelayMs *int64  `json:"delay_ms"`
}

// Value is the label if it is a binary one, a count or the sum of amounts.
func (l *TrueLabel) Value(f label.Func) float64 {
	switch f {
	case label.Sum:
		return l.Sum
	case label.Binary:
		return float64(min(l.Count, 1))
	default:
		return float64(l.Count)
	}
}

// Truth is the account that a join of what was made must arrive at, with every view
// kept as a sample: the counts of its accounts that follow from the making.
type Truth struct {
	Views ViewCounts `json:"views"`
	// Engagements by kind.
	Engagements map[string]*EngagementCounts `json:"engagements"`
}

// ViewCounts accounts for view records: Read = Samples + Duplicates + Late + Dead.
type ViewCounts struct {
	Read                int64 `json:"read"`
	Samples             int64 `json:"samples"`
	Duplicates          int64 `json:"duplicates"`
	DuplicatesDiffering int64 `json:"duplicates_differing"`
	Late                int64 `json:"late"`
	Dead                int64 `json:"dead"`
	// Positives of the samples have an engagement that counts.
	Positives int64 `json:"positives"`
}

// EngagementCounts accounts for the engagement records of one kind:
// Read = Matched + Outside + Orphans + Duplicates + Late + Dead.
type EngagementCounts struct {
	Read       int64 `json:"read"`
	Matched    int64 `json:"matched"`
	Outside    int64 `json:"outside_window"`
	Orphans    int64 `json:"orphans"`
	Duplicates int64 `json:"duplicates"`
	Late       int64 `json:"late"`
	Dead       int64 `json:"dead"`
	// Positives counts samples with a label of this kind.
	Positives int64 `json:"positives"`
}

// Events is how many records were written.
func (t *Truth) Events() int64 {
	n := t.Views.Read
	for _, e := range t.Engagements {
		n += e.Read
	}
	return n
}

// tally counts records by what must become of them, one set of counts a kind.
type tally [][fates]int64

func newTally(kinds int) tally { return make(tally, kinds) }

func (t tally) count(r *rec) { t[r.kind][r.fate]++ }

// positives counts samples: of any kind, and of each.
type positives struct {
	any   int64
	kinds []int64
}

func (p *positives) count(labels []trueLabel) {
	found := false
	for kind := range labels {
		if labels[kind].count > 0 {
			p.kinds[kind]++
			found = true
		}
	}
	if found {
		p.any++
	}
}

// newTruth sums up what was written.
func newTruth(kinds []Kind, views, engagements []tally, p *positives) Truth {
	var v [fates]int64
	for _, t := range views {
		for fate, n := range t[0] {
			v[fate] += n
		}
	}
	truth := Truth{
		Views: ViewCounts{
			Read: sum(v), Samples: v[fateSample], Duplicates: v[fateDuplicate] + v[fateDuplicateDiffering],
			DuplicatesDiffering: v[fateDuplicateDiffering], Late: v[fateLate], Dead: v[fateDead], Positives: p.any,
		},
		Engagements: map[string]*EngagementCounts{},
	}
	for kind := range kinds {
		var e [fates]int64
		for _, t := range engagements {
			for fate, n := range t[kind] {
				e[fate] += n
			}
		}
		truth.Engagements[kinds[kind].Name] = &EngagementCounts{
			Read: sum(e), Matched: e[fateMatched], Outside: e[fateOutside], Orphans: e[fateOrphan],
			Duplicates: e[fateDuplicate], Late: e[fateLate], Dead: e[fateDead], Positives: p.kinds[kind],
		}
	}
	return truth
}

func sum(counts [fates]int64) (total int64) {
	for _, n := range counts {
		total += n
	}
	return total
}
