package rules

import "github.com/zeebo/xxh3"

// HashID hashes a view's id: its shard and whether a negative is kept follow from that.
func HashID(id []byte) uint64 { return xxh3.Hash(id) }

// Keeps decides by the view's hash alone, so that every run and every copy agrees.
func Keeps(hash uint64, rate float64) bool {
	return float64(mix(hash)>>11)/(1<<53) < rate
}

// mix makes a hash independent of the one shards are chosen by (splitmix64's finalizer).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// SampleOf is one view in how many InSample takes, for figures too dear to compute exactly.
const SampleOf = 256

// InSample tells whether a view is one of the 1 in SampleOf looked at more closely. It
// depends on the id alone.
func InSample(id []byte) bool { return mix(HashID(id)^0x5851f42d4c957f2d)%SampleOf == 0 }
