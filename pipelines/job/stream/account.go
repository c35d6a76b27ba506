package stream

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/mtime"

	"tributary/io/dofn"
	"tributary/io/kafkaio"
	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/sink"
	"tributary/io/record"
	"tributary/pipelines/job"
	"tributary/pipelines/job/graph"
	"tributary/transforms/account"
)

func init() {
	dofn.Register(
		dofn.Method1x0((*unreadFn).StartBundle),
		dofn.Method3x0((*unreadFn).ProcessElement),
		dofn.Method1x0((*unreadFn).FinishBundle),
	)
	dofn.Register(dofn.Method2x1((*accountFn).ProcessElement))
}

// account is the account of a piece of the work, as the topic of accounts has it: what its
// key says is what it is of, and the last record of a key counts.
type counted struct {
	Step string `json:"step"`

	// What was read: the records of one partition, from offset First to Last. A partition of files has a name: a file's, or
	// one that its records say.
	Role      string             `json:"role,omitempty"` // views, or the kind of engagement
	Partition *cluster.Partition `json:"partition,omitempty"`
	Files     string             `json:"files,omitempty"`
	First     int64              `json:"first,omitempty"`
	Last      int64              `json:"last,omitempty"`
	// ChapterEnd: it goes up to the end of a chapter of the log.
	ChapterEnd bool `json:"chapter_end,omitempty"`
	// MaxTimeMs and SecondTimeMs are the clock before First, if there is one; AfterIdle says
	// that it is not the log's own. Of what was refused, MaxTimeMs is what the watermark was.
	MaxTimeMs    *int64 `json:"max_event_time_ms,omitempty"`
	SecondTimeMs *int64 `json:"second_event_time_ms,omitempty"`
	AfterIdle    bool   `json:"after_idle,omitempty"`

	// What was joined: a bucket's part in one of so many shards; Stage is a stage before the last.
	Stage  string `json:"stage,omitempty"`
	Bucket int64  `json:"bucket_ms,omitempty"`
	Shard  int64  `json:"shard,omitempty"`
	Shards int64  `json:"shards,omitempty"`

	sheet

	// written is when it was written, in ms, and at where in the topic it is.
	written, at int64
	// gap: what was read before it may not be accounted for as a whole, see distinct.
	gap bool
}

// viewsRole is the role of views; engagements have their kind.
const viewsRole = "views"

// Steps as they are written.
var steps = map[account.Step]string{
	account.StepRead: "read", account.StepRejected: "refused", account.StepJoined: "joined", account.StepMerged: "tallied",
}

// key names what a is the account of.
func (a *counted) key() string {
	if a.read() {
		return fmt.Sprintf("%s@%d", a.log(), a.First)
	}
	key := fmt.Sprintf("%s/%d/%d.%d", a.Step, a.Bucket, a.Shard, a.Shards)
	if a.Stage != "" {
		key += "/" + a.Stage
	}
	return key
}

// clock is that before First; record.NoClock if there is none.
func (a *counted) clock() record.Clock {
	if a.MaxTimeMs == nil {
		return record.NoClock
	}
	return record.Clock{Largest: *a.MaxTimeMs, Second: *cmp.Or(a.SecondTimeMs, a.MaxTimeMs)}
}

// part is the bucket of a stage.
type part struct {
	stage  string
	bucket int64
}

func (a *counted) part() part { return part{a.Stage, a.Bucket} }

// read tells whether a is of records that were read, and not of a bucket.
func (a *counted) read() bool { return a.Partition != nil || a.Files != "" }

// ofFiles begins the names of partitions of files, where those of topics may stand as well.
const ofFiles = "files "

// log names the log that a is of an offset range of: a partition as it is read for a role, or what is
// refused of it.
func (a *counted) log() string {
	if a.Partition == nil {
		return a.Step + "/" + a.Role + "/" + ofFiles + a.Files
	}
	return a.Step + "/" + a.Role + "/" + a.Partition.String()
}

// partitionOf is the partition of a topic of a log by its name; false if it is no name of one.
func partitionOf(log string) (p cluster.Partition, ok bool) {
	parts := strings.SplitN(log, "/", 3)
	ok = len(parts) == 3 && !strings.HasPrefix(parts[2], ofFiles) && p.UnmarshalText([]byte(parts[2])) == nil
	return p, ok
}

// addTo adds what a accounts for to total.
func (a *counted) addTo(total *account.Sheet) error {
	l, err := a.decode()
	if err != nil {
		return fmt.Errorf("account %s: %w", a.key(), err)
	}
	total.Merge(l)
	return nil
}

// accountFn turns accounts of a single piece of the work into messages.
type accountFn struct {
	Roles      []string // of the inputs
	Partitions job.Partitions
}

func (f *accountFn) ProcessElement(l account.Sheet, emit func(sink.Message)) error {
	o := l.Origin
	a := counted{Step: steps[o.Step]}
	switch o.Step {
	case account.StepRead, account.StepRejected:
		if a.Files = f.Partitions.OfFiles(o.Partition); a.Files == "" {
			partition := f.Partitions.Topics.Partition(o.Partition)
			a.Partition = &partition
		}
		a.Role, a.First, a.Last = f.Roles[o.Input], o.First, o.Last
		a.ChapterEnd, a.AfterIdle = o.ChapterEnd, o.AfterIdle
		if o.MaxTime != record.NoTime {
			a.MaxTimeMs = &o.MaxTime
			if o.Step == account.StepRead {
				a.SecondTimeMs = &o.SecondTime
			}
		}
	case account.StepJoined, account.StepMerged:
		a.Stage, a.Bucket, a.Shard, a.Shards = o.Stage, o.Time, o.Shard, o.Shards
	case account.StepWhole:
		return nil // bytes, which no rule is about
	}
	l.From, l.To = 0, 0 // a stream has no bounds
	var err error
	if a.Sheet, err = l.MarshalJSON(); err != nil {
		return fmt.Errorf("account %s: %w", a.key(), err)
	}
	value, err := json.Marshal(&a)
	if err != nil {
		return fmt.Errorf("account %s: %w", a.key(), err)
	}
	emit(sink.Message{Key: []byte(a.key()), Value: value})
	return nil
}

// unreadFn accounts for records that the source could not hand on: those of a bundle and a chapter
// of a log are an offset range of what is refused of it.
type unreadFn struct {
	Roles, Inputs []string // of the inputs: their roles and names

	ranges map[refusedKey]*account.Sheet
	first  beam.EventTime
}

// refusedKey is a chapter of a partition's log as one input reads it.
type refusedKey struct {
	input, partition int32
	chapter          int64
}

func (f *unreadFn) StartBundle(func(beam.EventTime, account.Sheet)) {
	f.ranges, f.first = map[refusedKey]*account.Sheet{}, mtime.MaxTimestamp
}

func (f *unreadFn) ProcessElement(at beam.EventTime, r record.Rejected, _ func(beam.EventTime, account.Sheet)) {
	f.first = min(f.first, at)
	key := refusedKey{r.Input, r.Partition, record.Chapter(r.Offset)}
	l := f.ranges[key]
	if l == nil {
		l = account.New()
		l.Origin = account.Origin{Step: account.StepRejected, Input: r.Input, Partition: r.Partition, First: r.Offset, Last: r.Offset, MaxTime: at.Milliseconds()}
		f.ranges[key] = l
	}
	l.Origin.First, l.Origin.Last = min(l.Origin.First, r.Offset), max(l.Origin.Last, r.Offset)
	kind := f.Roles[r.Input]
	if kind == viewsRole {
		kind = ""
	}
	if r.Reason == record.ReasonTombstone {
		l.AddTombstones(f.Inputs[r.Input], kind, r.Count)
		return
	}
	l.AddDead(f.Inputs[r.Input], kind, r.Detail, r.Count)
	if r.AtLeast {
		l.AddDamage(kind)
	}
}

// FinishBundle emits the accounts with the earliest event time, and in the order of logs, as those of
// what was read.
func (f *unreadFn) FinishBundle(emit func(beam.EventTime, account.Sheet)) {
	for _, l := range account.EndChapters(maps.Values(f.ranges)) {
		emit(f.first, *l)
	}
}

// writeAccounts returns what acknowledges them.
func (p *Plan) writeAccounts(s beam.Scope, a graph.ToAccount) (sent beam.PCollection) {
	unread := &unreadFn{Roles: p.roles}
	for _, in := range p.params.Inputs {
		unread.Inputs = append(unread.Inputs, in.Name)
	}
	all := beam.Flatten(s, a.Joined, beam.ParDo(s, unread, a.Read.Unreadable))
	beam.ParDo0(s, &countFn{Stream: p.spec.Stream.Name}, all)
	f := &accountFn{Roles: p.roles, Partitions: p.partitions()}
	// Accounts are many small texts that are much alike.
	w := sink.Config{Cluster: p.samples.Cluster, Topic: p.spec.Outputs.Topics.Accounts, Compression: "zstd"}
	_, sent = kafkaio.WriteAtLeastOnce(s, w, beam.ParDo(s, f, all))
	return sent
}
