package iotest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Group is what a sink writes as one: all records of one shard with one ID. For a sink of topics it is a
// transaction, or some; for a sink of files a file.
type Group struct {
	Shard   int32
	ID      int64
	Records []Record
}

// Record is a record of a group. Its key says which group it is of, and where in it: "shard/id/index".
type Record struct{ Key, Value string }

// Sink is a sink as the suite sees it.
type Sink struct {
	// New makes a place to write to, empty and for one test alone.
	New func(t testing.TB) Target
	// AtLeastOnce says that what is written again may be there again.
	AtLeastOnce bool
	// Largest is how long the value of a record may be that the place takes, and TooLarge is how long
	// one is that it does not take; 0 if it takes any, up to a size that nobody writes.
	Largest, TooLarge int
	// Virtual says that all of it works in a bubble of testing/synctest.
	Virtual bool
	// Every has the suite disturb every so many steps only, for backends that take their time; 0 is 1.
	Every int
}

// Target is a place that a sink writes to.
type Target interface {
	// Open starts a process with the sink. It is the only one, unless those before it were left behind:
	// whoever opened one may have been given up by its runner, and still be at work.
	Open(t testing.TB, steps *Steps) Process
	// Read returns what consumers can read once nobody writes, in the order in which they get it.
	Read(t testing.TB) []Record
}

// Process is a process with a sink.
type Process interface {
	// Write writes the groups of one bundle, and returns how many of them it acknowledged, and the
	// records that it left out because the place does not take them. An error fails the bundle: the
	// runner tries it again, here or in another process. It is an error if the process has died.
	Write(ctx context.Context, groups []Group) (acknowledged int, refused []Record, err error)
	// Close ends the process in an orderly way.
	Close()
}

// RunSink runs the suite for sinks.
func RunSink(t *testing.T, s Sink) { run(t, sinkClauses, s, s.Virtual) }

// group makes a group of the suite of records with values of a length or more.
func group(shard int32, id int64, records, length int) Group {
	g := Group{Shard: shard, ID: id}
	for i := range records {
		value := fmt.Sprintf("value %d of %d in %d ", i, id, shard)
		g.Records = append(g.Records, Record{Key: fmt.Sprintf("%d/%d/%04d", shard, id, i), Value: value + strings.Repeat("x", max(0, length-len(value)))})
	}
	return g
}

// groups are those of the usual bundle of the suite: of two shards, one of them empty.
func groups() []Group {
	return []Group{group(0, 1000, 3, 0), group(1, 1000, 2, 0), group(0, 2000, 0, 0), group(1, 3000, 4, 0)}
}

// recordsOf are the records of groups.
func recordsOf(groups ...Group) (all []Record) {
	for _, g := range groups {
		all = append(all, g.Records...)
	}
	return all
}

func sortRecords(all []Record) []Record {
	slices.SortStableFunc(all, func(a, b Record) int { return cmp.Compare(a.Key, b.Key) })
	return all
}

// holds fails unless the target holds records: each once, or at least once.
func (s Sink) holds(t testing.TB, target Target, want []Record, msg ...any) {
	t.Helper()
	got := sortRecords(target.Read(t))
	if s.AtLeastOnce {
		got = slices.Compact(got)
	}
	require.Equal(t, short(sortRecords(slices.Clone(want))), short(got), msg...)
}

// short is records with long values told by their lengths.
func short(all []Record) []string {
	out := []string{}
	for _, r := range all {
		value := r.Value
		if len(value) > 100 {
			value = fmt.Sprintf("%s... %d bytes", value[:40], len(value))
		}
		out = append(out, r.Key+"="+value)
	}
	return out
}

// writes has a process write groups, which it must.
func writes(t testing.TB, p Process, groups []Group) []Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	acknowledged, refused, err := p.Write(ctx, groups)
	require.NoError(t, err)
	require.Equal(t, len(groups), acknowledged, "groups that were acknowledged")
	return refused
}

// settles writes groups by processes that nobody disturbs, and again if that fails, as a runner does: what
// is left of those before may still be in the way.
func settles(t testing.TB, target Target, groups []Group) {
	t.Helper()
	for try := 1; ; try++ {
		p := target.Open(t, nil)
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		acknowledged, _, err := p.Write(ctx, groups)
		cancel()
		p.Close()
		if err == nil {
			require.Equal(t, len(groups), acknowledged, "groups that were acknowledged")
			return
		}
		require.Less(t, try, 5, "a bundle fails again and again: %v", err)
	}
}
