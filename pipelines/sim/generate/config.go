// Package generate makes input for the join whose right answer is known: views and
// engagements with all that real logs suffer from, and beside them the sample that
// each view must become.
//
// Everything about a view is a function of the seed and the view's number: its time,
// its payload, its engagements, what goes wrong with them. So the files are the same
// bytes on any number of cores, and the truth is written down from what was made up,
// never computed by joining.
//
//	config.go      what is made; kinds.go, schema.go, specfile.go: its kinds, schemas and spec
//	run.go         making it, on all cores; story.go: some views and all that follows from them
//	clock.go, ids.go, random.go: times, ids, chance
//	events.go, record.go: what may go wrong with a record; truth.go, encodetruth.go: what must become of it
//	lane.go        the order in a partition; encode.go, writers.go, files.go, folder.go: files
package generate

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"tributary/io/record"
)

// Order says whether the files that are made have an order, and hence a watermark.
type Order string

// The orders.
const (
	// OrderNone: a partition's files follow each other by name, and nothing is late.
	OrderNone Order = "none"
	// OrderFile: a partition is one file, its records in the order they arrived.
	OrderFile Order = "file"
)

// Codecs are the compressions that files may be written with.
var Codecs = []string{"null", "deflate", "snappy", "zstandard"}

// Config says what to make. Rates are in [0, 1]; where one is "of the views and
// engagements" it is the chance that each single record suffers it.
type Config struct {
	Seed uint64
	// Views is the number of distinct views; duplicates and malformed ones come on top.
	Views int64
	// Start and Duration are the span of the views' event times.
	Start    time.Time
	Duration time.Duration
	// Diurnal is how much the rate of views swings over a day: 0 not at all, 0.5 from half
	// to one and a half times the mean. Its peak is at 18:00 UTC.
	Diurnal float64
	// Kinds are the kinds of engagement.
	Kinds []Kind
	// Users and Items are how many there are; they are drawn from a Zipf distribution with
	// exponent Zipf, which must be over 1.
	Users, Items int64
	Zipf         float64

	// Partitions is the number of partitions of views, and that of engagements.
	Partitions int
	Order      Order
	// Codec compresses the blocks of the files.
	Codec string
	// FileRecords is the number of records after which a partition starts another file;
	// with OrderFile it never does.
	FileRecords int64
	// Evolve writes every other partition with an older schema.
	Evolve bool
	// ViewTime puts the view's time into its engagements.
	ViewTime bool

	// OutOfOrderness, ClockSkew and DuplicatesWithin are what the join will be told; the
	// truth holds for these.
	OutOfOrderness, ClockSkew, DuplicatesWithin time.Duration
	// Disorder is how far in event time records are displaced within their partition. It is
	// less than OutOfOrderness, so that nothing is late by it.
	Disorder time.Duration

	// Duplicates is the rate of views and engagements that are written twice, every other
	// time a view's copy with another payload.
	Duplicates float64
	// Late is the rate of views and engagements that are held back until they are late by
	// their partition's watermark. Without an order they are only displaced.
	Late float64
	// Orphans is the rate of engagements that come with one whose view never does.
	Orphans float64
	// Malformed is the rate of views and engagements that come with a record without a
	// view id or with an impossible time.
	Malformed float64
	// Early is the rate of engagements stamped before their view, by the clock skew at most.
	Early float64
	// Edges is the rate of engagements at an exact edge of the attribution window.
	Edges float64
	// CorruptBlocks is how many blocks of views cannot be read at all; each claims to hold
	// corruptRecords records.
	CorruptBlocks int

	// Out is the folder to write to. Spec writes spec.yaml there, which joins it all.
	Out  string
	Spec bool
}

// Default returns a Config for a quick look: a hundred thousand views in an hour.
func Default() Config {
	kinds, err := ParseKinds("like:10%:median=22s,sigma=1.2 share:1% purchase:0.5%:amount=20", 30*time.Minute)
	if err != nil {
		panic(fmt.Errorf("generate.Default: %w", err))
	}
	return Config{
		Seed: 1, Views: 100_000, Start: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Duration: time.Hour,
		Diurnal: 0.5, Kinds: kinds, Users: 1_000_000, Items: 1_000_000, Zipf: 1.1,
		Partitions: 4, Order: OrderNone, Codec: "snappy", FileRecords: 1_000_000,
		OutOfOrderness: time.Minute, DuplicatesWithin: 10 * time.Second, Spec: true,
	}
}

// Validate reports everything that is wrong with c at once.
func (c *Config) Validate() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	// Beyond 10^11 a view's number would run into those of orphans (see ghost).
	if c.Views < 1 || c.Views > 100_000_000_000 {
		fail("views: must be 1 to 10^11, got %d", c.Views)
	}
	if c.Start.UnixMilli() < time.Hour.Milliseconds() || c.Start.Add(c.Duration).UnixMilli() > record.MaxTime/2 {
		fail("start, duration: event times must lie in 1970 to 2084, got %s and %s", c.Start.Format(time.RFC3339), c.Duration)
	}
	if c.Duration < time.Millisecond {
		fail("duration: must be at least 1ms, got %s", c.Duration)
	}
	if !(c.Diurnal >= 0 && c.Diurnal < 1) {
		fail("diurnal: must be in [0, 1), got %v", c.Diurnal)
	}
	if c.Users < 1 || c.Items < 1 || !(c.Zipf > 1 && c.Zipf <= 100) {
		fail("users, items, zipf: at least one of each and an exponent in (1, 100], got %d, %d and %v", c.Users, c.Items, c.Zipf)
	}
	if c.Evolve && (c.Users > 1<<31-1) {
		fail("users: the older schema holds them as int, so 2147483647 at most with evolve, got %d", c.Users)
	}
	if c.Partitions < 1 || c.Partitions > 10_000 {
		fail("partitions: must be 1 to 10000, got %d", c.Partitions)
	}
	if c.Order != OrderNone && c.Order != OrderFile {
		fail("order: must be %s or %s, got %q", OrderNone, OrderFile, c.Order)
	}
	if !slices.Contains(Codecs, c.Codec) {
		fail("codec: must be one of %v, got %q", Codecs, c.Codec)
	}
	if c.FileRecords < 1 {
		fail("file-records: must be positive, got %d", c.FileRecords)
	}
	if c.Evolve && c.Partitions < 2 {
		fail("evolve: every other partition is older, so it needs at least 2 partitions, got %d", c.Partitions)
	}
	if c.CorruptBlocks < 0 || c.CorruptBlocks > 1_000_000 {
		fail("corrupt-blocks: must be 0 to 1000000, got %d", c.CorruptBlocks)
	}
	errs = append(errs, c.validateTimes(), c.validateRates(), c.validateKinds())
	return errors.Join(errs...)
}

func (c *Config) validateTimes() error {
	var errs []error
	for _, d := range []struct {
		name string
		d    time.Duration
	}{
		{"out-of-orderness", c.OutOfOrderness},
		{"clock-skew", c.ClockSkew},
		{"duplicates-within", c.DuplicatesWithin},
		{"disorder", c.Disorder},
	} {
		if d.d < 0 || d.d > maxSpan || d.d%time.Millisecond != 0 {
			errs = append(errs, fmt.Errorf("%s: must be whole milliseconds, 0 to %s, got %s", d.name, maxSpan, d.d))
		}
	}
	if c.Disorder > 0 && c.Disorder >= c.OutOfOrderness {
		errs = append(errs, fmt.Errorf("disorder: must be less than out-of-orderness %s, or records would be late by it, got %s", c.OutOfOrderness, c.Disorder))
	}
	return errors.Join(errs...)
}

func (c *Config) validateRates() error {
	var errs []error
	for _, r := range []struct {
		name string
		rate float64
	}{
		{"duplicates", c.Duplicates},
		{"late", c.Late},
		{"orphans", c.Orphans},
		{"malformed", c.Malformed},
		{"early", c.Early},
		{"edges", c.Edges},
	} {
		if !(r.rate >= 0 && r.rate <= 1) {
			errs = append(errs, fmt.Errorf("%s: must be a rate in [0, 1], got %v", r.name, r.rate))
		}
	}
	if c.Early+c.Edges > 1 {
		errs = append(errs, fmt.Errorf("early, edges: together at most 1, got %v and %v", c.Early, c.Edges))
	}
	if c.Early > 0 && c.ClockSkew == 0 {
		errs = append(errs, errors.New("early: an engagement before its view counts only within the clock skew, which is 0"))
	}
	return errors.Join(errs...)
}

func (c *Config) validateKinds() error {
	var errs []error
	if len(c.Kinds) == 0 || len(c.Kinds) > maxKinds {
		errs = append(errs, fmt.Errorf("kinds: must be 1 to %d, got %d", maxKinds, len(c.Kinds)))
	}
	named := map[string]bool{}
	for _, k := range c.Kinds {
		if named[k.Name] {
			errs = append(errs, fmt.Errorf("kinds: %s is there twice", k.Name))
		}
		named[k.Name] = true
		errs = append(errs, k.Validate())
	}
	return errors.Join(errs...)
}

// ExpectedEvents is about how many records Run will write: for progress, no more.
func (c *Config) ExpectedEvents() int64 {
	perView := 1 + c.Duplicates + c.Malformed
	for _, k := range c.Kinds {
		perView += k.Rate / (1 - k.Repeat) * (1 + c.Duplicates + c.Malformed + c.Orphans)
	}
	return int64(float64(c.Views) * perView)
}
