package attribution

import (
	"regexp"
	"slices"
	"strconv"

	"tributary/io/record"
	"tributary/transforms/account"
)

// quotedOfID bounds what is quoted of an id.
const quotedOfID = 200

// rejectOrphan describes an orphan by its place in the log and the id it names; the
// record itself did not travel.
func rejectOrphan(p *Params, at place, eventTime int64, viewID []byte) record.Rejected {
	input := slices.IndexFunc(p.Inputs, func(in Input) bool { return in.Kind == at.kind })
	return record.Rejected{
		Reason: record.ReasonOrphan, Detail: "no view with the id " + strconv.Quote(string(viewID[:min(len(viewID), quotedOfID)])) + " in reach",
		Input: int32(input), Partition: at.partition, Offset: at.offset, Count: 1, EventTime: eventTime, Watermark: record.NoTime,
		Record: viewID,
	}
}

// countOrphan counts why an engagement is an orphan.
func countOrphan(e *account.Engagements, orphan *record.Rejected) {
	e.AddReason(orphan.Detail, 1)
	if likeFloat.Match(orphan.Record) {
		e.N[account.OrphansLikeFloats]++
	}
}

// likeFloat is what whole numbers look like once a program has read them as floats.
var likeFloat = regexp.MustCompile(`^-?\d+\.0+$`)

// countOutcome counts one engagement and tells whether it is an orphan.
func countOutcome(e *account.Engagements, seen Outcome, partlyLate bool) (orphan bool) {
	switch {
	case seen == OutcomeMatched:
		e.N[account.Matched]++
	case seen == OutcomeOutside:
		e.N[account.Outside]++
	case seen == OutcomeDuplicate:
		e.N[account.Duplicates]++
	case partlyLate:
		e.N[account.Late]++
		e.AddReason("its view may be among those that had closed", 1)
	default:
		e.N[account.Orphans]++
		return true
	}
	return false
}
