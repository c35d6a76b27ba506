package source

import (
	"context"
	"fmt"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"

	"tributary/io/record"
	"tributary/io/watermark"
)

// tellEvery is how often a log line says what is waited for.
const tellEvery = 30 * time.Second

// tellWhatIsAwaited says what does not go on: records that are in a log and do not come,
// and the partition that holds the watermark because it has brought nothing, or nothing for
// a while.
func (r *Reader) tellWhatIsAwaited(ctx context.Context, now time.Time) {
	if now.Sub(r.watch.told) < tellEvery {
		return
	}
	holder := r.holder()
	for _, p := range r.parts {
		quiet := now.Sub(p.timedSince)
		if quiet < tellEvery || p.after.done() || p.after.Idle {
			continue
		}
		quiet = quiet.Round(time.Second)
		nothing := "nothing"
		if p.timeless {
			nothing = "nothing that has a usable event time"
		}
		switch {
		case p.unread() && !p.timeless:
			log.Infof(ctx, "%s: nothing came for %s, though the log goes from offset %d to %d: held back by an open transaction, or its broker is slow", p.name(), quiet, p.after.Next, p.end)
		case p.after.Clock == record.NoClock:
			log.Infof(ctx, "%s: %s came yet, for %s: it holds back the watermark, and with it every sample%s", p.name(), nothing, quiet, r.untilIdle())
		case p == holder:
			log.Infof(ctx, "%s: %s came for %s: it holds back the watermark, and with it every sample, at %s%s",
				p.name(), nothing, quiet, watermark.EventTime(r.reached(p)).ToTime().Format(time.RFC3339), r.untilIdle())
		default:
			continue
		}
		r.watch.told = now
	}
}

// reached is the watermark that a partition allows.
func (r *Reader) reached(p *partition) int64 {
	return behind(p.after.Clock.Time(r.leap), r.outOfOrderness)
}

// holder is the partition that holds the reader's watermark: of those that have brought
// something the one furthest behind; nil if there is none.
func (r *Reader) holder() *partition {
	var holder *partition
	for _, p := range r.parts {
		if p.after.Idle || p.after.done() || p.after.Clock == record.NoClock {
			continue
		}
		if holder == nil || r.reached(p) < r.reached(holder) {
			holder = p
		}
	}
	return holder
}

// untilIdle says for how long a partition is waited for.
func (r *Reader) untilIdle() string {
	if r.config.IdleAfter == 0 {
		return ", for as long as nothing comes (idle_timeout would end that)"
	}
	return fmt.Sprintf(", until it is idle, after %s", r.config.IdleAfter)
}
