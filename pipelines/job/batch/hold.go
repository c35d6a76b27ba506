package batch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/zeebo/xxh3"

	"tributary/io/fileio"
	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
	"tributary/transforms/account"
)

// holds are the folders of all outputs, taken for one run.
type holds struct {
	taken []*fileio.Hold
	// context ends when one of them is lost.
	context context.Context
}

type holdsKey struct{}

func hold(ctx context.Context, s *spec.Spec) (*holds, error) {
	h := &holds{}
	taken := map[string]bool{}
	for _, out := range outputFolders(&s.Outputs) {
		folder := realFolder(out.path)
		if taken[folder] {
			continue
		}
		taken[folder] = true
		one, err := fileio.Take(ctx, out.path)
		if err != nil {
			err = holdProblem(s, out, err)
			if left := h.release(); left != nil {
				err = errors.Join(err, left)
			}
			return nil, err
		}
		h.taken, ctx = append(h.taken, one), one.Context
	}
	h.context = context.WithValue(ctx, holdsKey{}, h)
	return h, nil
}

// release gives up the folders, those first that others were made for.
func (h *holds) release() (err error) {
	for i := len(h.taken) - 1; i >= 0; i-- {
		err = errors.Join(err, h.taken[i].Release())
	}
	return err
}

// check returns an error if a folder is another's by now.
func (h *holds) check(ctx context.Context) error {
	for _, one := range h.taken {
		if err := one.Check(ctx); err != nil {
			return err
		}
	}
	return nil
}

// stillHeld does so for the run that ctx is of. It works as the direct runner does, in this
// process.
func stillHeld(ctx context.Context) error {
	if h, ok := ctx.Value(holdsKey{}).(*holds); ok {
		return h.check(ctx)
	}
	return nil
}

// end gives up the folders, and returns what the run came to: nothing that is sure, if one of them
// was lost.
func (h *holds) end(err error) error {
	lost := context.Cause(h.context)
	if lost == nil {
		lost = h.check(h.context)
	}
	switch {
	case errors.Is(lost, fileio.ErrHoldLost):
		err = fmt.Errorf("stopped, for another process has taken over: %w", lost)
	case err == nil:
		err = lost
	}
	if left := h.release(); left != nil {
		err = errors.Join(err, left)
	}
	return err
}

func holdProblem(s *spec.Spec, out outputFolder, err error) error {
	if held := (*fileio.HeldError)(nil); errors.As(err, &held) {
		found := unwritable(s, out.key, out.path, err)
		found.Hint = "wait until that one has ended, or write to another folder"
		return problem.List{found}
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	return problem.List{unwritable(s, out.key, out.path, err)}
}

// writtenAs is a file for the accounts.
func writtenAs(key string, w *fileio.Writer) []account.File {
	return []account.File{{Output: key, Size: w.Size(), Version: w.Version(), Hash: fmt.Sprintf("%016x", w.Hash())}}
}

// check returns an error if a file is not the one that the accounts name: then another process
// has written it since.
func (o *outputs) check(ctx context.Context, l *account.Sheet) error {
	other, err := o.firstOther(ctx, l)
	if err == nil && other != "" {
		err = fmt.Errorf("%s is not as it was written: another process writes to its folder", other)
	}
	return err
}

// complete tells whether all files are there that the accounts speak of, and are those. Accounts
// of an earlier version do not say which they were.
func (o *outputs) complete(ctx context.Context, l *account.Sheet) (bool, error) {
	other, err := o.firstOther(ctx, l)
	if err != nil || other != "" || len(o.Parts) == 0 {
		return err == nil && other == "", err
	}
	missing, _, err := o.parts(ctx, l)
	return err == nil && !missing, err
}

// firstOther is the path of the first file that is not there or not the one that the accounts
// name, empty if all are.
func (o *outputs) firstOther(ctx context.Context, l *account.Sheet) (path string, err error) {
	for _, f := range o.counted(l) {
		if f.records == 0 {
			continue
		}
		if same, err := isAs(ctx, f, l); err != nil || !same {
			return f.path, err
		}
	}
	return "", nil
}

// isAs tells whether a file is the one that the accounts name. Its content decides where its
// version does not: files are copied from one place to another.
func isAs(ctx context.Context, f countedFile, l *account.Sheet) (bool, error) {
	is, err := fileio.Stat(ctx, f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil || len(l.Files) == 0 {
		return err == nil, err
	}
	for _, named := range l.Files {
		switch {
		case named.Output != f.key:
		case is.Size != named.Size:
			return false, nil
		case is.Version == named.Version:
			return true, nil
		default:
			hash, err := hashOf(ctx, f.path)
			return hash == named.Hash, err
		}
	}
	return false, nil
}

func hashOf(ctx context.Context, path string) (_ string, err error) {
	r, err := fileio.Open(ctx, path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	hash := xxh3.New()
	if _, err := io.Copy(hash, r); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return fmt.Sprintf("%016x", hash.Sum64()), nil
}

// writeNew writes accounts where there are none: what is there has come since this run began.
func writeNew(ctx context.Context, path string, content []byte) error {
	err := fileio.WriteNew(ctx, path, content)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s was written by another process: %w", path, err)
	}
	return err
}
