package draft

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tributary/io/record"
	"tributary/pipelines/profile"
	"tributary/pipelines/report"
)

// timeGuess is the event time of a group's records.
type timeGuess struct {
	path string
	// unit is empty where the records tell it, and where written does.
	unit record.Unit
	// written is nil for times that are RFC 3339, numbers, or typed.
	written *written
	why     string
	// others are fields that might be meant as well.
	others []string
}

// guessTime finds the field with the event time; nil if there is none.
func guessTime(ctx context.Context, g *group, records int) (*timeGuess, error) {
	var best *timeGuess
	bestScore := 0
	var others []string
	for _, f := range g.profile.Fields {
		w, err := guessWritten(ctx, g, f, records)
		if err != nil {
			return nil, err
		}
		unit, why, score := timeOf(g, f, w)
		if score <= 0 {
			continue
		}
		if score > bestScore {
			if best != nil {
				others = append(others, best.path)
			}
			best, bestScore = &timeGuess{path: f.Path, unit: unit, written: w, why: why}, score
			continue
		}
		others = append(others, f.Path)
	}
	if best != nil {
		best.others = others
	}
	return best, nil
}

// form is how the times are written.
func (t *timeGuess) form() record.TimeForm {
	if t.written != nil {
		return record.TimeForm{Pattern: t.written.pattern, Zone: t.written.zone}
	}
	return record.TimeForm{Unit: t.unit}
}

// why says what speaks for a way of writing times.
func (w *written) why() string {
	var all []string
	if w.pattern == "" {
		all = append(all, "text by RFC 3339 but for the zone")
	} else {
		all = append(all, "by the values")
	}
	all[0] += except(w.all-w.fit, w.all)
	if w.or != "" {
		all = append(all, "they could be "+w.or+", too")
	}
	switch w.zone {
	case "":
	case zoneGuessed:
		all = append(all, "they have no zone, and "+w.zone+" is a guess: name theirs, like Europe/Berlin")
	default:
		all = append(all, "they have no zone, and "+w.zone+" is by when engagements come: name theirs, like Europe/Berlin, for summer time")
	}
	return strings.Join(all, "; ")
}

// timeOf tells how likely a field is the event time, 0 for not at all, and in which unit. w is how it is written, nil for nothing special.
func timeOf(g *group, f *profile.Field, w *written) (unit record.Unit, why string, score int) {
	words := nameWords(f.Path)
	if hasAny(words, timeWords) {
		score = 2
	}
	for _, name := range bestTimes {
		if strings.Join(words, " ") == name {
			score = 3
		}
	}
	if hasAny(words, laterTimes) || hasAny(words, viewWords) && hasAny(g.singleWords(), engWords) {
		score -= 2
	}
	numbers := f.Ints + f.Floats + f.TextInts + f.TextFloats
	switch typed := g.types[f.Path]; {
	case f.Filled == 0:
		return "", "", 0
	case strings.Contains(typed.Logical, "timestamp-"):
		return "", typed.Type, score + 3
	case w != nil:
		return "", w.why(), score + 3
	case f.TextTimes*2 > f.Filled:
		return record.UnitRFC3339, "text by RFC 3339" + except(f.Filled-f.TextTimes, f.Filled), score + 3
	case numbers*2 > f.Filled && score > 0:
		if unit := unitOf(f.Min, f.Max); unit != "" {
			first := strconv.FormatFloat(f.Min, 'f', -1, 64)
			ms, _ := (record.Value{Kind: record.String, Text: []byte(first)}).Millis(unit)
			return unit, "the unit is by size: " + first + " is " + time.UnixMilli(ms).UTC().Format(time.RFC3339) + except(f.Filled-numbers, f.Filled), score
		}
	}
	return "", "", 0
}

// except tells of values that are no times.
func except(others, all int64) string {
	if others == 0 {
		return ""
	}
	return fmt.Sprintf(", but for %s of %s values", report.Count(others), report.Count(all))
}

// unitOf tells the unit of numbers that are times of this century's first half; empty if they
// are none.
func unitOf(low, high float64) record.Unit {
	const from, to = 946_684_800, 2_524_608_000 // 2000 and 2050, in seconds
	for _, u := range []struct {
		unit record.Unit
		size float64
	}{{record.UnitSeconds, 1}, {record.UnitEpochMs, 1e3}, {record.UnitMicros, 1e6}, {record.UnitNanos, 1e9}} {
		if from*u.size <= low && high < to*u.size {
			return u.unit
		}
	}
	return ""
}

func (g *group) singleWords() []string {
	words := make([]string, len(g.words))
	for i, w := range g.words {
		words[i] = single(w)
	}
	return words
}
