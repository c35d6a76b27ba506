package fileio

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
)

// List returns the files that match any of the patterns, sorted by path, each once.
//
// In a pattern * and ? stand for characters other than a slash, [a-z] for one of a set,
// {a,b} for alternatives and ** for any number of folders; a backslash takes the
// meaning off the character after it. The path of a folder, or a pattern with a final
// slash, stands for all files below. Names that begin with a dot or an underscore
// (unfinished files among them) match only where the pattern spells that out.
//
// A pattern that matches nothing is a *NoMatchError; all of them are reported at once.
//
// On Cloud Storage the objects under the longest prefix without wildcards are listed,
// 1000 a request.
func List(ctx context.Context, patterns ...string) ([]File, error) {
	found := map[string]File{}
	var errs []error
	for _, pattern := range patterns {
		globs, err := parseGlob(pattern)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		s, err := storeOf(pattern)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		matched := false
		for _, g := range globs {
			err = s.walk(ctx, g, func(f File) {
				found[f.Path] = f
				matched = true
			})
			if err != nil {
				errs = append(errs, err)
				break
			}
		}
		if err == nil && !matched {
			errs = append(errs, noMatch(ctx, s, pattern, globs[0]))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return slices.SortedFunc(maps.Values(found), func(a, b File) int { return strings.Compare(a.Path, b.Path) }), nil
}
