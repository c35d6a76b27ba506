package flink

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// State is a job's state, in Flink's words.
type State string

// States of a job. RESTARTING and the others on the way are not named here.
const (
	Running   State = "RUNNING"
	Canceling State = "CANCELLING"
	Finished  State = "FINISHED" // a bounded job's end, and that of a job stopped with a savepoint
	Canceled  State = "CANCELED"
	Failed    State = "FAILED"
	Suspended State = "SUSPENDED" // its JobManager has given it up
)

// Ended tells whether the job will change its state no more.
func (s State) Ended() bool {
	return s == Finished || s == Canceled || s == Failed || s == Suspended
}

// Status is how a job is doing.
type Status struct {
	ID       string        `json:"id"`
	Name     string        `json:"name"`
	State    State         `json:"state"`
	Started  time.Time     `json:"started"`
	Duration time.Duration `json:"duration_ns"`

	Tasks        int `json:"tasks"`         // subtasks of all steps
	TasksRunning int `json:"tasks_running"` // of which RUNNING

	// RecordsIn and RecordsOut are what the job's steps have received from each other and sent
	// to each other since the last start, in Flink's counting: elements of Beam, not events.
	RecordsIn  int64 `json:"records_in"`
	RecordsOut int64 `json:"records_out"`

	// Watermark is the smallest one of the job's steps: the event time that all of them have
	// reached. Zero before the first; see AtEnd for the last.
	Watermark time.Time `json:"watermark,omitzero"`
	AtEnd     bool      `json:"at_end,omitempty"` // the watermark says that nothing will come

	Checkpoints CheckpointStatus `json:"checkpoints"`

	// Failure is the latest failure, also of a job that has recovered from it.
	Failure *Failure `json:"failure,omitempty"`
}

// CheckpointStatus counts a job's checkpoints since it was submitted.
type CheckpointStatus struct {
	Completed  int         `json:"completed"`
	Failed     int         `json:"failed"`
	InProgress int         `json:"in_progress"`
	Restored   int         `json:"restored"`              // how often the job went back to one
	Last       *Checkpoint `json:"last,omitempty"`        // last completed
	LastFailed string      `json:"last_failed,omitempty"` // why the last one that failed did
	Failing    bool        `json:"failing,omitempty"`     // none has been completed since that one
}

// Checkpoint is a completed checkpoint.
type Checkpoint struct {
	ID       int64         `json:"id"`
	Taken    time.Time     `json:"taken"`
	Duration time.Duration `json:"duration_ns"`
	Size     int64         `json:"bytes"` // of the state as a whole
	Path     string        `json:"path"`  // a Savepoint that a job can resume from
}

// Failure is why a job, or a task of it, failed.
type Failure struct {
	Time  time.Time `json:"time"`
	Task  string    `json:"task,omitempty"`
	Cause string    `json:"cause"` // see RootCause
}

type jobDetails struct {
	ID       string `json:"jid"`
	Name     string `json:"name"`
	State    State  `json:"state"`
	Started  Millis `json:"start-time"`
	Duration int64  `json:"duration"`
	Vertices []struct {
		ID    string         `json:"id"`
		Tasks map[string]int `json:"tasks"`
		// Flink counts what passes between tasks only.
		Metrics struct {
			Read    int64 `json:"read-records"`
			Written int64 `json:"write-records"`
		} `json:"metrics"`
	} `json:"vertices"`
}

// Status collects how a job is doing from Flink's answers about it.
func (c *Client) Status(ctx context.Context, jobID string) (Status, error) {
	var d jobDetails
	if err := c.get(ctx, jobPath(jobID), &d); err != nil {
		return Status{}, fmt.Errorf("status of job %s: %w", jobID, err)
	}
	s := Status{
		ID: d.ID, Name: d.Name, State: d.State,
		Started: d.Started.Time(), Duration: time.Duration(d.Duration) * time.Millisecond,
	}
	var lowest *int64
	for _, vertex := range d.Vertices {
		for state, n := range vertex.Tasks {
			s.Tasks += n
			if State(state) == Running {
				s.TasksRunning += n
			}
		}
		s.RecordsIn += vertex.Metrics.Read
		s.RecordsOut += vertex.Metrics.Written
		mark, err := c.watermark(ctx, jobID, vertex.ID)
		if err != nil {
			return Status{}, fmt.Errorf("status of job %s: %w", jobID, err)
		}
		if mark != nil && (lowest == nil || *mark < *lowest) {
			lowest = mark
		}
	}
	if lowest != nil {
		s.Watermark, s.AtEnd = eventTime(*lowest)
	}
	var err error
	if s.Checkpoints, err = c.checkpoints(ctx, jobID); err != nil {
		return Status{}, fmt.Errorf("status of job %s: %w", jobID, err)
	}
	failures, err := c.Failures(ctx, jobID)
	if err != nil {
		return Status{}, fmt.Errorf("status of job %s: %w", jobID, err)
	}
	if len(failures) > 0 {
		s.Failure = &failures[0]
	}
	return s, nil
}

// Beam's smallest and largest event times, in milliseconds: no watermark yet, and the end.
const (
	beamMin = -9223372036854775
	beamMax = 9223372036854775
)

func eventTime(ms int64) (mark time.Time, atEnd bool) {
	if ms <= beamMin {
		return time.Time{}, false
	}
	// The end of the global window lies a day before Beam's last time.
	if ms >= beamMax-24*time.Hour.Milliseconds() {
		return time.Time{}, true
	}
	return time.UnixMilli(ms).UTC(), false
}

// watermark is the smallest watermark of a step's subtasks in milliseconds, nil if it has none
// to tell, as sources do.
func (c *Client) watermark(ctx context.Context, jobID, vertexID string) (*int64, error) {
	var marks []struct{ Value string }
	if err := c.get(ctx, jobPath(jobID)+"/vertices/"+vertexID+"/watermarks", &marks); err != nil {
		return nil, err
	}
	var lowest *int64
	for _, mark := range marks {
		ms, err := strconv.ParseInt(mark.Value, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("watermark of step %s: %w", vertexID, err)
		}
		if lowest == nil || ms < *lowest {
			lowest = &ms
		}
	}
	return lowest, nil
}

func (c *Client) checkpoints(ctx context.Context, jobID string) (CheckpointStatus, error) {
	var answer struct {
		Counts struct {
			Completed  int `json:"completed"`
			Failed     int `json:"failed"`
			InProgress int `json:"in_progress"`
			Restored   int `json:"restored"`
		} `json:"counts"`
		Latest struct {
			Completed *struct {
				ID       int64  `json:"id"`
				Taken    Millis `json:"trigger_timestamp"`
				Duration int64  `json:"end_to_end_duration"`
				Size     int64  `json:"state_size"`
				Path     string `json:"external_path"`
			} `json:"completed"`
			Failed *struct {
				Taken   Millis `json:"trigger_timestamp"`
				Message string `json:"failure_message"`
			} `json:"failed"`
		} `json:"latest"`
	}
	err := c.get(ctx, jobPath(jobID)+"/checkpoints", &answer)
	if errors.Is(err, errNoCheckpoints) {
		return CheckpointStatus{}, nil
	}
	if err != nil {
		return CheckpointStatus{}, err
	}
	s := CheckpointStatus{
		Completed: answer.Counts.Completed, Failed: answer.Counts.Failed,
		InProgress: answer.Counts.InProgress, Restored: answer.Counts.Restored,
	}
	if last := answer.Latest.Completed; last != nil {
		s.Last = &Checkpoint{
			ID: last.ID, Taken: last.Taken.Time(), Duration: time.Duration(last.Duration) * time.Millisecond,
			Size: last.Size, Path: last.Path,
		}
	}
	if last := answer.Latest.Failed; last != nil {
		s.LastFailed = RootCause(last.Message)
		s.Failing = s.Last == nil || last.Taken.Time().After(s.Last.Taken)
	}
	return s, nil
}

// Failures lists a job's failures, the latest first; Flink keeps a few.
func (c *Client) Failures(ctx context.Context, jobID string) ([]Failure, error) {
	var answer struct {
		History struct {
			Entries []struct {
				Time  Millis `json:"timestamp"`
				Task  string `json:"taskName"`
				Trace string `json:"stacktrace"`
			} `json:"entries"`
		} `json:"exceptionHistory"`
	}
	if err := c.get(ctx, jobPath(jobID)+"/exceptions?maxExceptions=20", &answer); err != nil {
		return nil, err
	}
	var failures []Failure
	for _, e := range answer.History.Entries {
		failures = append(failures, Failure{Time: e.Time.Time(), Task: e.Task, Cause: RootCause(e.Trace)})
	}
	return failures, nil
}

// WatermarkText is the watermark in words.
func (s Status) WatermarkText() string {
	switch {
	case s.AtEnd:
		return "at the end"
	case s.Watermark.IsZero():
		return "none yet"
	}
	return s.Watermark.Format(time.RFC3339Nano)
}

// String is the status in one line, for following a job.
func (s Status) String() string {
	text := fmt.Sprintf("%s, %d of %d tasks, watermark %s, %d checkpoints", s.State, s.TasksRunning, s.Tasks, s.WatermarkText(), s.Checkpoints.Completed)
	if last := s.Checkpoints.Last; last != nil {
		text += fmt.Sprintf(" (last %s, %d bytes)", last.Duration, last.Size)
	}
	if s.Checkpoints.Failing {
		text += fmt.Sprintf(", %d failed, the last because: %s", s.Checkpoints.Failed, s.Checkpoints.LastFailed)
	}
	if s.Failure != nil && s.State != Running {
		text += ": " + s.Failure.Cause
	}
	return text
}
