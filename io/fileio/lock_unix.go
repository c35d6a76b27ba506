//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package fileio

import (
	"errors"
	"os"
	"syscall"
)

// lock locks an open file until it is closed. If another opening of it holds the lock,
// it waits, or fails.
func lock(file *os.File, wait bool) error {
	how := syscall.LOCK_EX
	if !wait {
		how |= syscall.LOCK_NB
	}
	for {
		switch err := syscall.Flock(int(file.Fd()), how); err {
		case syscall.EINTR:
		case syscall.ENOLCK: // a network file system without its lock service
			return errors.ErrUnsupported
		default:
			return err
		}
	}
}

// running tells whether there is a process of that id.
func running(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

func isNotDir(err error) bool { return errors.Is(err, syscall.ENOTDIR) }
