package generate

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
)

// encoder makes the payload of records and writes them in Avro's binary encoding. By
// hand, because this is where the time goes: a view has two dozen values.
type encoder struct {
	*model
	older    bool // the older schemas
	nullable bool // view id and time are unions with null
	dice     *dice
	users    *rand.Zipf
	items    *rand.Zipf
}

func newEncoder(m *model, partition int) *encoder {
	e := &encoder{model: m, older: m.olderPartition(partition), nullable: m.Malformed > 0, dice: newDice()}
	// Offset 10 keeps the first ids from taking most of everything.
	e.users = rand.NewZipf(e.dice.Rand, m.Zipf, 10, uint64(m.Users-1))
	e.items = rand.NewZipf(e.dice.Rand, m.Zipf, 10, uint64(m.Items-1))
	return e
}

// olderPartition tells whether an older program wrote the partition: every other one.
func (c *Config) olderPartition(partition int) bool { return c.Evolve && partition%2 == 1 }

// features is the number of floats in a view.
const features = 16

var surfaces = [...]string{"home", "video", "profile", "search"}

// page draws where on which page a view was shown; one written a second time from the
// start was shown elsewhere.
func (d *dice) page(seed uint64, view int64, differing bool) (surface string, pos int64) {
	d.place(seed, topicPayload, view)
	x := d.Uint64()
	pos = int64(x >> 32 % 50)
	if differing {
		pos += 50
	}
	return surfaces[x%uint64(len(surfaces))], pos
}

// appendView appends the record of a view.
func (e *encoder) appendView(out []byte, r *rec) []byte {
	surface, pos := e.dice.page(e.Seed, r.view, r.fate == fateDuplicateDiffering)
	user, item := int64(e.users.Uint64()), int64(e.items.Uint64())
	out = e.appendID(out, r)
	if e.older {
		out = binary.AppendVarint(out, pos)
	}
	out = binary.AppendVarint(out, user)
	out = binary.AppendVarint(out, item)
	out = e.appendTime(out, r)
	if !e.older {
		out = appendText(out, surface)
		out = binary.AppendVarint(out, pos)
	}
	out = binary.AppendVarint(out, features)
	for range features / 4 {
		for x, i := e.dice.Uint64(), 0; i < 4; i++ {
			hundredths := uint16(x>>(16*i)) % 101
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(float32(hundredths)/100))
		}
	}
	return append(out, 0) // no more items
}

// appendEngagement appends the record of an engagement.
func (e *encoder) appendEngagement(out []byte, r *rec) []byte {
	k := &e.Kinds[r.kind]
	amount := e.dice.amount(e.Seed, k.Amount, eventKey(r))
	out = e.appendID(out, r)
	if e.ViewTime {
		out = binary.AppendVarint(out, r.viewTime)
	}
	if e.older {
		out = e.appendEventID(out, r)
	}
	out = appendText(out, k.Name)
	out = e.appendTime(out, r)
	if e.older {
		return binary.LittleEndian.AppendUint32(out, math.Float32bits(float32(amount)))
	}
	out = binary.LittleEndian.AppendUint64(out, math.Float64bits(amount))
	return e.appendEventID(out, r)
}

const (
	branchNull  = 0 // zigzag 0
	branchValue = 2 // zigzag 1
)

func (e *encoder) appendID(out []byte, r *rec) []byte {
	if e.nullable {
		if r.fault == faultNoID {
			return append(out, branchNull)
		}
		out = append(out, branchValue)
	}
	out = binary.AppendVarint(out, idLength)
	return appendViewID(out, e.Seed, r.view)
}

func (e *encoder) appendTime(out []byte, r *rec) []byte {
	at := r.time
	if e.nullable {
		if r.fault == faultNoTime {
			return append(out, branchNull)
		}
		out = append(out, branchValue)
		if r.fault == faultTime {
			at = impossibleTimes[r.view%int64(len(impossibleTimes))]
		}
	}
	return binary.AppendVarint(out, at)
}

func (e *encoder) appendEventID(out []byte, r *rec) []byte {
	out = binary.AppendVarint(out, eventIDLength)
	return appendEventID(out, e.Seed, eventKey(r))
}

func appendText(out []byte, s string) []byte {
	return append(binary.AppendVarint(out, int64(len(s))), s...)
}
