package chaos

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

// described are the parts of a schedule that can be compared.
func described(plan []Planned) []string {
	var lines []string
	for _, p := range plan {
		lines = append(lines, fmt.Sprint(p.Kind, p.Pause, p.Seed))
	}
	return lines
}

func TestScheduleIsAFunctionOfTheSeed(t *testing.T) {
	assert.Equal(t, described(Schedule(Kinds(), 7, 100)), described(Schedule(Kinds(), 7, 100)))
	assert.Equal(t, described(Schedule(Kinds(), 7, 100))[:30], described(Schedule(Kinds(), 7, 30)), "a shorter one is the beginning of a longer one")
	assert.NotEqual(t, described(Schedule(Kinds(), 7, 100)), described(Schedule(Kinds(), 8, 100)))
}

func TestScheduleHasEveryKind(t *testing.T) {
	groups := Kinds()
	for seed := range uint64(50) {
		times := map[string]int{}
		for _, p := range Schedule(groups, seed, len(groups)) {
			times[p.Kind]++
			assert.Less(t, p.Pause, longestPause)
		}
		for _, group := range groups {
			sum := 0
			for _, f := range group {
				sum += times[f.Kind]
			}
			assert.Equal(t, 1, sum, "seed %d, %s", seed, group[0].Kind)
		}
		times = map[string]int{}
		for _, p := range Schedule(groups, seed, 3*len(groups)) {
			times[p.Kind]++
		}
		for _, group := range groups {
			for _, f := range group {
				assert.Positive(t, times[f.Kind], "seed %d, %s", seed, f.Kind)
			}
		}
	}
}
