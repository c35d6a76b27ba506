package chaos

import (
	"math/rand/v2"
	"time"
)

// Planned is a fault at its place in a schedule.
type Planned struct {
	Fault
	// Pause is the wait before it, from the recovery of the one before.
	Pause time.Duration
	// Seed is that of the fault's own choices.
	Seed uint64
}

// longestPause makes the moment random against checkpoints (every 2 s), slices and buckets.
const longestPause = 5 * time.Second

// Schedule plans n faults of groups of kinds. It depends on the seed alone, and each run of
// len(groups) of them has every group once; the kinds of a group take turns.
func Schedule(groups [][]Fault, seed uint64, n int) []Planned {
	random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // a schedule is to be repeated
	turns := make([]int, len(groups))
	for i, group := range groups {
		turns[i] = random.IntN(len(group))
	}
	var plan []Planned
	for len(plan) < n {
		for _, i := range random.Perm(len(groups)) {
			turns[i]++
			plan = append(plan, Planned{
				Fault: groups[i][turns[i]%len(groups[i])],
				Pause: time.Duration(random.Int64N(int64(longestPause))),
				Seed:  random.Uint64(),
			})
		}
	}
	return plan[:n]
}
