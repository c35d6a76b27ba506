package bucket

import "slices"

const (
	digitBits = 11
	digits    = 1 << digitBits
	// fewKeys are sorted faster by comparing them: counting takes a pass over all digits.
	fewKeys = 256
)

// sortTimes sorts keys whose upper halves are times and whose lower halves ascend: digit by digit of the times,
// from the lowest on, each stable. It returns the sorted keys and the other of the two slices.
func sortTimes(keys, room []uint64) (sorted, other []uint64) {
	if len(keys) < fewKeys {
		slices.Sort(keys)
		return keys, room
	}
	room = slices.Grow(room[:0], len(keys))[:len(keys)]
	largest := slices.Max(keys) >> 32
	for shift := 32; largest > 0; shift, largest = shift+digitBits, largest>>digitBits {
		var ends [digits]int32
		for _, k := range keys {
			ends[k>>shift%digits]++
		}
		at := int32(0)
		for d, n := range ends {
			ends[d] = at
			at += n
		}
		for _, k := range keys {
			d := k >> shift % digits
			room[ends[d]] = k
			ends[d]++
		}
		keys, room = room, keys
	}
	return keys, room
}
