package demo

import (
	"encoding/json"
	"fmt"

	"tributary/io/format/avro"
	"tributary/pipelines/rejected"
	"tributary/pipelines/sim/generate"
	"tributary/pipelines/spec"
	"tributary/transforms/label"
	"tributary/transforms/sample"
)

// arrived is a sample as it was read.
type arrived struct {
	ViewID   string             `json:"view_id"`
	ViewTime int64              `json:"view_time"`
	Positive bool               `json:"positive"`
	Labels   map[string]float64 `json:"labels"`
	DelayMs  map[string]*int64  `json:"delay_ms"`
	View     struct {
		ViewID  string `json:"view_id"`
		Time    int64  `json:"ts"`
		User    int64  `json:"user_id"`
		Post    int64  `json:"post_id"`
		Surface string `json:"surface"`
		Pos     int64  `json:"pos"`
	} `json:"view"`
}

// tally counts what is in the topics, and holds each sample against the truth. Not for
// concurrent use.
type tally struct {
	truth *truth
	funcs map[string]label.Func // by kind
	text  *sample.JSON
	line  []byte

	samples   map[string]int // by view id, how often
	positives int64
	kinds     map[string]int64 // positives of each
	// wrong are the samples that the truth does not have, or has otherwise.
	wrong, unknown int64
	// why says of the first what is wrong with it.
	why string
	// rejections are by key, since a restart may write one twice.
	rejections map[string]bool
	late, dead refused
	orphans    int64
}

// refused counts records that became no part of a sample.
type refused struct {
	views, engagements int64
}

func (r *refused) add(role string) {
	if role == "views" {
		r.views++
	} else {
		r.engagements++
	}
}

func newTally(s *spec.Spec, sampleSchema string, truth *truth) (*tally, error) {
	text, err := newText(sampleSchema, false)
	if err != nil {
		return nil, err
	}
	t := &tally{
		truth: truth, text: text, funcs: map[string]label.Func{}, samples: map[string]int{}, kinds: map[string]int64{}, rejections: map[string]bool{},
	}
	for i := range s.Engagements {
		t.funcs[s.Engagements[i].Kind] = s.Engagements[i].Label.Func
	}
	return t, nil
}

// newText makes what turns samples of that schema into JSON.
func newText(schema string, jsonViews bool) (*sample.JSON, error) {
	parsed, err := avro.ParseSchema(schema)
	if err != nil {
		return nil, err
	}
	return sample.NewJSON(parsed, jsonViews)
}

// sample takes the value of a record in the topic of samples.
func (t *tally) sample(value []byte) (*arrived, error) {
	var err error
	if t.line, err = t.text.Append(t.line[:0], value); err != nil {
		return nil, err
	}
	a := &arrived{}
	if err := json.Unmarshal(t.line, a); err != nil {
		return nil, fmt.Errorf("sample %s: %w", t.line, err)
	}
	t.samples[a.ViewID]++
	if t.samples[a.ViewID] > 1 {
		return a, nil // counted as what it is
	}
	if a.Positive {
		t.positives++
	}
	for kind, delay := range a.DelayMs {
		if delay != nil {
			t.kinds[kind]++
		}
	}
	want, ok := t.truth.samples[a.ViewID]
	if !ok {
		t.unknown++
		t.say("the truth has no sample %s", t.line)
	} else if difference := t.compare(a, &want); difference != "" {
		t.wrong++
		t.say("sample %s: %s", t.line, difference)
	}
	return a, nil
}

func (t *tally) say(format string, args ...any) {
	if t.why == "" {
		t.why = fmt.Sprintf(format, args...)
	}
}

// compare says how a sample differs from what it must be; empty if it does not.
func (t *tally) compare(got *arrived, want *generate.TrueSample) string {
	switch {
	case got.ViewTime != want.ViewTime || got.View.Time != want.ViewTime:
		return fmt.Sprintf("view time must be %d", want.ViewTime)
	case got.View.ViewID != want.ViewID || got.View.Pos != want.Pos:
		return fmt.Sprintf("its view must be the one with id %s and pos %d", want.ViewID, want.Pos)
	case got.Positive != want.Positive:
		return fmt.Sprintf("positive must be %t", want.Positive)
	case len(got.Labels) != len(want.Labels):
		return fmt.Sprintf("must have %d labels", len(want.Labels))
	}
	for kind, label := range want.Labels {
		value := label.Value(t.funcs[kind])
		if got.Labels[kind] != value {
			return fmt.Sprintf("label of %s must be %v", kind, value)
		}
		delay := got.DelayMs[kind]
		if (delay == nil) != (label.DelayMs == nil) || delay != nil && *delay != *label.DelayMs {
			return fmt.Sprintf("delay of %s differs from the truth", kind)
		}
	}
	return ""
}

// reject takes a record of the topics of late records, dead letters and orphans.
func (t *tally) reject(key, value []byte) error {
	if t.rejections[string(key)] {
		return nil
	}
	t.rejections[string(key)] = true
	var r rejected.Record
	if err := json.Unmarshal(value, &r); err != nil {
		return fmt.Errorf("rejected record %s: %w", value, err)
	}
	switch rejected.OutputOf(r.Reason) {
	case rejected.Late:
		t.late.add(r.Role)
	case rejected.Orphans:
		t.orphans++
	default:
		t.dead.add(r.Role)
	}
	return nil
}

// repeated counts samples that are there more than once, missing those that are not there.
func (t *tally) repeated() (n int64) {
	for _, times := range t.samples {
		n += int64(times - 1)
	}
	return n
}

func (t *tally) missing() int64 {
	return int64(len(t.truth.samples)) - (int64(len(t.samples)) - t.unknown)
}
