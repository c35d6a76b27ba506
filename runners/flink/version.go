package flink

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"sync"
)

// Version identifies the running binary. Submitter and worker must have the same: a job
// carries the names of Go functions and the encodings of Go types, and what they mean lies
// in the binary.
//
// A binary built from a clean checkout is known by the version that Go stamps into it, the
// same on every platform. Any other is known by a hash of its file, too: two of them may
// share a version and yet differ.
var Version = sync.OnceValues(func() (string, error) {
	version := "devel"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		version = strings.Trim(info.Main.Version, "()")
	}
	if version != "devel" && !strings.Contains(version, "+dirty") {
		return version, nil
	}
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("version of this binary: %w", err)
	}
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("version of this binary: %w", err)
	}
	defer file.Close() //nolint:errcheck // only read
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", fmt.Errorf("version of this binary: %w", err)
	}
	return version + "-" + hex.EncodeToString(hash.Sum(nil))[:12], nil
})
