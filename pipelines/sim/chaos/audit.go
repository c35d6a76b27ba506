package chaos

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Audit holds the samples that are found in a topic against those of the batch. It is safe
// for concurrent use.
type Audit struct {
	want map[string]Sample
	due  []string // views with mature samples, in order of time

	mu    sync.Mutex
	first int // due[:first] were found
	found map[string]int
	// Views whose samples are there more than once, have other bytes than the batch's, or
	// are not in the batch at all.
	doubled, differing, unknown []string
	// example is one that differs, as it is and as it should be.
	example string
}

// NewAudit begins an audit that wants each mature sample once, and the others at most once.
func NewAudit(want map[string]Sample) *Audit {
	a := &Audit{want: want, found: map[string]int{}}
	for id, s := range want {
		if s.Mature {
			a.due = append(a.due, id)
		}
	}
	slices.SortFunc(a.due, func(x, y string) int {
		return cmp.Or(cmp.Compare(want[x].Time, want[y].Time), cmp.Compare(x, y))
	})
	return a
}

// Take notes a sample that was found.
func (a *Audit) Take(view, value string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.found[view]++
	want, ok := a.want[view]
	switch {
	case a.found[view] == 2:
		a.doubled = append(a.doubled, view)
	case a.found[view] > 2 || strings.HasPrefix(view, foreignPrefix):
	case !ok:
		a.unknown = append(a.unknown, view)
	case want.Mature && want.Value != value:
		a.differing = append(a.differing, view)
		a.example = fmt.Sprintf("%s is %q, not %q", view, value, want.Value)
	}
}

// Missing lists the views before an event time whose samples were not found yet.
func (a *Audit) Missing(before int64) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.first < len(a.due) && a.found[a.due[a.first]] > 0 {
		a.first++
	}
	var missing []string
	for _, view := range a.due[a.first:] {
		if a.want[view].Time >= before {
			break
		}
		if a.found[view] == 0 {
			missing = append(missing, view)
		}
	}
	return missing
}

// Found is how many samples were found, every view counted once.
func (a *Audit) Found() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.found)
}

// Err says what must not be: nil if every sample that was found is the batch's, and there
// once.
func (a *Audit) Err() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var errs []error
	for _, wrong := range []struct {
		what  string
		views []string
	}{
		{"are there more than once", a.doubled},
		{"differ from the batch's", a.differing},
		{"are of views that the batch does not know", a.unknown},
	} {
		if len(wrong.views) > 0 {
			errs = append(errs, fmt.Errorf("%d samples %s: %s", len(wrong.views), wrong.what, a.names(wrong.views)))
		}
	}
	if a.example != "" {
		errs = append(errs, errors.New(a.example))
	}
	return errors.Join(errs...)
}

// Doubled is how many samples are there more than once.
func (a *Audit) Doubled() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.doubled)
}

// Describe lists some views with the times at which to look for them.
func (a *Audit) Describe(views []string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.names(views)
}

func (a *Audit) names(views []string) string {
	const most = 10
	var names []string
	for _, view := range views[:min(most, len(views))] {
		names = append(names, fmt.Sprintf("%s at %d, %d times", view, a.want[view].Time, a.found[view]))
	}
	if len(views) > most {
		names = append(names, "...")
	}
	return strings.Join(names, "; ")
}
