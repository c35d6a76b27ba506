package source

import (
	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/mtime"

	"tributary/io/record"
)

// EventTime turns ms into Beam's event time.
func EventTime(ms int64) beam.EventTime {
	if ms == record.NoTime {
		return mtime.MinTimestamp
	}
	return mtime.FromMilliseconds(ms)
}
