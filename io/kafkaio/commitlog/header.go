package commitlog

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Keys of what the commit log says of the job as a whole.
const (
	// HeaderKey is in the partition of every shard, see Header.
	HeaderKey = "head"
	// CompleteKey is in any partition, see complete.
	CompleteKey = "complete"
)

// Layout is the number of shards of groups with IDs before Until.
type Layout struct {
	Until  int64 `json:"until"`
	Shards int32 `json:"shards"`
}

// Header is what a shard's commit log begins with. A group is a group of its layout: over another
// number of shards it would hold other records, and some of them would be written twice. So
// a writer whose layout is another one is refused.
type Header struct {
	Job string `json:"job"`
	// FencingEpoch counts how often the job was recovered. Where the headers of shards differ,
	// a recovery did not come to its end: then nothing was written under the larger ones.
	FencingEpoch int64 `json:"generation"`
	// Step is the distance between the IDs of successive groups; 0 if it was not told.
	Step    int64    `json:"step"`
	Shards  int32    `json:"shards"`
	Earlier []Layout `json:"earlier,omitempty"`
	// CommittedBefore: groups with smaller IDs have all been written. What comes of them again is
	// skipped whatever it holds: a job that began later in the log has parts of them only.
	CommittedBefore int64 `json:"settled_before"`
	// Meaning is the Config's; nil if an earlier release has written it.
	Meaning map[string]string `json:"meaning,omitempty"`
	// MeaningSince: groups with this ID or a larger one, but for kept ones, are written while content means that. It is nil if an earlier
	// release has taken the job over, which did not say.
	MeaningSince *int64            `json:"meaning_since,omitempty"`
	State        map[string]string `json:"state,omitempty"`
	// Kept are the IDs of this shard's groups that were written while content meant something
	// else, in order. They stay as they are.
	Kept []int64 `json:"kept,omitempty"`
	// Corrected are versions above the first of this shard's groups that a run under this header does not write, by ID: what
	// follows from such a correction is to stand behind it still.
	Corrected map[int64]int32 `json:"corrected,omitempty"`
}

// ShardsAt returns over how many shards a group is spread.
func ShardsAt(earlier []Layout, shards int32, id int64) int32 {
	for _, l := range earlier {
		if id < l.Until {
			return l.Shards
		}
	}
	return shards
}

// MeansSince returns from which ID on all groups of the shard have the meaning that the header gives, as far as that is known.
func (h *Header) MeansSince() int64 {
	since := int64(NoID)
	switch {
	case h.MeaningSince != nil:
		since = *h.MeaningSince
	case h.FencingEpoch > 1 || h.CommittedBefore > NoID: // taken over, and not told with what it was written before
		since = h.CommittedBefore
	}
	for _, id := range h.Kept {
		since = max(since, id+max(h.Step, 1))
	}
	return since
}

// Since returns an error if the job was recovered after the run had begun that want is of.
func (h *Header) Since(want *Header) error {
	if h.FencingEpoch <= want.FencingEpoch {
		return nil
	}
	return fmt.Errorf("%w: job %s was resumed from the log after this run of it had begun: resume it from the log once more, or from the state of its last run", ErrRecovered, want.Job)
}

// ErrUnfit marks topics that are not as the sink needs them.
var ErrUnfit = errors.New("topic unfit")

// ErrRecovered marks a writer of a run that another one has come after.
var ErrRecovered = errors.New("the job was recovered since")

// Fits returns an error if a group is another one to the run that want is of than it was to the
// commit log in topic.
func (h *Header) Fits(topic string, want *Header, id int64) error {
	if h.Step != want.Step {
		return fmt.Errorf("%w: commit log %s is of groups %d apart, not %d: the length of a bucket stays as it is for as long as its samples are in one topic", ErrUnfit, topic, h.Step, want.Step)
	}
	if have, wanted := ShardsAt(h.Earlier, h.Shards, id), ShardsAt(want.Earlier, want.Shards, id); have != wanted {
		return fmt.Errorf("%w: commit log %s has group %d spread over %d shards, not %d: resume from the log to change how many there are", ErrUnfit, topic, id, have, wanted)
	}
	return nil
}

// Complete says that all groups up to an ID were written, and all messages beside them.
type Complete struct {
	Job     string `json:"job"`
	Through int64  `json:"through"`
}

// CompleteRecord says that all groups of a job up to an ID were written, as a record of any shard's commit log.
func CompleteRecord(job string, through int64) (*kgo.Record, error) {
	value, err := json.Marshal(Complete{Job: job, Through: through})
	if err != nil {
		return nil, fmt.Errorf("progress of job %s: %w", job, err)
	}
	return &kgo.Record{Key: []byte(CompleteKey), Value: value}, nil
}

// Record is the header as a record of a shard's commit log.
func (h *Header) Record(topic string, shard int32) (*kgo.Record, error) {
	value, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("header of shard %d: %w", shard, err)
	}
	return &kgo.Record{Topic: topic, Partition: shard, Key: []byte(HeaderKey), Value: value}, nil
}

// TakeState takes over a record about the whole job; known says that it is one.
func (l *Log) TakeState(key string, value []byte, job string) (known bool, err error) {
	var owner string
	switch key {
	case HeaderKey:
		h := &Header{}
		if err = json.Unmarshal(value, h); err == nil {
			l.Header, l.Headed, owner = h, true, h.Job
		}
	case CompleteKey:
		var c Complete
		if err = json.Unmarshal(value, &c); err == nil {
			l.Through, l.Completes, owner = max(l.Through, c.Through), true, c.Job
		}
	default:
		return false, nil
	}
	if err == nil && job != "" && owner != job {
		err = ownedBy(owner, job)
	}
	return true, err
}

func ownedBy(owner, job string) error {
	return fmt.Errorf("%w: it belongs to job %q, not %q: each job has its own", ErrUnfit, owner, job)
}
