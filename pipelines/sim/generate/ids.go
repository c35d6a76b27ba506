package generate

import "math"

const (
	idLength      = 8 + 1 + 12
	eventIDLength = 16
)

// idPrefix is what spreads the ids of views that follow each other.
func idPrefix(seed uint64, view int64) uint32 {
	return uint32(mix(mix(seed+uint64(topicID)) + uint64(view)))
}

// appendViewID appends the id of a view: eight hexadecimal digits, a dash, and its
// number in twelve digits.
func appendViewID(out []byte, seed uint64, view int64) []byte {
	out = appendHex(out, uint64(idPrefix(seed, view)), 8)
	out = append(out, '-')
	var digits [12]byte
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i] = byte('0' + view%10)
		view /= 10
	}
	return append(out, digits[:]...)
}

// eventKey numbers the engagements, each view's by kind and repeat.
func eventKey(r *rec) int64 {
	return (r.view*maxKinds+int64(r.kind))*maxRepeats + int64(r.repeat)
}

// appendEventID appends the id of an engagement. No two keys give the same id.
func appendEventID(out []byte, seed uint64, key int64) []byte {
	return appendHex(out, mix(uint64(key)^mix(seed)), eventIDLength)
}

func appendHex(out []byte, x uint64, digits int) []byte {
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		out = append(out, "0123456789abcdef"[x>>shift&15])
	}
	return out
}

// amount draws the amount of an engagement, a multiple of 1/4 with about the given mean;
// without a mean it is 1.
func (d *dice) amount(seed uint64, mean float64, key int64) float64 {
	if mean == 0 {
		return 1
	}
	d.place(seed, topicAmount, key)
	return math.Ceil(4*mean*d.ExpFloat64()) / 4
}
