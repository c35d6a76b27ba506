package sink

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/stretchr/testify/require"

	"tributary/io/kafkaio/commitlog"
)

// check holds what a consumer of committed records sees against the commit log.
func (h *history) check() {
	t := h.t
	type place struct {
		shard int32
		id    int64
	}
	type version struct {
		place
		number int
	}
	contents := map[version]map[string]int{} // how often each "record=variant" is there
	for _, r := range h.CommittedRecords(h.w.Topic) {
		var v version
		var i int
		_, err := fmt.Sscanf(string(r.Key), "%d/%d/%d", &v.shard, &v.id, &i)
		require.NoError(t, err)
		v.number, err = strconv.Atoi(string(r.Headers[0].Value))
		require.NoError(t, err)
		if contents[v] == nil {
			contents[v] = map[string]int{}
		}
		contents[v][fmt.Sprintf("%d=%s", i, r.Value)]++
	}
	last := map[place]commitlog.Entry{}
	entries := map[version]commitlog.Entry{}
	heads := map[int32]bool{}
	for _, r := range h.CommittedRecords(h.w.CommitLog) {
		if r.Value == nil {
			continue // let go; its samples stay
		}
		if string(r.Key) == commitlog.HeaderKey {
			require.False(t, heads[r.Partition], "a second header of shard %d", r.Partition)
			heads[r.Partition] = true
			continue
		}
		require.True(t, heads[r.Partition], "shard %d begins without a header", r.Partition)
		shard, id, err := commitlog.ParseKey(r.Key)
		require.NoError(t, err)
		e, _, _, err := commitlog.ParseValue(r.Value)
		require.NoError(t, err)
		at := place{shard, id}
		before := last[at]
		switch {
		case before.Partial && e.Version == before.Version:
			require.True(t, e.Records > before.Records || !e.Partial && e.Records == before.Records, "commit log of %v: %v goes on from %v", at, e, before)
			h.seen["in parts"]++
		default:
			require.Equal(t, before.Version+1, e.Version, "commit log of %v: versions follow each other", at)
			require.True(t, before.Partial || before.Digest != e.Digest, "commit log of %v: version %d is no change", at, e.Version)
		}
		last[at] = e
		entries[version{at, int(e.Version)}] = e
	}
	for v := range contents {
		require.Contains(t, entries, v, "samples without a commit log entry: %v", contents[v])
	}
	for _, bundle := range h.bundles {
		for _, w := range bundle {
			at := place{w.shard, w.id}
			newest := int(last[at].Version)
			require.Equal(t, makeGroup(t, w.shard, w.id, w.size, w.variant).digest, last[at].Digest, "group %v: the commit log holds what was written last", at)
			require.False(t, last[at].Partial, "group %v is not whole", at)
			for n := 1; n <= newest; n++ {
				v := version{at, n}
				found := false
				for variant := 0; variant <= w.variant && !found; variant++ {
					g, e := makeGroup(t, w.shard, w.id, w.size, variant), entries[v]
					var err error
					found, err = g.begins(e)
					require.NoError(t, err)
					if found {
						if e.Partial {
							h.seen["left in part"]++
						}
						require.Equal(t, firstRecords(t, g, e.Records), contents[v], "group %v, version %d: every record once", at, n)
					}
				}
				require.True(t, found, "group %v, version %d: content nobody wrote", at, n)
			}
		}
	}
	for _, a := range h.acks {
		e, ok := entries[version{place{a.Shard, a.ID}, int(a.Version)}]
		require.True(t, ok && !e.Partial, "acknowledged and not in the commit log: %+v", a)
		require.Equal(t, e.Records, a.Records)
	}
	require.True(t, h.Stable(h.w.Topic) && h.Stable(h.w.CommitLog), "a transaction lingers")
}

// firstRecords are the first records of a group as contents has them, nil for none.
func firstRecords(t require.TestingT, g *group, n int64) map[string]int {
	var found map[string]int
	for _, part := range g.parts {
		for rest := part; len(rest) > 0 && n > 0; n-- {
			var key, value []byte
			var err error
			key, value, _, rest, err = nextRecord(rest)
			require.NoError(t, err)
			if found == nil {
				found = map[string]int{}
			}
			found[string(key[bytes.LastIndexByte(key, '/')+1:])+"="+string(value)]++
		}
	}
	return found
}
