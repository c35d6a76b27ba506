package record

// Clock is what the records of a partition's log up to some place tell of event time: the two
// largest event times among them. Two, because one record can be from a clock that is
// wrong, and a watermark that has followed it cannot go back: the largest counts only once
// another record has come within a leap of it. So a single record from the future makes
// nothing late. Several at once are for the bound of how far ahead of the time of its
// writing a record may be.
//
// A clock is a function of the log alone, and never goes back.
type Clock struct {
	// Largest and Second are in ms, NoTime before the first record. The first record of a log
	// is both: there is nothing else to hold it against.
	Largest, Second int64
}

// NoClock is the clock before any record with an event time.
var NoClock = Clock{NoTime, NoTime}

// Add takes the next record's event time; NoTime is none.
func (c *Clock) Add(t int64) {
	switch {
	case t == NoTime:
	case c.Largest == NoTime:
		*c = Clock{t, t}
	case t <= c.Second:
	case t > c.Largest:
		*c = Clock{t, c.Largest}
	default:
		c.Second = t
	}
}

// Time is the event time that the log has come to, NoTime before the first: Largest, unless
// it is more than leap (ms) ahead of all others, and then Second. A leap of 0 bounds nothing.
func (c Clock) Time(leap int64) int64 {
	if leap > 0 && c.Largest != NoTime && c.Largest-c.Second > leap {
		return c.Second
	}
	return c.Largest
}

// RangeClock is the clock of a piece of a log whose beginning may lie elsewhere.
type RangeClock struct {
	// First is the event time of the piece's first record that has one.
	First int64
	// Clock is of the piece alone; its first record is not counted twice.
	Clock
}

// NoRangeClock is that of a piece without event times.
var NoRangeClock = RangeClock{NoTime, NoClock}

// Add takes the next record's event time; NoTime is none.
func (s *RangeClock) Add(t int64) {
	switch {
	case t == NoTime:
	case s.First == NoTime:
		s.First, s.Largest = t, t
	default:
		s.Clock.Add(t)
	}
}

// Append moves the clock over the piece of the log that follows.
func (c *Clock) Append(s RangeClock) {
	if s.First == NoTime {
		return
	}
	if *c == NoClock {
		c.Add(s.First)
	}
	c.Add(s.Second)
	c.Add(s.Largest)
}
