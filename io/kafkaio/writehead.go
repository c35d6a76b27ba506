package kafkaio

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Keys of what the ledger says of the job as a whole.
const (
	// headKey is in the partition of every shard, see head.
	headKey = "head"
	// completeKey is in any partition, see complete.
	completeKey = "complete"
)

// Layout is the number of shards of groups with IDs before Until.
type Layout struct {
	Until  int64 `json:"until"`
	Shards int32 `json:"shards"`
}

// head is what a shard's ledger begins with. A group is a group of its layout: over another
// number of shards it would hold other records, and some of them would be written twice. So
// a writer whose layout is another one is refused.
type head struct {
	Job string `json:"job"`
	// Generation counts how often the job was taken over. Where the heads of shards differ,
	// a takeover did not come to its end: then nothing was written under the larger ones.
	Generation int64 `json:"generation"`
	// Step is the distance between the IDs of successive groups; 0 if it was not told.
	Step    int64    `json:"step"`
	Shards  int32    `json:"shards"`
	Earlier []Layout `json:"earlier,omitempty"`
	// Settled: groups with smaller IDs have all been written. What comes of them again is
	// skipped whatever it holds: a job that began later in the log has parts of them only.
	Settled int64 `json:"settled_before"`
	// Meaning is the Writing's; nil if an earlier release has written the head.
	Meaning map[string]string `json:"meaning,omitempty"`
	State   map[string]string `json:"state,omitempty"`
	// Kept are the IDs of this shard's groups that were written while content meant something
	// else, in order. They stay as they are.
	Kept []int64 `json:"kept,omitempty"`
}

// head is the one that w writes where there is none.
func (w *Writing) head() *head {
	return &head{Job: w.Job, Generation: w.Generation, Step: w.Step, Shards: w.Shards, Earlier: w.Earlier, Settled: noFloor, Meaning: w.Meaning, State: w.State}
}

// shardsOf returns over how many shards a group is spread.
func (w *Writing) shardsOf(id int64) int32 { return shardsAt(w.Earlier, w.Shards, id) }

func shardsAt(earlier []Layout, shards int32, id int64) int32 {
	for _, l := range earlier {
		if id < l.Until {
			return l.Shards
		}
	}
	return shards
}

// since returns an error if the job was taken over after the run that w is of had begun.
func (h *head) since(w *Writing) error {
	if h.Generation <= w.Generation {
		return nil
	}
	return fmt.Errorf("%w: job %s was resumed from the log after this run of it had begun: resume it from the log once more, or from the state of its last run", errTakenOver, w.Job)
}

// errTakenOver marks a writer of a run that another one has taken over from.
var errTakenOver = errors.New("taken over")

// fits returns an error if the group is another one to w than it was to the ledger.
func (h *head) fits(w *Writing, id int64) error {
	if h.Step != w.Step {
		return fmt.Errorf("%w: ledger %s is of groups %d apart, not %d: the length of a bucket stays as it is for as long as its samples are in one topic", errSetup, w.LedgerTopic, h.Step, w.Step)
	}
	if have, want := shardsAt(h.Earlier, h.Shards, id), w.shardsOf(id); have != want {
		return fmt.Errorf("%w: ledger %s has group %d spread over %d shards, not %d: resume from the log to change how many there are", errSetup, w.LedgerTopic, id, have, want)
	}
	return nil
}

// complete says that all groups up to an ID were written, and all messages beside them.
type complete struct {
	Job     string `json:"job"`
	Through int64  `json:"through"`
}

// record is the head as a record of a shard's ledger.
func (h *head) record(topic string, shard int32) (*kgo.Record, error) {
	value, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("head of shard %d: %w", shard, err)
	}
	return &kgo.Record{Topic: topic, Partition: shard, Key: []byte(headKey), Value: value}, nil
}

// takeState takes over a record about the whole job; known says that it is one.
func (l *shardLedger) takeState(key string, value []byte, job string) (known bool, err error) {
	var owner string
	switch key {
	case headKey:
		h := &head{}
		if err = json.Unmarshal(value, h); err == nil {
			l.head, l.headed, owner = h, true, h.Job
		}
	case completeKey:
		var c complete
		if err = json.Unmarshal(value, &c); err == nil {
			l.through, l.completes, owner = max(l.through, c.Through), true, c.Job
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
	return fmt.Errorf("%w: it belongs to job %q, not %q: each job has its own", errSetup, owner, job)
}
