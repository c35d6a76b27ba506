package main

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
)

// report is what came of all bugs.
type report struct {
	Bugs []finding `json:"bugs"`
}

// finding is what came of a bug.
type finding struct {
	*mutant `json:"bug"`
	Caught  bool    `json:"caught"`
	By      string  `json:"by,omitempty"`
	Seconds float64 `json:"seconds"`
}

func (f finding) text() string {
	switch {
	case f.Caught:
		return f.By
	case f.Chaos != "":
		return "SURVIVED: chaos, " + f.Chaos
	}
	return "SURVIVED"
}

// share is what part of the bugs of a package was caught, of all for an empty name.
func (r *report) share(pkg string) (caught, all int) {
	for _, f := range r.Bugs {
		if pkg != "" && f.pkg() != pkg {
			continue
		}
		all++
		if f.Caught {
			caught++
		}
	}
	return caught, all
}

func (r *report) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	packages := map[string]bool{}
	for _, f := range r.Bugs {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\n", f.ID, f.File, f.Name, f.text())
		packages[f.pkg()] = true
	}
	_, _ = fmt.Fprintln(w)
	for _, pkg := range append(sorted(packages), "") {
		caught, all := r.share(pkg)
		if pkg == "" {
			pkg = "all"
		}
		fmt.Fprintf(w, "%s\t%d of %d\t%.1f %%\n", pkg, caught, all, 100*float64(caught)/float64(all))
	}
	return w.Flush()
}

// verdict is an error if tests catch too little.
func (r *report) verdict() error {
	var errs []error
	if caught, all := r.share(""); float64(caught) < bar*float64(all) {
		errs = append(errs, fmt.Errorf("%d of %d bugs were caught, want %.0f %%", caught, all, 100*bar))
	}
	for _, f := range r.Bugs {
		if !f.Caught && f.Chaos == "" {
			errs = append(errs, fmt.Errorf("%s: survived, and names no fault of chaos that shows it", f.Name))
		}
	}
	return errors.Join(errs...)
}
