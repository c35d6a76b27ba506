package audit

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"

	"github.com/tidwall/gjson"
	"github.com/twmb/franz-go/pkg/kgo"

	topicsink "tributary/io/kafkaio/sink"
)

// corrected says whether a repair wrote a record of a topic, and whether it counted late engagements.
type corrected byte

const (
	asJoined corrected = iota
	correctedFor
	correctedForLate
)

// Corrected is the value of the header topicsink.CorrectedHeader, as JSON: what a correction changed.
type Corrected struct {
	// Late says that late engagements count.
	Late bool `json:"late"`
	// Changed are the fields that were changed, by their paths, each with what it was, null if there was no sample, and what it is.
	Changed map[string][2]json.RawMessage `json:"changed"`
}

// correctedOf reads the header of a record.
func correctedOf(r *kgo.Record) corrected {
	text := correctedText(r)
	switch {
	case text == nil:
		return asJoined
	case gjson.GetBytes(text, "late").Bool():
		return correctedForLate
	default:
		return correctedFor
	}
}

func correctedText(r *kgo.Record) []byte {
	for _, h := range r.Headers {
		if h.Key == topicsink.CorrectedHeader {
			return h.Value
		}
	}
	return nil
}

// compareVersions orders the samples of an id and view time in a topic: the largest counts.
func compareVersions(a, b *entry) int {
	return cmp.Or(cmp.Compare(a.version, b.version), cmp.Compare(max(a.group, 1), max(b.group, 1)), cmp.Compare(a.partition, b.partition), cmp.Compare(a.offset, b.offset))
}

// ofView are the samples of one id and view time: have is the one that counts of those in the topic, want the one that must count; nil for
// none. wants are how many a join gives: several for views of several keys.
type ofView struct {
	id         []byte
	time       int64
	have, want *entry
	wants      int
	// group is the largest header version.
	group int64
}

// byView puts samples together that are of one id and view time. want are those of a join in one stage, or in all: then the newest counts.
func byView(have, want []*entry) (all []*ofView) {
	have, want = slices.Clone(have), slices.Clone(want)
	byTime := func(a, b *entry) int { return cmp.Or(bytes.Compare(a.id, b.id), cmp.Compare(a.time, b.time)) }
	slices.SortFunc(have, func(a, b *entry) int { return cmp.Or(byTime(a, b), compareVersions(a, b)) })
	slices.SortFunc(want, func(a, b *entry) int { return cmp.Or(byTime(a, b), cmp.Compare(a.version, b.version)) })
	for len(have)+len(want) > 0 {
		var first *entry
		if first = slices.Concat(have[:min(1, len(have))], want[:min(1, len(want))])[0]; len(have) > 0 && len(want) > 0 && byTime(want[0], have[0]) < 0 {
			first = want[0]
		}
		one := &ofView{id: first.id, time: first.time}
		for ; len(have) > 0 && byTime(have[0], first) == 0; have = have[1:] {
			one.have, one.group = have[0], max(one.group, have[0].group)
		}
		for ; len(want) > 0 && byTime(want[0], first) == 0; want = want[1:] {
			one.want, one.wants = want[0], one.wants+1
		}
		all = append(all, one)
	}
	return all
}

// ofStages are the fields that say only when a sample was given.
var ofStages = []string{"stage", "version", "final"}

// changes are the fields in which the sample that counts is another than the one that must, but for those that say when it was given; whole
// values, however long.
func (v *ofView) changes(schemas *schemas) ([]Difference, error) {
	want, got := `{"labels":{},"delay_ms":{}}`, `{"labels":{},"delay_ms":{}}`
	var err error
	if v.want != nil {
		if want, err = schemas.all[v.want.schema].asJSON(v.want.raw); err != nil {
			return nil, err
		}
	}
	if v.have != nil {
		if got, err = schemas.all[v.have.schema].asJSON(v.have.raw); err != nil {
			return nil, err
		}
	}
	cut := isEarly(got) || isEarly(want)
	return slices.DeleteFunc(inFields(nil, nil, gjson.Parse(want), gjson.Parse(got), whole), func(d Difference) bool {
		return slices.Contains(ofStages, d.Field) || cut && d.Field == "maturity_ms"
	}), nil
}

// isEarly tells whether a sample is of a stage before the last.
func isEarly(text string) bool {
	final := gjson.Get(text, "final")
	return final.Exists() && !final.Bool()
}
