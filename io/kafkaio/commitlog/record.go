package commitlog

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
	"tributary/io/wire"
)

// The first byte of a commit log record's value: of a group that is written, and of one that is
// written in part, which those who know of none have to refuse.
const (
	Schema        = 1
	schemaPartial = 2
)

// Record is one record of the commit log topic: key "shard/ID", in the partition of the
// shard. A record without a value says that the group was let go. Beside them there are a
// few about the job as a whole, see Header and complete.
type Record struct {
	Shard int32
	ID    int64
	Entry
	// TruncatedBefore is the shard's TruncatedBefore when this was written. It is in every record, so the
	// newest one carries it, and that one compaction keeps.
	TruncatedBefore int64
	Job             string
}

// Key is the key of the record of a group.
func Key(shard int32, id int64) []byte {
	key := strconv.AppendInt(nil, int64(shard), 10)
	key = append(key, '/')
	return strconv.AppendInt(key, id, 10)
}

// Value is the value of the record.
func (r *Record) Value() []byte {
	out := []byte{Schema}
	if r.Partial {
		out[0] = schemaPartial
	}
	out = binary.AppendUvarint(out, uint64(r.Version))
	out = binary.AppendUvarint(out, uint64(r.Records))
	out = binary.LittleEndian.AppendUint64(out, r.Digest)
	out = binary.AppendVarint(out, r.TruncatedBefore)
	return append(out, r.Job...)
}

// ParseKey reads what Key wrote.
func ParseKey(key []byte) (shard int32, id int64, err error) {
	s, i, _ := strings.Cut(string(key), "/")
	n, err := strconv.ParseInt(s, 10, 32)
	if err == nil {
		id, err = strconv.ParseInt(i, 10, 64)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("commit log key %q: %w", key, err)
	}
	return int32(n), id, nil
}

// ParseValue reads what Value wrote: what it says of the group, TruncatedBefore, and the job.
func ParseValue(v []byte) (Entry, int64, string, error) {
	if len(v) == 0 || v[0] != Schema && v[0] != schemaPartial {
		return Entry{}, 0, "", fmt.Errorf("commit log value %x: want schema %d or %d", v, Schema, schemaPartial)
	}
	r := wire.NewReader(v[1:])
	e := Entry{Version: int32(r.Uvarint()), Records: int64(r.Uvarint()), Digest: r.Uint64(), Partial: v[0] == schemaPartial}
	truncatedBefore := r.Varint()
	if r.Short() {
		return Entry{}, 0, "", fmt.Errorf("commit log value %x: too short", v)
	}
	return e, truncatedBefore, string(r.Rest()), nil
}

// Take takes over one record of the shard's commit log partition, in log order.
func (l *Log) Take(r *kgo.Record, job string) error {
	if known, err := l.TakeState(string(r.Key), r.Value, job); known {
		return err
	}
	shard, id, err := ParseKey(r.Key)
	if err != nil {
		return err
	}
	if shard != r.Partition {
		return fmt.Errorf("%w: record %s lies in partition %d: each shard has its own", ErrUnfit, r.Key, r.Partition)
	}
	if r.Value == nil {
		delete(l.Entries, id)
		return nil
	}
	e, truncatedBefore, owner, err := ParseValue(r.Value)
	if err != nil {
		return err
	}
	if job != "" && owner != job {
		return ownedBy(owner, job)
	}
	l.Entries[id] = e
	l.TruncatedBefore = max(l.TruncatedBefore, truncatedBefore)
	return nil
}

// ReadShards reads partitions of the commit log topic from their start to their high
// watermark, as it is when ReadShards is called, and not to the last stable offset: an open
// transaction of another producer would hide the shard's own entries behind it. So it
// waits until such transactions have ended, until ctx ends at the latest. job, unless
// it is empty, is whose commit log it must be.
func ReadShards(ctx context.Context, opts []kgo.Opt, topic string, partitions []int32, job string) (map[int32]*Log, error) {
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("read commit log %s: %w", topic, err)
	}
	defer client.Close()
	due, err := cluster.Ends(ctx, client, topic)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(due, func(p int32, _ int64) bool { return !slices.Contains(partitions, p) })
	return readTo(ctx, opts, topic, partitions, due, job)
}

// readStableShards reads the commit log of every shard up to the last stable offset: it waits for
// nobody, and what open transactions hold is not in it.
func readStableShards(ctx context.Context, client *kgo.Client, opts []kgo.Opt, topic, job string) (map[int32]*Log, error) {
	due, err := cluster.StableEnds(ctx, client, topic)
	if err != nil {
		return nil, err
	}
	return readTo(ctx, opts, topic, slices.Collect(maps.Keys(due)), due, job)
}

// readTo reads partitions of the commit log topic up to the offsets in due, which it uses up.
func readTo(ctx context.Context, opts []kgo.Opt, topic string, partitions []int32, due map[int32]int64, job string) (map[int32]*Log, error) {
	logs := make(map[int32]*Log, len(partitions))
	for _, p := range partitions {
		logs[p] = NewLog()
	}
	return logs, cluster.ReadTo(ctx, opts, topic, due, func(r *kgo.Record) (bool, error) {
		return false, logs[r.Partition].Take(r, job)
	})
}
