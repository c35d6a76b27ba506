package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tributary/pipelines/spec"
	"tributary/runners/flink"
)

// timeFlag is a time on the command line: what specs and records have, or shorter.
type timeFlag struct{ time.Time }

func (t *timeFlag) Set(text string) error {
	parsed, err := spec.ParseTime(text)
	if err != nil {
		return errors.New("is not a time like 2026-01-02 or 2026-01-02T15:04:05Z")
	}
	t.Time = parsed
	return nil
}

func (t *timeFlag) String() string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

func (t *timeFlag) Type() string { return "time" }

// durationFlag is a duration on the command line, in the form of specs.
type durationFlag time.Duration

func (d *durationFlag) Set(text string) error {
	if text == "0" {
		text = "0s"
	}
	parsed, err := spec.ParseDuration(text)
	if err == nil {
		*d = durationFlag(parsed)
		return nil
	}
	if near := spec.NearestDuration(text); near != "" {
		return fmt.Errorf("is not a duration like 30m or 1d12h; did you mean %s?", near)
	}
	if _, number := strconv.ParseFloat(text, 64); number == nil {
		return fmt.Errorf("is a number without a unit; write %ss, %sm, %sh or %sd", text, text, text, text)
	}
	return errors.New("is not a duration like 30m or 1d12h")
}

func (d *durationFlag) String() string {
	if *d == 0 {
		return "" // the default is said in words
	}
	return spec.FormatDuration(time.Duration(*d))
}

func (d *durationFlag) Type() string { return "duration" }

// numberFlag is a whole number with bounds.
type numberFlag[T int | int16 | int32 | int64] struct {
	value       *T
	least, most T
}

// number adds a flag for a whole number from least to most. Its default is the value it has.
func number[T int | int16 | int32 | int64](flags *pflag.FlagSet, value *T, name string, least, most T, usage string) {
	flags.Var(&numberFlag[T]{value, least, most}, name, usage)
}

func (f *numberFlag[T]) Set(text string) error {
	n, err := strconv.ParseInt(text, 10, 64)
	if int64(f.most) == math.MaxInt64 && (err != nil || n < int64(f.least)) {
		return fmt.Errorf("must be a whole number, %d or more", f.least)
	}
	if err != nil || n < int64(f.least) || n > int64(f.most) {
		return fmt.Errorf("must be a whole number from %d to %d", f.least, f.most)
	}
	*f.value = T(n)
	return nil
}

func (f *numberFlag[T]) String() string {
	if f.value == nil {
		return "0"
	}
	return strconv.FormatInt(int64(*f.value), 10)
}

func (f *numberFlag[T]) Type() string { return "number" }

// mostNumber bounds what nobody needs a million of.
const mostNumber = 1_000_000

// jobFlags adds the flags by which a command that watches a stream finds its job on Flink, of which it shows what.
func jobFlags(flags *pflag.FlagSet, at, job *string, what string) {
	flags.StringVar(at, "flink", "", "address of Flink's REST interface, for "+what+" (default: none)")
	flags.StringVar(job, "job", "", "the job on Flink, by id or name (default: stream.name)")
}

// checkJobFlags is a usage error if they do not go together, or there cannot be such an address.
func checkJobFlags(at, job string) error {
	if job != "" && at == "" {
		return usageError{errors.New("--job is the name of a job on Flink: give --flink as well")}
	}
	if at != "" {
		if _, err := flink.NewClient(at); err != nil {
			return usageError{err}
		}
	}
	return nil
}

// wordFlag is one of several words.
type wordFlag struct {
	value *string
	words []string
}

// word adds a flag for one of several words, which the shell completes. Its default is the
// value it has.
func word(cmd *cobra.Command, value *string, name string, words []string, usage string) {
	cmd.Flags().Var(&wordFlag{value, words}, name, usage)
	complete(cmd, name, words...)
}

func (f *wordFlag) Set(text string) error {
	if slices.Contains(f.words, text) {
		*f.value = text
		return nil
	}
	return errors.New(mustBe(text, f.words))
}

func (f *wordFlag) String() string {
	if f.value == nil {
		return ""
	}
	return *f.value
}

func (f *wordFlag) Type() string { return strings.Join(f.words, "|") }

// mustBe says which words may stand in the place of another one.
func mustBe(text string, words []string) string {
	say := "must be " + strings.Join(words, ", ")
	if n := len(words); n > 1 {
		say = "must be " + strings.Join(words[:n-1], ", ") + " or " + words[n-1]
	}
	if near := spec.Nearest(text, words); near != "" {
		say += "; did you mean " + near + "?"
	}
	return say
}
