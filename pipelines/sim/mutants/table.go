package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// mutant is a bug, as a table tells it in a few lines, with an empty one between two:
//
//	mutant window: its end counts
//	file   transforms/attribution/bucket/outcomes.go
//	tests  transforms/attribution/bucket TestEnds|TestStories/late
//	-if at < end {
//	+if at <= end {
//
// The lines with - are in the file once, within a function; those with + take their place. Tests are those
// that catch it, one line for each package: what comes after the package is a pattern as for `go test -run`.
// A bug that only real services show has a line with the fault of `make chaos` that does, instead of tests or
// beside those that were hoped to catch it:
//
//	chaos  broker killed: what the fake does not do
type mutant struct {
	// ID is what the environment variable holds to switch it on: its place in the tables, from 1.
	ID    int
	Name  string
	File  string // slash-separated, from the module's root
	Tests []place
	Chaos string

	from, to string
	at       string // the table's file and line
}

// place is where a bug is looked for: a package, and which of its tests.
type place struct{ pkg, pattern string }

// pkg is the folder of the package that has the bug.
func (m *mutant) pkg() string { return filepath.ToSlash(filepath.Dir(m.File)) }

// readTables reads all tables of the module whose root is given.
func readTables(root string) ([]*mutant, error) {
	files, err := filepath.Glob(filepath.Join(root, "pipelines/sim/mutants/table/*.txt"))
	if err != nil {
		return nil, err
	}
	var all []*mutant
	names := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		more, err := parseTable(filepath.Base(file), string(text))
		if err != nil {
			return nil, err
		}
		for _, m := range more {
			if names[m.Name] {
				return nil, fmt.Errorf("%s: another bug has the name %q", m.at, m.Name)
			}
			names[m.Name] = true
			m.ID = len(all) + 1
			all = append(all, m)
		}
	}
	return all, nil
}

// parseTable reads a table. Lines that begin with # say what they like.
func parseTable(name, text string) ([]*mutant, error) {
	var all []*mutant
	var m *mutant
	var errs []error
	finish := func() {
		if m != nil {
			errs = append(errs, m.finish())
			all = append(all, m)
		}
		m = nil
	}
	for i, line := range strings.Split(text, "\n") {
		at := fmt.Sprintf("%s:%d", name, i+1)
		word, rest, _ := strings.Cut(line, " ")
		rest = strings.TrimSpace(rest)
		switch {
		case line == "":
			finish()
		case line[0] == '#':
		case word == "mutant":
			finish()
			m = &mutant{Name: rest, at: at}
		case m == nil:
			errs = append(errs, fmt.Errorf("%s: a bug begins with \"mutant\" and its name, got %q", at, line))
		case line[0] == '-':
			m.from += line[1:] + "\n"
		case line[0] == '+':
			m.to += line[1:] + "\n"
		case word == "file":
			m.File = rest
		case word == "tests":
			pkg, pattern, _ := strings.Cut(rest, " ")
			m.Tests = append(m.Tests, place{pkg, strings.TrimSpace(pattern)})
		case word == "chaos":
			m.Chaos = rest
		default:
			errs = append(errs, fmt.Errorf("%s: want mutant, file, tests, chaos, - or +, got %q", at, line))
		}
	}
	finish()
	return all, errors.Join(errs...)
}

// finish checks that nothing is missing.
func (m *mutant) finish() error {
	m.from, m.to = strings.TrimSuffix(m.from, "\n"), strings.TrimSuffix(m.to, "\n")
	var lacks string
	switch {
	case m.Name == "":
		lacks = "a name"
	case m.File == "":
		lacks = "a line with its file"
	case strings.TrimSpace(m.from) == "":
		lacks = "lines with -, for what is in the code"
	case m.from == m.to:
		lacks = "a change"
	case len(m.Tests) == 0 && m.Chaos == "":
		lacks = "tests, or the fault of chaos that shows it"
	default:
		return nil
	}
	return fmt.Errorf("%s: %s: it lacks %s", m.at, m.Name, lacks)
}
