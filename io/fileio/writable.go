package fileio

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Writable tells whether files can be created in a folder, which need not be there yet: nil, or
// what is in the way. It leaves nothing behind.
func Writable(ctx context.Context, folder string) error {
	s, err := storeOf(folder)
	if err != nil {
		return err
	}
	return s.writable(ctx, folder)
}

// writable begins a file in the deepest folder that is there.
func (local) writable(_ context.Context, folder string) error {
	up := filepath.Clean(folder)
	for {
		info, err := os.Stat(up)
		if err == nil && !info.IsDir() {
			return fmt.Errorf("%s is not a folder", up)
		}
		if err == nil {
			break
		}
		if _, linkErr := os.Lstat(up); linkErr == nil {
			return err // a link that leads nowhere: it cannot be made, nor what is below
		}
		if !notThere(err) || up == filepath.Dir(up) {
			return err
		}
		up = filepath.Dir(up)
	}
	probe := filepath.Join(up, ".probe."+rand.Text()[:8]+unfinished)
	file, err := os.OpenFile(probe, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return pathless(up, err)
	}
	return errors.Join(file.Close(), os.Remove(probe))
}

// pathless names the folder in the place of a file that nobody knows of.
func pathless(folder string, err error) error {
	if failed := (*fs.PathError)(nil); errors.As(err, &failed) {
		return fmt.Errorf("%s: %w", folder, failed.Err)
	}
	return err
}

// writable writes an empty object and removes it: what a bucket allows shows in no other way
// to those who may only write. Who may not remove finds it again, hidden.
func (s cloud) writable(ctx context.Context, folder string) error {
	probe := strings.TrimSuffix(folder, "/") + "/.probe" + unfinished
	if err := WriteFile(ctx, probe, nil); err != nil {
		return err
	}
	if err := s.remove(ctx, probe); err != nil && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Matches tells whether a file of that path, which need not be there, is among those that the
// pattern stands for. Links are not looked at.
func Matches(pattern, path string) bool {
	globs, err := parseGlob(pattern)
	if err != nil {
		return false
	}
	root, rest := splitRoot(path)
	if !strings.Contains(root, "://") {
		if rest, err = filepath.Abs(path); err != nil {
			return false
		}
		root, rest = "/", strings.TrimPrefix(rest, "/")
	}
	names := strings.Split(rest, "/")
	for _, g := range globs {
		parts := g.parts
		if g.root == "" {
			here, err := filepath.Abs(".")
			if err != nil {
				return false
			}
			g.root, parts = "/", append(strings.Split(strings.TrimPrefix(Escape(here), "/"), "/"), parts...)
		}
		parts = withoutUp(parts)
		if g.root == root && (match(parts, names) || match(append(parts, "**"), names)) {
			return true
		}
	}
	return false
}

// withoutUp takes names that are followed by ".." out of a pattern, in a copy.
func withoutUp(parts []string) []string {
	out := make([]string, 0, len(parts)+1)
	for _, part := range parts {
		if part == ".." && len(out) > 0 && out[len(out)-1] != "**" {
			out = out[:len(out)-1]
		} else if part != "" {
			out = append(out, part)
		}
	}
	return out
}
