package outcome

import (
	"bytes"
	"regexp"
	"slices"
	"strconv"

	"tributary/io/record"
	"tributary/transforms/account"
	"tributary/transforms/attribution/bucket"
	"tributary/transforms/attribution/rules"
)

// quotedOfID bounds what is quoted of an id.
const quotedOfID = 200

// rejectOrphan counts why an engagement is an orphan and, if orphans are wanted, hands it to reject: its
// position in the log and the id it names, since the record itself did not travel.
func rejectOrphan(p *rules.Params, e *account.Engagements, at recordID, eventTime int64, viewID []byte, reject func(record.Rejected)) {
	named := "id"
	if p.Keyed() {
		named = "key"
	}
	why := "no view with the " + named + " " + strconv.Quote(string(viewID[:min(len(viewID), quotedOfID)])) + " in reach"
	e.AddReason(why, 1)
	if likeFloat.Match(viewID) {
		e.N[account.OrphansLikeFloats]++
	}
	if !p.Orphans {
		return
	}
	input := slices.IndexFunc(p.Inputs, func(in rules.Input) bool { return in.Kind == at.kind })
	reject(record.Rejected{
		Reason: record.ReasonOrphan, Detail: why,
		Input: int32(input), Partition: at.partition, Offset: at.offset, Element: elementOf(p, at), Count: 1, EventTime: eventTime, Watermark: record.NoTime,
		Record: viewID,
	})
}

// elementOf is what a rejected record says of the place in a list, see record.Rejected.
func elementOf(p *rules.Params, at recordID) int32 {
	if !slices.ContainsFunc(p.Inputs, func(in rules.Input) bool { return in.Kind == at.kind && in.Each != "" }) {
		return 0
	}
	return at.element + 1
}

// likeFloat is what whole numbers look like once a program has read them as floats.
var likeFloat = regexp.MustCompile(`^-?\d+\.0+$`)

// mayHaveClosed is why an engagement is late of which some bucket has looked for the view.
const mayHaveClosed = "its view may be among those that had closed"

// countOutcome counts one engagement and tells whether it is an orphan.
func countOutcome(e *account.Engagements, seen bucket.Outcome, partlyLate bool) (orphan bool) {
	of := countOf(seen, partlyLate)
	e.N[of]++
	if of == account.Late {
		e.AddReason(mayHaveClosed, 1)
	}
	return of == account.Orphans
}

// countOf is under what an engagement is counted, by the most that a bucket saw of it.
func countOf(seen bucket.Outcome, partlyLate bool) account.Count {
	switch {
	case seen == bucket.OutcomeMatched:
		return account.Matched
	case seen == bucket.OutcomeOutside:
		return account.Outside
	case seen == bucket.OutcomeDuplicate:
		return account.Duplicates
	case partlyLate:
		return account.Late
	default:
		return account.Orphans
	}
}

// Of is under what an engagement is counted that was joined, and why, by the most that a bucket saw of it.
func Of(p *rules.Params, g *bucket.Engagement, seen bucket.Outcome) (of account.Count, why string) {
	if of = countOf(seen, partlyLate(p, g)); of == account.Late {
		why = mayHaveClosed
	}
	return of, why
}

// CountFinal counts an engagement whose outcome one bucket knows alone, and hands it to reject if it is
// an orphan and these are wanted.
func CountFinal(p *rules.Params, e *account.Engagements, g *bucket.Engagement, seen bucket.Outcome, reject func(record.Rejected)) {
	if countOutcome(e, seen, partlyLate(p, g)) {
		rejectOrphan(p, e, recordID{g.Partition, g.Element, g.Offset, g.Kind}, g.Time, bytes.Clone(g.ViewID), reject)
	}
}
