package spec

import (
	"strings"

	"tributary/io/record"
)

// ownRules looks at fields that are not of a record's value, but of what Kafka has beside it, or of their file (record.IsOwn). Those of whole
// are times, and the partitions and offsets of an order.
func (r *reader) ownRules(inputs []Input, uses, whole []use) {
	for _, u := range uses {
		if !record.IsOwn(u.field) {
			continue
		}
		if _, err := record.OwnHeader(u.field); err != nil {
			p := r.problem("T1124", r.useAt(u), u.at, "%s is no field that records have: %v", u.field, err)
			p.Got, p.Allowed = u.field, []string{record.OwnFile, record.OwnKey, record.OwnTimestamp, record.OwnHeaders + ".NAME", record.OwnPartition, record.OwnOffset, record.OwnType}
			r.add(p)
			continue
		}
		for _, in := range inputs {
			if u.field == record.OwnType && in.Topic != "" && !in.Registry {
				p := r.problem("T1458", r.useAt(u), u.at, "%s is the name of the schema that a value names, and those of topic %s name none", u.field, in.Topic)
				p.Got, p.Hint = u.field, "write `registry: true` at the input if they do, or tell records apart by a field or a header"
				r.add(p)
				break
			}
			if ofFile := in.Topic == ""; ofFile == (u.field == record.OwnFile) {
				continue
			}
			what, name := "files, and the topic", in.Topic
			if in.Topic == "" {
				what, name = "topics, and the file", in.Path
			}
			p := r.problem("T1124", r.useAt(u), u.at, "%s is of records of %s %s has none", u.field, what, name)
			p.Got = u.field
			r.add(p)
			break
		}
	}
	for _, u := range whole {
		if u.field == record.OwnFile {
			p := r.problem("T1124", r.useAt(u), u.at, "%s is the same for all records of a file: neither a time nor a place in a log", u.field)
			p.Got = u.field
			r.add(p)
		}
	}
}

// ownTime looks at how the timestamps of Kafka's records are said to be written: nothing of that is to be said.
func (r *reader) ownTime(t TimeField, at dotted) {
	if t.Field != record.OwnTimestamp || t.Pattern == "" && t.Zone == "" && (t.Unit == "" || t.Unit == record.UnitEpochMs) {
		return
	}
	for _, key := range []string{"unit", "pattern", "zone"} {
		if at := at.key(key); r.isSet(at) {
			p := r.problem("T1124", r.at(at), at, "%s is in milliseconds since 1970 in UTC: nothing is to be said of how it is written", record.OwnTimestamp)
			p.Got, p.Hint = r.at(at).text, "leave it out"
			r.add(p)
			return
		}
	}
}

// useAt is where a field is named; conditions have it as their key.
func (r *reader) useAt(u use) *node {
	if !strings.Contains(string(u.at), ".where.") && !strings.HasPrefix(string(u.at), "where.") {
		return r.at(u.at)
	}
	key := r.marks[string(u.at)].key
	return &node{kind: textKind, line: key.Line, column: key.Column, width: len(u.field)}
}
