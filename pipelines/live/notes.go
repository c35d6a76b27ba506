package live

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"tributary/pipelines/report"
	"tributary/runners/flink"
)

// mostNotes bounds what is noted: more are not read.
const mostNotes = 20

// Thresholds are those of the alerts, so that a note is there before an alert is.
const (
	// behindWorth: the watermark is behind the clock by as much where TributaryWatermarkBehind fires.
	behindWorth = 15 * time.Minute
	// overdueWorth is that of TributaryStageOverdue.
	overdueWorth = 5 * time.Minute
)

// note finds what is worth a look, the gravest first.
func (s *State) note(file string) {
	s.Notes = []Note{}
	add := func(severity report.Severity, code, do, form string, args ...any) {
		s.Notes = append(s.Notes, Note{Severity: severity, Code: code, Text: fmt.Sprintf(form, args...), Do: do})
	}
	for _, of := range s.Sources {
		if !of.OK {
			add(report.Error, "source_unread", "tributary check "+file+" --online", "%s could not be read: %s", of.Name, of.Error)
		}
	}
	s.noteFlink(add)
	s.noteTopics(file, add)
	s.noteHolder(file, add)
	for i := range s.Stages {
		for _, sink := range s.Stages[i].Sinks {
			if sink.Overdue != nil && *sink.Overdue > overdueWorth.Seconds() {
				add(report.Warning, "stage_overdue", "", "stage %s: the %s %s has not got what closed %s ago", s.Stages[i].Stage, sink.Sink, sink.Name, span(seconds(*sink.Overdue)))
			}
		}
	}
	if f := s.Figures; f != nil && f.Held {
		add(report.Warning, "accounts_held", "tributary repair "+file+" --hanging --dry-run", "accounts lie behind an open transaction: what they say is older than it should be")
	}
	if s.Report != nil {
		for _, note := range s.Report.Notes() {
			if note.Severity != report.Info {
				s.Notes = append(s.Notes, Note{note.Severity, note.Code, shorten(note.Text), "tributary report " + file, true})
			}
		}
	}
	grave := []report.Severity{report.Error, report.Warning, report.Info}
	slices.SortStableFunc(s.Notes, func(a, b Note) int {
		return cmp.Compare(slices.Index(grave, a.Severity), slices.Index(grave, b.Severity))
	})
	s.Notes = s.Notes[:min(len(s.Notes), mostNotes)]
}

type noter func(severity report.Severity, code, do, form string, args ...any)

func (s *State) noteFlink(add noter) {
	if s.Flink == nil {
		return
	}
	look := "tributary job status " + s.Flink.ID
	if s.Flink.State != flink.Running || s.Flink.TasksRunning != s.Flink.Tasks {
		why := ""
		if s.Flink.Failure != nil {
			why = ": " + s.Flink.Failure.Cause
		}
		add(report.Error, "job_not_running", look, "the job on Flink is %s, %d of %d tasks run%s", s.Flink.State, s.Flink.TasksRunning, s.Flink.Tasks, why)
	}
	if s.Flink.Checkpoints.Failing {
		add(report.Warning, "checkpoints_fail", look, "the last checkpoint failed: %s", s.Flink.Checkpoints.LastFailed)
	}
}

func (s *State) noteTopics(file string, add noter) {
	for i := range s.Topics {
		t := &s.Topics[i]
		if t.Leaderless > 0 {
			add(report.Error, "leaderless", "", "%s of topic %s (%s) %s no leader", report.Number(int64(t.Leaderless), "partition"), t.Topic, t.Role, plural(int64(t.Leaderless), "has", "have"))
		}
		if t.Open != nil && t.Open.Hangs {
			add(report.Error, "transaction_hangs", "tributary repair "+file+" --hanging --dry-run", "%s; it hangs", t.Open.Why)
		}
	}
}

func (s *State) noteHolder(file string, add noter) {
	h := s.Holder
	if h == nil {
		return
	}
	severity := report.Warning
	switch h.Cause {
	case Current, Ahead, Idle:
		severity = report.Info
	case Leaderless, Stalled:
		severity = report.Error
	case Hidden, Unread, Behind, NoRecords, Unnoted, OneAhead, Quiet:
	}
	if s.Watermark != nil && *s.Behind < behindWorth.Seconds() && severity == report.Warning {
		severity = report.Info
	}
	at := "before the first sample"
	if s.Watermark != nil {
		at = "at " + s.Watermark.Format(time.RFC3339)
	}
	by := ""
	if h.By != nil && *h.By > 0 {
		by = ", " + span(seconds(*h.By)) + " behind the next"
	}
	do := ""
	if h.Cause == Hidden {
		do = "tributary repair " + file + " --hanging --dry-run"
	}
	add(severity, "held_back", do, "%s holds the watermark %s%s: %s", h.Partition, at, by, h.Why)
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
