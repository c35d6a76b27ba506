package spec

import (
	"path/filepath"
	"strings"
	"time"

	"tributary/io/fileio"
)

// spec reads the whole spec: first each value by itself, then what depends on others, then the
// rules between them.
func (r *reader) spec(root *node) *Spec {
	s := &Spec{File: r.file, marks: r.marks, lines: r.lines}
	if r.root.read(r, root, "", nil, s) == nil {
		return s
	}
	r.root.fill(r, s, "", s)
	if !s.usesTopics() {
		s.Stream = Stream{} // of no effect, which rules tell
	} else if s.Stream.Delivery == AtLeastOnce {
		s.Outputs.Topics.CommitLog, s.Stream.TransactionTimeout = "", 0 // of no effect, which rules tell
	}
	r.rules(s)
	return s
}

// defaultBucket is such a part of the longest window, moved to the nearest whole second
// that divides the window if there is one within a factor of two: windows then end
// where buckets do. At least a second and at most a day.
func defaultBucket(longest time.Duration, parts int64) time.Duration {
	part := max(time.Second, (longest / time.Duration(parts)).Round(time.Second))
	if part >= day {
		return day
	}
	for d := time.Duration(0); d <= part/2; d += time.Second {
		if longest%(part-d) == 0 {
			return part - d
		}
		if longest%(part+d) == 0 && part+d <= day {
			return part + d
		}
	}
	return part
}

// texts turns words of any type into plain strings.
func texts[T ~string](words []T) []string {
	out := make([]string, len(words))
	for i, word := range words {
		out[i] = string(word)
	}
	return out
}

// resolve takes a path of the spec from the folder the spec is in.
func (r *reader) resolve(name string, glob bool) string {
	if strings.Contains(name, "://") || filepath.IsAbs(name) {
		return name
	}
	folder := filepath.Dir(r.file)
	if glob {
		folder = fileio.Escape(folder)
	}
	if path := filepath.Join(folder, name); path != Standard {
		return path
	}
	return "./" + Standard // a file of that name
}
