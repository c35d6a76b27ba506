package fileio

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// NoMatchError says that a pattern matches no file, and what there is instead. It
// answers to errors.Is(err, fs.ErrNotExist).
type NoMatchError struct {
	Pattern string
	// Folder is the deepest folder on the pattern's way that exists; empty if not even
	// the first one does.
	Folder string
	// Wanted is the part of the pattern that nothing in Folder matches.
	Wanted string
	// Nearest are some names in Folder, the most alike first, folders with a final slash.
	Nearest []string
}

// nearestShown is how many names an error lists: about one line of a terminal.
const nearestShown = 6

func (e *NoMatchError) Error() string {
	switch {
	case e.Folder == "":
		return e.Pattern + " matches no file"
	case len(e.Nearest) == 0:
		return fmt.Sprintf("%s matches no file: %s is empty", e.Pattern, e.Folder)
	default:
		return fmt.Sprintf("%s matches no file: nothing in %s matches %s; there is %s",
			e.Pattern, e.Folder, e.Wanted, strings.Join(e.Nearest, ", "))
	}
}

// Unwrap returns fs.ErrNotExist.
func (e *NoMatchError) Unwrap() error { return fs.ErrNotExist }

// noMatch finds out how far the pattern goes. Where wildcards match several folders
// it follows the first.
func noMatch(ctx context.Context, s store, pattern string, g glob) error {
	e := &NoMatchError{Pattern: pattern}
	folder := g.root
	parts := append(slices.Clone(g.parts), "**") // for a folder that matches, but is empty
	for i, part := range parts {
		names, err := s.names(ctx, folder)
		if err != nil {
			// The folder was there a moment ago, or it may not be listed: what is known
			// so far is still the answer.
			break
		}
		e.Folder, e.Wanted = folder, strings.Join(g.parts[min(i, len(g.parts)-1):], "/")
		if e.Folder == "" {
			e.Folder = "."
		}
		e.Nearest = nearest(part, names)
		next := slices.IndexFunc(names, func(name string) bool {
			name, isFolder := strings.CutSuffix(name, "/")
			return isFolder && part != "**" && matchName(part, name)
		})
		if next < 0 {
			break
		}
		folder += names[next]
	}
	return e
}

// nearest picks names to show for a part of a pattern.
func nearest(part string, names []string) []string {
	shown := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return hidden(name) && !hidden(part) })
	slices.SortStableFunc(shown, func(a, b string) int {
		return distance(part, a) - distance(part, b)
	})
	return shown[:min(len(shown), nearestShown)]
}

func distance(part, name string) int {
	return levenshtein.ComputeDistance(part, strings.TrimSuffix(name, "/"))
}
