// Package commitlog is what a sink has written to a topic, as a log of its own: one partition a shard, one
// record a group, written in the transaction that writes the group's records.
//
//	header   how groups are spread over shards, and what gives their content its meaning
//	shard/ID version, number and digest of a group's records; without a value: let go
//	complete all groups up to an ID are written, and what is written beside them
//
// Whoever writes a shard reads its partition first and decides by it: a group that is there is skipped, one
// with other content is written as the next version. The partition is compacted and stays as large as
// the groups it keeps.
//
//	record.go      the record of a group, encoded and decoded; reading partitions
//	header.go      the records about the job as a whole
//	log.go         Log: what one shard has committed
//	compaction.go  which groups are let go
//	commits.go     what all shards have committed, for whoever looks from outside
//	progress.go    how far a job has come
//	next.go        the header that a job which begins again gives all shards
package commitlog

import (
	"errors"
	"maps"
	"math"
	"slices"
)

// ErrExpired is returned for a group so old that the commit log no longer says whether it was
// written: writing it might double it, skipping it might lose it.
var ErrExpired = errors.New("older than what the commit log keeps")

// NoID is before all IDs: TruncatedBefore of a log that has let nothing go.
const NoID = math.MinInt64

// Entry is what the commit log says of one group: its newest version.
type Entry struct {
	Version int32
	Records int64
	Digest  uint64
	// Partial: that many records of the version are written, and their digest is this; the rest
	// is not.
	Partial bool
}

// Log is what one shard has committed. It holds at least the newest Config.Keep
// groups by ID, and whenever a newest one is written at most an eighth more.
type Log struct {
	Entries map[int64]Entry
	// TruncatedBefore: nothing is known of smaller IDs, they were let go.
	TruncatedBefore int64
	// Header is nil if nothing was written to any shard; Headed says that this one has it.
	Header *Header
	Headed bool
	// Through is the largest ID up to which all groups of the job are known to be written,
	// if Completes is set.
	Through   int64
	Completes bool
}

// NewLog returns a log of nothing.
func NewLog() *Log {
	return &Log{Entries: map[int64]Entry{}, TruncatedBefore: NoID, Through: NoID}
}

// Committed says whether a group counts as written, whatever it holds now.
func (l *Log) Committed(id int64) bool {
	return l.Header != nil && (id < l.Header.CommittedBefore || slices.Contains(l.Header.Kept, id))
}

// Begun says whether anything of the shard was written, in whole or in part.
func (l *Log) Begun() bool { return len(l.Entries) > 0 || l.TruncatedBefore != NoID || l.Completes }

// Apply notes what was committed: entries by ID, and what was let go with them.
func (l *Log) Apply(written map[int64]Entry, drop []int64, truncatedBefore int64) {
	maps.Copy(l.Entries, written)
	for _, id := range drop {
		delete(l.Entries, id)
	}
	l.TruncatedBefore = truncatedBefore
}
