package recipe

import (
	"encoding/binary"

	"github.com/zeebo/xxh3"
)

// Told remembers which views had a positive sample, for Sample.Told: of a view that was positive and changes again, say
// from one like to two, there is one more version, and it is not one more positive view.
//
// Where no label changes twice, with one kind and the label binary, and later stages write what has changed, every
// positive of a later stage is the view's first, and a trainer needs no Told. Otherwise it needs one for as long as
// versions of a view come, the longest window: 16 bytes and a little for each positive view.
type Told struct{ positive map[xxh3.Uint128]struct{} }

// Meet takes samples of all views, the versions of a view in their order, and returns whether an earlier version of
// this one was positive. Id and time name a view.
func (t *Told) Meet(viewID string, viewTime int64, positive bool) bool {
	key := binary.LittleEndian.AppendUint64(nil, uint64(viewTime))
	view := xxh3.HashString128(string(append(key, viewID...)))
	_, told := t.positive[view]
	if positive && !told {
		if t.positive == nil {
			t.positive = map[xxh3.Uint128]struct{}{}
		}
		t.positive[view] = struct{}{}
	}
	return told
}
