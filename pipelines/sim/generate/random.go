package generate

import (
	"math"
	"math/rand/v2"
)

// dice are random numbers that can be set to a known place, at the price of one
// multiplication: each view has its own, wherever and whenever it is made.
type dice struct {
	state uint64
	*rand.Rand
}

func newDice() *dice {
	d := &dice{}
	d.Rand = rand.New(d)
	return d
}

// Uint64 is splitmix64: a counter, scrambled.
func (d *dice) Uint64() uint64 {
	d.state += 0x9e3779b97f4a7c15
	return mix(d.state)
}

// topic keeps what is drawn for one purpose apart from the rest: another draw in one
// place then changes nothing elsewhere.
type topic uint64

const (
	topicTime topic = iota + 1
	topicStory
	topicPayload
	topicAmount
	topicID
)

// place sets the dice to those of the view, or other thing, of that number.
func (d *dice) place(seed uint64, about topic, number int64) {
	d.state = mix(mix(seed+uint64(about)*0xd1342543de82ef95) + uint64(number))
}

// chance is true at the given rate. A rate of 0 or 1 costs no draw.
func (d *dice) chance(rate float64) bool {
	return rate > 0 && (rate >= 1 || d.Float64() < rate)
}

// upTo draws from 0..n.
func (d *dice) upTo(n int64) int64 {
	if n <= 0 {
		return 0
	}
	return d.Int64N(n + 1)
}

// delay draws a log-normal delay in milliseconds below limit, which is over the median.
func (d *dice) delay(medianMs, sigma float64, limit int64) int64 {
	for {
		if ms := medianMs * math.Exp(sigma*d.NormFloat64()); ms < float64(limit) {
			return int64(ms)
		}
	}
}

// mix scrambles 64 bits, one to one (the finalizer of splitmix64).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
