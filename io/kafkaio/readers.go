package kafkaio

import (
	"time"

	"tributary/io/kafkaio/source"
	"tributary/io/pool"
)

// readerKey names a reader among all of a process.
type readerKey struct {
	job   string
	index int
}

// readers are those of this process, kept between calls. One that nobody calls is closed after a
// minute.
var readers = &pool.Pool[readerKey, *source.Reader]{Idle: time.Minute, Close: (*source.Reader).Close}

// share is the part of a poll budget that one of a job's readers may take so that all of them get their
// turn in it: those of a process share its processors.
func share(slice time.Duration, readers, processors int) time.Duration {
	rounds := max(1, (readers+processors-1)/processors)
	return max(slice/time.Duration(rounds), min(slice, shortestPoll))
}

// shortestPoll: below that a call costs more than it reads.
const shortestPoll = 200 * time.Millisecond
