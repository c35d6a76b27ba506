package fileio

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
)

// Listing is what patterns match.
type Listing struct {
	// Files are sorted by path, each once: of several paths that links make of one, the one
	// without links, or the first.
	Files []File
	// Empty are folders that match like files, but hold none.
	Empty []string
}

// List returns the files that match any of the patterns; see Find.
func List(ctx context.Context, patterns ...string) ([]File, error) {
	listing, err := Find(ctx, patterns...)
	return listing.Files, err
}

// Find finds the files that match any of the patterns.
//
// In a pattern * and ? stand for characters other than a slash, [a-z] for one of a set,
// {a,b} for alternatives and ** for any number of folders; a backslash takes the
// meaning off the character after it. A folder that matches, like those that Spark writes
// under the name of a file, stands for all files below, and so does a pattern with a final
// slash. Names that begin with a dot or an underscore (unfinished files among them) match
// only where the pattern spells that out.
//
// Links are followed, to folders as well as to files, but not back to a folder that they
// are in. What matches and is no file, a link that leads nowhere or a named pipe, is a
// *NotFileError; a pattern that matches nothing is a *NoMatchError. All of them are
// reported at once.
//
// On object stores the objects under the longest prefix without wildcards are listed,
// 1000 a request, on Azure 5000.
func Find(ctx context.Context, patterns ...string) (Listing, error) {
	l := lister{files: map[string]File{}, notFiles: map[string]error{}, empty: map[string]bool{}}
	for _, pattern := range patterns {
		l.find(ctx, pattern)
	}
	for _, path := range slices.Sorted(maps.Keys(l.notFiles)) {
		l.errs = append(l.errs, l.notFiles[path])
	}
	if err := errors.Join(l.errs...); err != nil {
		return Listing{}, err
	}
	return Listing{
		Files: slices.SortedFunc(maps.Values(l.files), func(a, b File) int { return strings.Compare(a.Path, b.Path) }),
		Empty: slices.Sorted(maps.Keys(l.empty)),
	}, nil
}

// lister collects what several patterns match.
type lister struct {
	files    map[string]File // by ID
	notFiles map[string]error
	empty    map[string]bool
	errs     []error
}

func (l *lister) find(ctx context.Context, pattern string) {
	globs, err := parseGlob(pattern)
	if err != nil {
		l.errs = append(l.errs, err)
		return
	}
	s, err := storeOf(pattern)
	if err != nil {
		l.errs = append(l.errs, err)
		return
	}
	matched := false
	found := found{
		file: func(f File) {
			matched = true
			known, ok := l.files[f.ID]
			if !ok || known.linked && !f.linked || known.linked == f.linked && f.Path < known.Path {
				l.files[f.ID] = f
			}
		},
		notFile: func(e *NotFileError) { matched, l.notFiles[e.Path] = true, e },
		empty:   func(path string) { l.empty[path] = true },
	}
	for _, g := range globs {
		if err := s.walk(ctx, g, found); err != nil {
			l.errs = append(l.errs, err)
			return
		}
	}
	if !matched {
		l.errs = append(l.errs, noMatch(ctx, s, pattern, globs[0]))
	}
}
