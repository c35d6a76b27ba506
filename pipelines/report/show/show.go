// Package show puts what is in files on a terminal: samples as a table or as JSON,
// narrowed by label and time, files of accounts as a report, and any other Avro, JSON or CSV
// file as a plain table of its records.
package show

import (
	"context"
	"errors"
	"fmt"
	"io"

	"tributary/io/fileio"
	"tributary/pipelines/report"
	"tributary/transforms/account"
	"tributary/transforms/recipe"
)

// Options say what to show and how.
type Options struct {
	Filter
	// Limit is how many records are shown; 0 means all.
	Limit int
	// Weights shows the weights of samples by a recipe, and what they follow from.
	Weights Weights
	// JSON writes each record whole, as a line of JSON, instead of a table.
	JSON bool
	// Width of a table in columns; 0 means 80.
	Width int
}

// Validate names all that is wrong with the options at once.
func (o Options) Validate() error {
	var errs []error
	if o.Limit < 0 {
		errs = append(errs, fmt.Errorf("--limit %d is negative; 0 shows all", o.Limit))
	}
	if o.Width < 0 {
		errs = append(errs, fmt.Errorf("--width %d is negative", o.Width))
	}
	_, errFilter := o.compile()
	_, errWeights := o.Weights.compile()
	return errors.Join(append(errs, errFilter, errWeights)...)
}

// content is what a file holds, told by its records.
type content int

const (
	nothing content = iota
	samples
	sheets
	records // of any other kind
)

var contentNames = map[content]string{samples: "samples", sheets: "accounts", records: "other records"}

// errEnough ends the reading when all that is shown has been read.
var errEnough = errors.New("enough")

// Run shows the file path, or the files of the folder or pattern path, local or on
// gs://, on out. Files are read in order of name, folders of stages in that of their time,
// and no further than needed. What the
// first record is, a sample, accounts or something else, decides what is shown; files
// with anything else are passed over. That, and what cannot be read of a file, is said
// on warn.
func Run(ctx context.Context, path string, opt Options, out, warn io.Writer) error {
	if err := opt.Validate(); err != nil {
		return err
	}
	filter, err := opt.compile()
	if err != nil {
		return err
	}
	weigher, err := opt.Weights.compile()
	if err != nil {
		return err
	}
	files, err := fileio.List(ctx, path)
	if err != nil {
		return fmt.Errorf("show: %w", err)
	}
	var paths []string
	for _, file := range files {
		paths = append(paths, file.Path)
	}
	InOrder(paths)
	s := shower{opt: opt, filter: filter, weigher: weigher, out: out, warn: warn, sum: account.New()}
	for _, file := range paths {
		if s.filter.skips(file) {
			continue
		}
		err := s.file(ctx, file)
		if errors.Is(err, errEnough) {
			break
		}
		if err != nil {
			return fmt.Errorf("show: %w", err)
		}
	}
	return s.finish(path)
}

// shower takes records one by one.
type shower struct {
	opt       Options
	filter    *compiled
	weigher   *weigher // nil for no weights
	out, warn io.Writer

	what   content // of the first record
	shown  int
	more   bool     // than the limit
	passed int      // files with something else
	table  []record // to be shown
	// weights are those of the table, if there is a weigher.
	weights []recipe.Weights
	sum     *account.Sheet
}

func (s *shower) file(ctx context.Context, path string) error {
	other := false
	err := read(ctx, path, func(rec record) error {
		what := classify(rec)
		if s.what == nothing {
			s.what = what
			if what != samples && s.filter.used {
				return fmt.Errorf("%s holds %s, not samples: filters by label, sign and time apply to samples only", path, contentNames[what])
			}
			if what != samples && s.weigher != nil {
				return fmt.Errorf("%s holds %s, not samples, which have weights", path, contentNames[what])
			}
		}
		if what == samples {
			s.filter.meet(rec)
		}
		if what != s.what {
			other = true
			if !isLine(path) { // one schema, one kind of record
				return errPass
			}
			return nil
		}
		return s.record(rec)
	}, func(problem error) {
		s.tell("%s: %s\n", report.Harmless(path), report.Harmless(problem.Error()))
	})
	if other {
		s.passed++
	}
	if errors.Is(err, errPass) {
		return nil
	}
	return err
}

// tell says something beside what was asked for: where that cannot be written is no
// reason to stop.
func (s *shower) tell(format string, args ...any) { _, _ = fmt.Fprintf(s.warn, format, args...) }

// errPass ends the reading of a file.
var errPass = errors.New("pass over this file")

func (s *shower) record(rec record) error {
	if s.what == sheets {
		l, err := account.Decode([]byte(rec.json))
		if err != nil {
			return err
		}
		s.sum.Merge(l)
		return nil
	}
	var weighed recipe.Sample
	if s.weigher != nil {
		var err error
		if weighed, err = s.weigher.meet(rec); err != nil {
			return err
		}
	}
	if s.what == samples && !s.filter.takes(rec) {
		return nil
	}
	if s.opt.Limit > 0 && s.shown == s.opt.Limit {
		s.more = true
		return errEnough
	}
	s.shown++
	if s.weigher != nil {
		weights, err := s.weigher.weigh(weighed, rec)
		if err != nil {
			return err
		}
		if s.opt.JSON {
			rec.json = s.weigher.withWeights(rec, weights)
		}
		s.weights = append(s.weights, weights)
	}
	if s.opt.JSON {
		_, err := fmt.Fprintln(s.out, HarmlessJSON(rec.json))
		return err
	}
	s.table = append(s.table, rec)
	return nil
}

func (s *shower) finish(path string) error {
	if s.passed > 0 {
		s.tell("passed over, as they hold something other than %[2]s: %[1]d files\n", s.passed, contentNames[s.what])
	}
	if s.weigher != nil && !s.more {
		if text := s.weigher.missing(); text != "" {
			s.tell("%s\n", text)
		}
	}
	if err := s.filter.unknownKind(); err != nil && !s.more {
		return err
	}
	switch {
	case s.what == sheets && s.opt.JSON:
		text, err := s.sum.Encode()
		if err == nil {
			_, err = io.WriteString(s.out, escapeJSON(string(text)))
		}
		return err
	case s.what == sheets:
		return (&report.Report{Spec: path, Accounts: s.sum}).Text(s.out, s.opt.Width)
	case s.opt.JSON:
		return nil
	default:
		return s.writeTable()
	}
}
