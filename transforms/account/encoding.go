package account

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
)

// MarshalJSON writes the sheet so that equal accounts give equal bytes: keys sorted,
// and nothing that holds no information, as an empty piece of the timeline or a zero
// in it, whose presence depends on how the work was split.
//
// The receiver is a value, so that a Sheet inside another struct is written likewise.
func (l Sheet) MarshalJSON() ([]byte, error) {
	plain := l
	plain.Engagements = make(map[string]*Engagements, len(l.Engagements))
	plain.Timeline = make(map[int64]*Interval, len(l.Timeline))
	for kind, e := range l.Engagements {
		if e == nil {
			e = &Engagements{}
		}
		if e.Delay == nil {
			filled := *e
			filled.Delay = &Histogram{}
			e = &filled
		}
		plain.Engagements[kind] = e
	}
	for start, interval := range l.Timeline {
		if kept := interval.trim(); kept != nil {
			plain.Timeline[start] = kept
		}
	}
	type bare Sheet // without this method
	text, err := json.Marshal((*bare)(&plain))
	if err != nil {
		return nil, fmt.Errorf("encode accounts: %w", err)
	}
	return text, nil
}

// MarshalJSON writes the counts in the order of the table.
func (v Views) MarshalJSON() ([]byte, error) {
	return appendCounts(OfViews, &v.N, []member{{"reasons", v.Reasons, len(v.Reasons) > 0}})
}

// MarshalJSON writes the counts in the order of the table.
func (e Engagements) MarshalJSON() ([]byte, error) {
	return appendCounts(OfEngagements, &e.N, []member{{"reasons", e.Reasons, len(e.Reasons) > 0}, {"delay_ms", e.Delay, e.Delay != nil}})
}

// MarshalJSON writes the counts in the order of the table.
func (i Input) MarshalJSON() ([]byte, error) { return appendCounts(OfInput, &i.N, nil) }

// MarshalJSON writes the counts in the order of the table.
func (s Stage) MarshalJSON() ([]byte, error) {
	return appendCounts(OfStage, &s.N, []member{{"corrected", s.Corrected, len(s.Corrected) > 0}})
}

// UnmarshalJSON reads what MarshalJSON wrote; it ignores what it does not know.
func (s *Stage) UnmarshalJSON(text []byte) error {
	return readCounts(text, OfStage, &s.N, member{"corrected", &s.Corrected, true})
}

// UnmarshalJSON reads what MarshalJSON wrote; it ignores what it does not know.
func (v *Views) UnmarshalJSON(text []byte) error {
	return readCounts(text, OfViews, &v.N, member{"reasons", &v.Reasons, true})
}

// UnmarshalJSON reads what MarshalJSON wrote; it ignores what it does not know.
func (e *Engagements) UnmarshalJSON(text []byte) error {
	return readCounts(text, OfEngagements, &e.N, member{"reasons", &e.Reasons, true}, member{"delay_ms", &e.Delay, true})
}

// UnmarshalJSON reads what MarshalJSON wrote; it ignores what it does not know.
func (i *Input) UnmarshalJSON(text []byte) error { return readCounts(text, OfInput, &i.N) }

// member is what stands beside counts in a JSON object, if it is there.
type member struct {
	key   string
	value any
	there bool
}

func appendCounts(s Subject, n *Counts, others []member) ([]byte, error) {
	out := []byte{'{'}
	key := func(key string) {
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(strconv.AppendQuote(out, key), ':')
	}
	for i, r := range table {
		if use := r.In(s); use != nil && (n[i] != 0 || !use.Optional) {
			key(r.Key)
			out = strconv.AppendInt(out, n[i], 10)
		}
	}
	for _, m := range others {
		if !m.there {
			continue
		}
		text, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		key(m.key)
		out = append(out, text...)
	}
	return append(out, '}'), nil
}

func readCounts(text []byte, s Subject, n *Counts, others ...member) error {
	var found map[string]json.RawMessage
	if err := json.Unmarshal(text, &found); err != nil {
		return err
	}
	read := func(key string, into any) error {
		value, ok := found[key]
		if !ok {
			return nil
		}
		if err := json.Unmarshal(value, into); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		return nil
	}
	for i, r := range table {
		if r.In(s) != nil {
			if err := read(r.Key, &n[i]); err != nil {
				return err
			}
		}
	}
	for _, m := range others {
		if err := read(m.key, m.value); err != nil {
			return err
		}
	}
	return nil
}

// trim returns i without zeros, nil if nothing is left.
func (i *Interval) trim() *Interval {
	if i == nil {
		return nil
	}
	kept := &Interval{Samples: i.Samples, Positives: make(map[string]int64, len(i.Positives))}
	for kind, n := range i.Positives {
		if n != 0 {
			kept.Positives[kind] = n
		}
	}
	if kept.Samples == 0 && len(kept.Positives) == 0 {
		return nil
	}
	return kept
}

// pairs are the entries of a Histogram, the only arrays of a sheet, as indented JSON
// has them: each number on a line of its own.
var pairs = regexp.MustCompile(`\[\s+(\d+),\s+(\d+)\s+\]`)

// Encode returns the sheet as the content of a file of accounts: indented JSON and a
// final newline, identical for equal sheets.
func (l *Sheet) Encode() ([]byte, error) {
	text, err := Indent(l)
	if err != nil {
		return nil, fmt.Errorf("encode accounts: %w", err)
	}
	return text, nil
}

// Indent returns v, which may hold sheets, as indented JSON with a final newline and
// each entry of a Histogram on one line.
func Indent(v any) ([]byte, error) {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(pairs.ReplaceAll(text, []byte("[$1, $2]")), '\n'), nil
}

// Decode reads what Encode or MarshalJSON wrote. It fails for text that is not a
// sheet; whether it balances is for Check to say.
func Decode(content []byte) (*Sheet, error) {
	var found struct {
		Views       *json.RawMessage `json:"views"`
		Engagements *json.RawMessage `json:"engagements"`
	}
	if err := json.Unmarshal(content, &found); err != nil {
		return nil, fmt.Errorf("decode accounts: %w", err)
	}
	if found.Views == nil || found.Engagements == nil {
		return nil, errors.New("decode accounts: no views or no engagements in it")
	}
	l := New()
	if err := json.Unmarshal(content, l); err != nil {
		return nil, fmt.Errorf("decode accounts: %w", err)
	}
	if reason, isNull := nullReason(l.Views.Reasons); isNull {
		return nil, fmt.Errorf("decode accounts: views.reasons.%s is null", reason)
	}
	for kind, e := range l.Engagements {
		if e == nil {
			return nil, fmt.Errorf("decode accounts: engagements.%s is null", kind)
		}
		if reason, isNull := nullReason(e.Reasons); isNull {
			return nil, fmt.Errorf("decode accounts: engagements.%s.reasons.%s is null", kind, reason)
		}
	}
	for name, in := range l.Inputs {
		if in == nil {
			return nil, fmt.Errorf("decode accounts: inputs.%s is null", name)
		}
	}
	for name, s := range l.Stages {
		if s == nil {
			return nil, fmt.Errorf("decode accounts: stages.%s is null", name)
		}
	}
	for start, interval := range l.Timeline {
		if interval == nil {
			return nil, fmt.Errorf("decode accounts: timeline.%d is null", start)
		}
	}
	return l, nil
}

func nullReason(reasons map[string]*Reason) (text string, isNull bool) {
	for text, r := range reasons {
		if r == nil {
			return text, true
		}
	}
	return "", false
}

// EncodeSheet writes an account as it moves between workers: JSON behind the origin. There is one sheet
// per block of samples, so its cost does not show, and one format is less to keep than two.
func EncodeSheet(l Sheet) ([]byte, error) {
	text, err := l.MarshalJSON()
	if err != nil {
		return nil, err
	}
	return append(l.Origin.append(nil), text...), nil
}

// DecodeSheet reads what EncodeSheet wrote.
func DecodeSheet(buf []byte) (Sheet, error) {
	origin, text, err := decodeOrigin(buf)
	if err != nil {
		return Sheet{}, err
	}
	l, err := Decode(text)
	if err != nil {
		return Sheet{}, err
	}
	l.Origin = origin
	return *l, nil
}
