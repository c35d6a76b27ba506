package spec

import (
	"errors"
	"slices"
	"strings"
	"time"

	"tributary/io/record"
)

// timeType is a field with a time: its path, or a mapping of path and unit.
var timeType = valueType[TimeField]{
	about:  about{what: "a field, or a mapping of field and how its times are written", schema: ref("time"), inner: []*section{timeSection}},
	read:   (*reader).timeField,
	inline: timeText, text: TimeField.text,
}

var timeSection = &section{
	name: "a time field",
	keys: []key{
		{
			name: "field", example: "ts", required: true,
			doc:   "The path of the field.",
			value: at(fieldType, func(t *TimeField) *string { return &t.Field }),
		},
		{
			name: "unit", example: "epoch-seconds",
			doc: "How the time is written.",
			value: at(unitType, func(t *TimeField) *record.Unit { return &t.Unit }).orElse(
				"as Avro's logical type says, or for text RFC 3339 and the like, with a zone: 2026-01-02T15:04:05Z, 2026-01-02 15:04:05.25 UTC, 2026-01-02 16:04:05+01", nil),
		},
		{
			name: "pattern", example: `"%d/%m/%Y %H:%M:%S"`,
			doc:   "How text is written, in the directives of strptime: " + directivesDoc() + ". All else stands for itself.",
			value: at(patternType, func(t *TimeField) *string { return &t.Pattern }).orElse("as unit says", nil),
		},
		{
			name: "zone", example: "Europe/Berlin",
			doc: "The zone of times that have none, text and Avro's local timestamps: a name of the IANA database, an offset like +02:00, or UTC. " +
				"Of the two times of an hour that clocks show twice it is the first; a time that they leave out is as much later as they are set forward (02:30 is 03:30).",
			value: at(zoneType, func(t *TimeField) *string { return &t.Zone }).orElse("none: text without a zone is a dead letter, Avro's local timestamps are in UTC", nil),
		},
	},
	rules: []any{
		object{{"not", object{{"required", []string{"unit", "pattern"}}}}},
		object{
			{"if", object{{"required", []string{"unit", "zone"}}}},
			{"then", object{{"properties", object{{"unit", object{{"const", record.UnitRFC3339}}}}}}},
		},
	},
}

// directivesDoc is what a pattern may hold, in a line.
func directivesDoc() string {
	parts := make([]string, len(record.PatternLetters))
	for i, l := range record.PatternLetters {
		parts[i] = l.Directive + " " + l.Means
	}
	return strings.Join(parts, "; ")
}

var (
	patternType = textLike(about{what: "a pattern of times", schema: ref("text")}, (*reader).timePattern)
	zoneType    = textLike(about{what: "a time zone", schema: ref("text")}, (*reader).timeZone)
)

// timePattern reads a pattern of times, and says where it is wrong.
func (r *reader) timePattern(n *node, at dotted) string {
	text := r.text(n, at)
	if text == "" {
		return ""
	}
	_, err := record.CompilePattern(text)
	if err == nil {
		return text
	}
	p := r.problem("T1120", n, at, "%q is no pattern of times: %v", text, err)
	p.Got, p.Allowed = text, record.PatternDirectives()
	var wrong *record.PatternError
	switch {
	case !strings.Contains(text, "%"):
		p.Hint = "write it in the directives of strptime, like \"%Y-%m-%d %H:%M:%S\""
	case errors.As(err, &wrong) && wrong.At >= 0 && strings.HasPrefix(text[wrong.At:], "%L"):
		p.Hint = "%f is the fraction of a second"
	case errors.As(err, &wrong) && wrong.At >= 0 && strings.HasPrefix(text[wrong.At:], "%s"):
		p.Hint = "numbers have a unit instead, like `unit: epoch-seconds`"
	}
	r.add(p)
	return ""
}

func (r *reader) timeZone(n *node, at dotted) string {
	text := r.text(n, at)
	if text == "" {
		return ""
	}
	if _, err := record.LoadZone(text); err != nil {
		p := r.problem("T1121", n, at, "%q is not a time zone", text)
		p.Got, p.Allowed = text, []string{"a name like Europe/Berlin", "an offset like +02:00", "UTC"}
		p.Hint = "short names like CET or EST mean other things in other places: name a city of the zone"
		r.add(p)
		return ""
	}
	return text
}

// timeForm looks at what is said of a time together.
func (r *reader) timeForm(at dotted, t TimeField) {
	unit, pattern, zone := at.key("unit"), at.key("pattern"), at.key("zone")
	var pat *record.TimePattern
	if t.Pattern != "" {
		pat, _ = record.CompilePattern(t.Pattern) // read before
	}
	switch {
	case !r.ok(unit, pattern, zone):
	case t.Unit != "" && t.Pattern != "":
		p := r.problem("T1123", r.at(pattern), pattern, "a unit and a pattern each say how the time is written: %s and %s", t.Unit, t.Pattern)
		p.Hint = "keep the pattern for text, the unit for numbers"
		r.add(p)
	case t.Unit != "" && t.Unit != record.UnitRFC3339 && t.Zone != "":
		p := r.problem("T1123", r.at(zone), zone, "numbers of the unit %s count from 1970 in UTC: no zone changes them", t.Unit)
		p.Got, p.Hint = t.Zone, "leave out the zone; or the unit, if the times are text or Avro's local timestamps"
		r.add(p)
	case pat != nil && !pat.HasZone() && t.Zone == "":
		p := r.problem("T1122", r.at(pattern), pattern, "times of this pattern have no zone, and so could be any of many")
		p.Got, p.Hint = t.Pattern, "say which with `zone: UTC` or `zone: Europe/Berlin`, or with %z if it is in the text"
		r.add(p)
	case pat != nil && pat.HasZone() && t.Zone != "":
		p := r.problem("T1123", r.at(zone), zone, "times of this pattern have a zone of their own (%%z): no other changes them")
		p.Got, p.Hint = t.Zone, "leave out the zone, or %z"
		r.add(p)
	}
}

// resolution is how far apart times that differ are at least; 0 for a millisecond or less.
func (t TimeField) resolution() time.Duration {
	if t.Pattern == "" {
		return resolutions[t.Unit]
	}
	p, err := record.CompilePattern(t.Pattern)
	if err != nil {
		return 0
	}
	return p.Resolution()
}

var unitType = func() valueType[record.Unit] {
	f := choice(record.Units)
	f.read = func(r *reader, n *node, at dotted, _ *fields) record.Unit { return r.unit(n, at) }
	return f
}()

func (r *reader) timeField(n *node, at dotted, above *fields) TimeField {
	if n.kind != mapKind {
		return TimeField{Field: r.fieldPath(n, at)}
	}
	var t TimeField
	timeSection.read(r, n, at, above, &t)
	r.timeForm(at, t)
	r.ownTime(t, at)
	return t
}

func (r *reader) unit(n *node, at dotted) record.Unit {
	text := r.text(n, at)
	if text == "" || slices.Contains(texts(record.Units), text) {
		return record.Unit(text)
	}
	p := r.notAllowed(n, at, text, texts(record.Units))
	p.Nearest = nearestUnit(text)
	p.Fix = r.replaced(n, p.Nearest)
	r.add(p)
	return ""
}

func timeText(t TimeField) string {
	if t == (TimeField{Field: t.Field}) {
		return quoted(t.Field)
	}
	return timeSection.inline(&t)
}

func (t TimeField) text() string {
	var how []string
	if t.Unit != "" {
		how = append(how, string(t.Unit))
	}
	if t.Pattern != "" {
		how = append(how, t.Pattern)
	}
	if t.Zone != "" {
		how = append(how, "zone "+t.Zone)
	}
	if len(how) == 0 {
		return t.Field
	}
	return t.Field + " (" + strings.Join(how, ", ") + ")"
}
