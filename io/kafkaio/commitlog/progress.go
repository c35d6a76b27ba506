package commitlog

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"tributary/io/kafkaio/cluster"
)

// Progress is how far a job has come, by its commit log.
type Progress struct {
	// CommittedBefore: all groups with smaller IDs were written, and with them the messages that
	// NoteProgress waited for. It is math.MinInt64 if that is not known of any.
	CommittedBefore int64
	// FencingEpoch and Earlier are what they have to be in Config.
	FencingEpoch int64
	Earlier      []Layout
	// Meaning and State are the Config's of what is written; nil if they are not known.
	Meaning, State map[string]string
	// Kept are groups that are not complete and stay as they are, because they were written
	// while content meant something else.
	Kept []Part
	// Corrected are groups that are written, as a version above the first.
	Corrected []Correction
}

// Correction is a part of a group, and the version that it is written as.
type Correction struct {
	Part
	Version int32
}

// Part is what one shard has of the groups with an ID.
type Part struct {
	ID    int64
	Shard int32
}

// Progress is what the header says of how far the job has come; kept are the groups of each shard that stay
// as they are, corrected those that are written as a version above the first.
func (h *Header) Progress(kept map[int32][]int64, corrected map[int32]map[int64]int32) Progress {
	p := Progress{CommittedBefore: h.CommittedBefore, FencingEpoch: h.FencingEpoch, Earlier: h.Earlier, Meaning: h.Meaning, State: h.State}
	for _, shard := range slices.Sorted(maps.Keys(kept)) {
		for _, id := range kept[shard] {
			if id >= h.CommittedBefore {
				p.Kept = append(p.Kept, Part{id, shard})
			}
		}
	}
	for _, shard := range slices.Sorted(maps.Keys(corrected)) {
		for _, id := range slices.Sorted(maps.Keys(corrected[shard])) {
			p.Corrected = append(p.Corrected, Correction{Part{id, shard}, corrected[shard][id]})
		}
	}
	return p
}

// ReadProgress returns the progress, by its commit log in a topic, that a job began with when it was last begun or recovered:
// what one that goes on from the state it had then must know. It changes nothing. An empty
// commit log knows of none.
func ReadProgress(ctx context.Context, c cluster.Config, topic, job string) (Progress, error) {
	fail := func(err error) (Progress, error) {
		return Progress{}, fmt.Errorf("progress of job %s: %w", job, err)
	}
	logs, err := ReadStable(ctx, c, topic, job)
	if err != nil {
		return fail(err)
	}
	base, kept, corrected := &Header{CommittedBefore: NoID}, map[int32][]int64{}, map[int32]map[int64]int32{}
	for shard, l := range logs {
		if l.Header == nil {
			continue
		}
		if base.Job == "" || l.Header.FencingEpoch < base.FencingEpoch {
			base = l.Header
		}
		kept[shard], corrected[shard] = l.Header.Kept, l.Header.Corrected
	}
	return base.Progress(kept, corrected), nil
}

// ReadStable reads a job's commit log as it is, without a wait for what is left of a run: headers were
// committed before its transactions.
func ReadStable(ctx context.Context, c cluster.Config, topic, job string) (map[int32]*Log, error) {
	opts, err := c.Options()
	if err != nil {
		return nil, err
	}
	client, err := c.Connect(ctx)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	return readStableShards(ctx, client, opts, topic, job)
}
