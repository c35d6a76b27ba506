//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package fileio

import (
	"errors"
	"os"
)

// lock is not to be had here: leftovers of killed writers stay, hidden.
func lock(*os.File, bool) error { return errors.ErrUnsupported }

func isNotDir(error) bool { return false }
