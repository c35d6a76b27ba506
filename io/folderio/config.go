package folderio

import (
	"errors"
	"fmt"
	"time"

	"tributary/io/format"
)

// NoID is the ID before which nothing is known to be written.
const NoID = -1 << 63

// Config says where and how to write.
type Config struct {
	// Path of the folder, local, gs://, s3:// or az://.
	Path string
	// Job is the job's name, the same over restarts.
	Job string
	// Format, Codec and Schema say how files are written; what is JSON already is written as it is.
	Format string
	Codec  string `json:",omitempty"`
	Schema string `json:",omitempty"`
	// Step is the distance between the IDs of successive groups, the length of a bucket in ms, and Shards how many
	// groups there are of an ID.
	Step   int64
	Shards int32
	// Compact is the length of the intervals, in ms, whose groups are put together in a file for each shard; 0 gives
	// each group a file. It is a multiple of Step.
	Compact int64 `json:",omitempty"`
	// Hourly puts files into folders of hours, in those of days.
	Hourly bool `json:",omitempty"`
	// FencingEpoch is the number of the run's log: see Begin and Recover. A writer of an earlier one stops.
	FencingEpoch int64
	// ProvisionalFrom, if set, is the ID from which on groups may be written again with other content: NoteProgress
	// does not note them.
	ProvisionalFrom int64 `json:",omitempty"`
	// Meaning is what gives the content of groups its meaning, State what else the state of a run depends on that goes
	// on from one, as text by name. The log keeps both.
	Meaning, State map[string]string `json:",omitempty"`
}

// Validate returns all that is wrong with c.
func (c *Config) Validate() error {
	var errs []error
	if c.Path == "" {
		errs = append(errs, errors.New("path: must name a folder"))
	}
	if c.Job == "" {
		errs = append(errs, errors.New("job: must have a name that stays the same over restarts"))
	}
	if _, err := format.Get[format.Writer](c.Format); err != nil {
		errs = append(errs, fmt.Errorf("format: %w", err))
	}
	if c.Step < 1 {
		errs = append(errs, fmt.Errorf("step: must be positive, got %d ms", c.Step))
	} else if c.Compact < 0 || c.Compact%c.Step != 0 {
		errs = append(errs, fmt.Errorf("compact: must be a multiple of the step, %d ms, got %d ms", c.Step, c.Compact))
	}
	if c.Shards < 1 {
		errs = append(errs, fmt.Errorf("shards: must be at least 1, got %d", c.Shards))
	}
	return errors.Join(errs...)
}

// layout is all that decides which files hold the groups of a job, but for the step, as text.
func (c *Config) layout() string {
	each, folders := c.Step, "days"
	if c.Compact > 0 {
		each = c.Compact
	}
	if c.Hourly {
		folders = "hours"
	}
	return fmt.Sprintf("%s (%s), a file for each of %d shards and %s, in folders of %s", c.Format, c.Codec, c.Shards, time.Duration(each)*time.Millisecond, folders)
}

// interval is the one that a group is put together in: from its first ID to the first of the next one.
func (c *Config) interval(id int64) (from, to int64) {
	from = id - ((id%c.Compact)+c.Compact)%c.Compact
	return from, from + c.Compact
}
