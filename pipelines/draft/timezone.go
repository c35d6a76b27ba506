package draft

import (
	"fmt"
	"time"
)

// Where the times of the views say their zone and those of engagements do not, or the other way round, a wrong zone moves all delays by
// hours. Engagements do not come before their views, and the first of many come soon after.

const (
	// zoneStep is what zones are whole numbers of; leastOffset and mostOffset bound them.
	zoneStep                = 15 * time.Minute
	leastOffset, mostOffset = -12 * time.Hour, 14 * time.Hour
	// soon is within which the first of manyDelays come.
	soon, manyDelays = time.Hour, 20
	// fewDelays tell nothing of a zone.
	fewDelays = 3
)

// findZones corrects zones that were guessed by delays, and tells whether there were any: then delays are others.
func (j *joined) findZones() (found bool) {
	ofViews := map[time.Duration]bool{}
	for i := range j.engagements {
		g := j.engagements[i].group
		delays := j.measured.delays[g]
		if len(delays) == 0 || j.views.time.zoneGuessed() == g.time.zoneGuessed() {
			continue
		}
		moved := movedBy(delays)
		if j.views.time.zoneGuessed() {
			ofViews[-moved] = true
			continue
		}
		if moved != 0 && moved >= leastOffset && moved <= mostOffset {
			g.time.inZone(moved)
			found = true
		}
	}
	// All kinds of engagements have to agree on the views.
	for offset := range ofViews {
		if len(ofViews) == 1 && offset != 0 && offset >= leastOffset && offset <= mostOffset {
			for _, v := range append([]*group{j.views}, j.also...) {
				if v.time.zoneGuessed() {
					v.time.inZone(offset)
				}
			}
			found = true
		}
	}
	return found
}

// movedBy is by how much delays, which are sorted, are too long; 0 if they may be right.
func movedBy(delays []time.Duration) time.Duration {
	if len(delays) < fewDelays {
		return 0
	}
	first := delays[len(delays)/10] // some may be of clocks that are wrong, or of views that were sent again
	moved := first.Truncate(zoneStep)
	// Who buys may take hours: only delays that are all about as long tell of a zone then.
	late := first >= soon && len(delays) >= manyDelays && delays[len(delays)/2]-moved < soon
	if first >= -mostSkew && !late {
		return 0
	}
	if first < 0 && first-moved < -mostSkew {
		moved -= zoneStep
	}
	return moved
}

// inZone makes the zone one that is so far ahead of UTC.
func (t *timeGuess) inZone(offset time.Duration) {
	sign := '+'
	if offset < 0 {
		sign, offset = '-', -offset
	}
	how := *t.written
	how.zone = fmt.Sprintf("%c%02d:%02d", sign, int(offset.Hours()), int(offset.Minutes())%60)
	t.written, t.why = &how, how.why()
}
