package main

import (
	"container/heap"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/zeebo/xxh3"
)

// The schemas of what traffic makes; join.sql of the control says the same.
const (
	viewSchema = `{"type":"record","name":"View","fields":[{"name":"view_id","type":"string"},{"name":"user_id","type":"long"},{"name":"post_id","type":"long"},
	{"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"surface","type":"string"},{"name":"pos","type":"int"},
	{"name":"features","type":{"type":"array","items":"float"}}]}`
	engagementSchema = `{"type":"record","name":"Engagement","fields":[{"name":"view_id","type":"string"},{"name":"kind","type":"string"},
	{"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"amount","type":"double"}]}`
)

const (
	features = 16
	// engagedOneIn views gets an engagement, and only one: a second would be a second row in
	// SQL, and is none in a sample.
	engagedOneIn = 10
	partitions   = 4
)

// event is a record of views or engagements.
type event struct {
	view      bool
	partition int32
	ms        int64 // event time
	id        []byte
	value     []byte
}

// traffic makes views at a steady rate and their engagements, in the order of event time. The
// same seed gives the same events, moved by the start.
type traffic struct {
	start   time.Time
	perView time.Duration
	window  time.Duration
	random  *rand.Rand
	views   int64
	pending engagements
}

// viewsOf is how many of a number of events are views.
func viewsOf(events float64) float64 { return events * engagedOneIn / (engagedOneIn + 1) }

func newTraffic(start time.Time, viewsPerSecond float64, window time.Duration) *traffic {
	return &traffic{
		start: start, perView: time.Duration(float64(time.Second) / viewsPerSecond), window: window,
		random: rand.New(rand.NewPCG(1, 2)), //nolint:gosec // the same each time, on purpose
	}
}

func (t *traffic) next() event {
	at := t.start.Add(time.Duration(t.views) * t.perView).UnixMilli()
	if len(t.pending) > 0 && t.pending[0].ms <= at {
		return heap.Pop(&t.pending).(event)
	}
	e := t.view(at)
	t.views++
	if t.random.IntN(engagedOneIn) == 0 {
		heap.Push(&t.pending, t.engagement(e))
	}
	return e
}

func (t *traffic) view(ms int64) event {
	hash := t.random.Uint64()
	id := fmt.Appendf(nil, "%016x", hash)
	v := appendText(make([]byte, 0, 112), id)
	v = binary.AppendVarint(v, t.random.Int64N(1<<30))
	v = binary.AppendVarint(v, t.random.Int64N(1<<30))
	v = binary.AppendVarint(v, ms)
	v = appendText(v, []byte("feed"))
	v = binary.AppendVarint(v, t.random.Int64N(40))
	v = binary.AppendVarint(v, features)
	for i := range features {
		v = binary.LittleEndian.AppendUint32(v, math.Float32bits(t.feature(i)))
	}
	return event{view: true, partition: int32(hash % partitions), ms: ms, id: id, value: append(v, 0)}
}

// feature makes features as they are logged: a quarter are counts, half are rates to two
// places, and a quarter are scores of models with all digits, which nothing can compress.
func (t *traffic) feature(i int) float32 {
	switch i % 4 {
	case 0:
		return float32(math.Floor(3 * t.random.ExpFloat64()))
	case 1:
		return t.random.Float32()
	default:
		return float32(math.Round(100*t.random.Float64()) / 100)
	}
}

// engagement follows its view soon, mostly, and always within the window.
func (t *traffic) engagement(view event) event {
	delay := time.Duration(t.random.ExpFloat64() * float64(t.window) / 10)
	ms := view.ms + min(delay, t.window-time.Millisecond).Milliseconds()
	v := appendText(make([]byte, 0, 40), view.id)
	v = appendText(v, []byte("like"))
	v = binary.AppendVarint(v, ms)
	v = binary.LittleEndian.AppendUint64(v, math.Float64bits(1))
	return event{partition: view.partition, ms: ms, id: view.id, value: v}
}

func appendText(dst, text []byte) []byte {
	return append(binary.AppendVarint(dst, int64(len(text))), text...)
}

// engagements to come, a heap by event time.
type engagements []event

func (h engagements) Len() int           { return len(h) }
func (h engagements) Less(i, j int) bool { return h[i].ms < h[j].ms }
func (h engagements) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *engagements) Push(e any)        { *h = append(*h, e.(event)) }
func (h *engagements) Pop() any {
	old := *h
	e := old[len(old)-1]
	*h = old[:len(old)-1]
	return e
}

// truth is what a join of the first events must give.
type truth struct {
	views, engagements int64
	// digest is the sum of the digests of the samples, in any order, copied that of the events themselves.
	digest, copied uint64
	// ends are the offsets behind the events, by partition.
	viewEnds, engagementEnds [partitions]int64
	// last is the largest event time.
	last int64
}

func (t *truth) add(e event) {
	t.last = max(t.last, e.ms)
	t.copied += digest(e.value, false)
	if e.view {
		t.views++
		t.viewEnds[e.partition]++
		t.digest += digest(e.id, false)
		return
	}
	t.engagements++
	t.engagementEnds[e.partition]++
	t.digest += digest(e.id, true) - digest(e.id, false)
}

func (t *truth) events() int64 { return t.views + t.engagements }

// outcome is what must be written: how many records, but for corrections, and the sum of their digests.
type outcome struct {
	records int64
	digest  uint64
}

// samples are those of a join, one for each view.
func (t truth) samples() outcome { return outcome{t.views, t.digest} }

// copies are the events as they are.
func (t truth) copies() outcome { return outcome{t.events(), t.copied} }

func digest(id []byte, positive bool) uint64 {
	seed := uint64(0)
	if positive {
		seed = 1
	}
	return xxh3.HashSeed(id, seed)
}
