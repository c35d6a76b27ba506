package batch

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"tributary/io/fileio"
	"tributary/transforms/account"
)

// Accounts of several intervals name the files of all of them, without saying which is whose.

// parts tells whether files of samples are missing that accounts name, and which are there that they do not: of an
// earlier run, which cut otherwise or had samples where this one has none.
func (o *outputs) parts(ctx context.Context, l *account.Sheet) (missing bool, others []string, err error) {
	left := slices.DeleteFunc(slices.Clone(l.Files), func(f account.File) bool { return !strings.HasPrefix(f.Output, samplesKey) })
	for _, path := range o.Parts {
		is, err := fileio.Stat(ctx, path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return false, nil, err
		}
		at := slices.IndexFunc(left, func(f account.File) bool { return f.Size == is.Size && f.Version == is.Version })
		if at < 0 && slices.ContainsFunc(left, func(f account.File) bool { return f.Size == is.Size }) {
			hash, err := hashOf(ctx, path)
			if err != nil {
				return false, nil, err
			}
			at = slices.IndexFunc(left, func(f account.File) bool { return f.Size == is.Size && f.Hash == hash })
		}
		if at < 0 {
			others = append(others, path)
			continue
		}
		left = slices.Delete(left, at, at+1)
	}
	return len(left) > 0, others, nil
}
