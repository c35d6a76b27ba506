package job

import (
	"strings"
	"time"
)

// Stamp is a time in the name of a file; milliseconds may follow the seconds.
const Stamp = "20060102T150405Z"

// IntervalFile names a file of what happened in [from, to) ms, in the folder of its day below root:
// root/dt=2026-01-02/kind-20260102T030000Z-20260102T040000Z and an ending. A rerun gives the same name.
func IntervalFile(root, kind string, from, to int64, ending string) string {
	// Not path.Join, which would take a slash from gs://.
	return strings.TrimSuffix(root, "/") + "/dt=" + time.UnixMilli(from).UTC().Format("2006-01-02") + "/" + kind + "-" + stampOf(from) + "-" + stampOf(to) + ending
}

func stampOf(ms int64) string {
	if ms%1000 == 0 {
		return time.UnixMilli(ms).UTC().Format(Stamp)
	}
	return time.UnixMilli(ms).UTC().Format("20060102T150405.000Z")
}
