package timeindex

import (
	"tributary/io/record"
)

// Position is a place in a partition's log.
type Position struct {
	// Offset of the next record.
	Offset int64
	// Clock is the partition's clock before it; record.NoClock if that is not known.
	Clock record.Clock
}
