package why

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"tributary/pipelines/report"
	"tributary/transforms/attribution/bucket"
)

// engagements are the records of the id that are of engagements, in a sentence those first that are of its own; or what there is.
func (r *Result) engagements() (all []*Record) {
	for i := range r.Records {
		if one := &r.Records[i]; one.own && !one.view() && one.EventID == r.ID {
			all = append(all, one)
		}
	}
	if len(all) > 0 {
		return all
	}
	for i := range r.Records {
		if r.Records[i].own {
			all = append(all, &r.Records[i])
		}
	}
	return all
}

// ofRefused says what became of a record that is in no bucket, or a duplicate.
func ofRefused(one *Record, what string) (Outcome, string) {
	name := fmt.Sprintf("the %s at %s", what, one.Place)
	if one.Time != nil {
		name += " of " + exactly(*one.Time)
	}
	switch one.Fate {
	case fateDead:
		return Dead, fmt.Sprintf("%s is a dead letter: %s", name, one.Detail)
	case fateFiltered:
		return Filtered, name + " is left out: `where` does not let it through"
	case fateDuplicate:
		of := "one with the same id"
		if one.DuplicateOf != nil {
			of = "the one at " + one.DuplicateOf.String()
		}
		return Duplicate, fmt.Sprintf("%s is a duplicate of %s", name, of)
	case fateLate:
		text := name + " came late"
		if one.LateMs != nil {
			text += ", by " + report.Duration(time.Duration(*one.LateMs)*time.Millisecond)
		}
		if one.AfterIdle {
			text += ", only because its partition had been idle"
		}
		return Late, text + ": " + one.Detail
	default:
		return Outcome(one.Fate), name + " is " + one.Fate
	}
}

// ofEngagement says what became of an engagement.
func ofEngagement(one *Record) (Outcome, string) {
	name := fmt.Sprintf("the %s at %s", one.Role, one.Place)
	if one.Time != nil {
		name += " of " + exactly(*one.Time)
	}
	named := "view " + one.ViewID
	if one.Key != "" {
		named = "key " + one.Key
	}
	switch one.Fate {
	case fateOrphan:
		if one.Open != nil {
			return Pending, fmt.Sprintf("%s has no view with the %s yet; one may come until the watermark passes %s", name, pick(one.Key != "", "key ", "id ")+cmp.Or(one.Key, one.ViewID), exactly(*one.Open)) + one.nearest()
		}
		return Orphan, fmt.Sprintf("%s is an orphan: no view with the %s is in reach", name, pick(one.Key != "", "key ", "id ")+cmp.Or(one.Key, one.ViewID)) + one.nearest()
	case fateMatched:
		if pair := one.best(bucket.PairCounts); pair != nil {
			text := fmt.Sprintf("%s counts for view %s of %s, at %s, %s", name, pair.ViewID, exactly(pair.Time), pair.Place, before(one.Time.Sub(pair.Time)))
			if more := one.count(bucket.PairCounts) - 1; more > 0 {
				text += fmt.Sprintf(", and for %d more", more)
			}
			if pair.Parts > 1 {
				text += fmt.Sprintf(", for each as 1/%d", pair.Parts)
			}
			return Counts, text
		}
		if pair := one.best(bucket.PairSuperseded); pair != nil {
			return Superseded, fmt.Sprintf("%s is in the window of view %s, where it %s", name, pair.ViewID, pair.notCounting())
		}
		return Counts, fmt.Sprintf("%s is in the window of a view of %s", name, named)
	case fateDead, fateFiltered, fateDuplicate, fateLate:
		return ofRefused(one, one.Role)
	}
	if len(one.Views) == 0 {
		return Outside, fmt.Sprintf("%s is outside the window of %s, by the view's time that it carries", name, named)
	}
	pair := bySaying(one.Views)[0]
	return Outside, fmt.Sprintf("%s is for nothing: it %s (view %s of %s)", name, pair.notCounting(), pair.ViewID, exactly(pair.Time))
}

// nearest says of an orphan which view it names all the same.
func (one *Record) nearest() string {
	if len(one.Views) == 0 {
		return ""
	}
	pair := bySaying(one.Views)[0]
	return fmt.Sprintf("; it %s (view at %s of %s)", pair.notCounting(), pair.Place, exactly(pair.Time))
}

// best is the first view to which the engagement is that.
func (one *Record) best(fate bucket.PairFate) *Pair {
	at := slices.IndexFunc(one.Views, func(p Pair) bool { return p.Fate == fate })
	if at < 0 {
		return nil
	}
	return &one.Views[at]
}

// count is of how many views the engagement is that.
func (one *Record) count(fate bucket.PairFate) (n int) {
	for i := range one.Views {
		if one.Views[i].Fate == fate {
			n++
		}
	}
	return n
}
