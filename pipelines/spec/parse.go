package spec

import (
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"tributary/io/record"
)

// Defaults of what a spec may leave out. The bucket's depends on the windows.
const (
	DefaultVersion          = 1
	DefaultDuplicatesWithin = 10 * time.Second
	DefaultOutOfOrderness   = time.Minute
	DefaultShards           = 16
	DefaultKeep             = 1.0
	maxShards               = 4096
)

// spec reads the whole spec: first each value by itself, then the rules between them.
func (r *reader) spec(root *node) *Spec {
	s := &Spec{
		File: r.file, Version: DefaultVersion, OutOfOrderness: DefaultOutOfOrderness, Shards: DefaultShards, Keep: DefaultKeep,
		marks: r.marks, lines: r.lines,
	}
	f := r.fields(root, "", rootShape, nil)
	if f == nil {
		return s
	}
	if n, at := f.get("version"); n != nil {
		s.Version = int32(r.whole(n, at, 1, math.MaxInt32))
	}
	if n, at := f.get("views"); n != nil {
		r.views(&s.Views, n, at, f)
	}
	if n, at := f.get("engagements"); n != nil {
		s.Engagements = r.engagements(n, at, f)
	}
	if n, at := f.get("out_of_orderness"); n != nil {
		s.OutOfOrderness = r.duration(n, at, 0)
	}
	if n, at := f.get("clock_skew"); n != nil {
		s.ClockSkew = r.duration(n, at, 0)
	}
	s.Bucket = defaultBucket(s.LongestWindow())
	if n, at := f.get("bucket"); n != nil {
		s.Bucket = r.duration(n, at, time.Millisecond)
	}
	if n, at := f.get("shards"); n != nil {
		s.Shards = int(r.whole(n, at, 1, maxShards))
	}
	if n, at := f.get("negatives"); n != nil {
		if g := r.fields(n, at, negativesShape, f); g != nil {
			if n, at := g.get("keep"); n != nil {
				s.Keep = r.rate(n, at)
			}
		}
	}
	if n, at := f.get("clusters"); n != nil {
		s.Clusters = r.clusters(n, at, f)
	}
	if n, at := f.get("stream"); n != nil {
		r.stream(&s.Stream, n, at, f)
	}
	if n, at := f.get("outputs"); n != nil {
		r.outputs(&s.Outputs, n, at, f)
	}
	if n, at := f.get("tests"); n != nil {
		s.Tests = r.tests(n, at, f, s)
	}
	r.complete(s)
	r.rules(s)
	return s
}

// defaultBucket is a sixth of the longest window, moved to the nearest whole second
// that divides the window if there is one within a factor of two: windows then end
// where buckets do. At least a second and at most a day.
func defaultBucket(longest time.Duration) time.Duration {
	sixth := max(time.Second, (longest / 6).Round(time.Second))
	if sixth >= day {
		return day
	}
	for d := time.Duration(0); d <= sixth/2; d += time.Second {
		if longest%(sixth-d) == 0 {
			return sixth - d
		}
		if longest%(sixth+d) == 0 && sixth+d <= day {
			return sixth + d
		}
	}
	return sixth
}

func (r *reader) views(v *Views, n *node, at dotted, above *fields) {
	v.DuplicatesWithin = DefaultDuplicatesWithin
	f := r.fields(n, at, viewsShape, above)
	if f == nil {
		return
	}
	if n, at := f.get("inputs"); n != nil {
		v.Inputs = r.inputs(n, at, f)
	}
	if n, at := f.get("id"); n != nil {
		v.ID = r.fieldPath(n, at)
	}
	if n, at := f.get("time"); n != nil {
		v.Time = r.timeField(n, at, f)
	}
	if n, at := f.get("duplicates_within"); n != nil {
		v.DuplicatesWithin = r.duration(n, at, 0)
	}
}

// timeField reads a field path, or a mapping of field and unit.
func (r *reader) timeField(n *node, at dotted, above *fields) TimeField {
	if n.kind != mapKind {
		return TimeField{Field: r.fieldPath(n, at)}
	}
	f := r.fields(n, at, timeShape, above)
	var t TimeField
	if n, at := f.get("field"); n != nil {
		t.Field = r.fieldPath(n, at)
	}
	if n, at := f.get("unit"); n != nil {
		t.Unit = r.unit(n, at)
	}
	return t
}

func (r *reader) unit(n *node, at dotted) record.Unit {
	text := r.text(n, at)
	if text == "" || slices.Contains(texts(record.Units), text) {
		return record.Unit(text)
	}
	p := r.notAllowed(n, at, text, texts(record.Units))
	p.Nearest = nearestUnit(text)
	p.Fix = r.replaced(n, p.Nearest)
	r.add(p)
	return ""
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
		folder = escapeGlob(folder)
	}
	return filepath.Join(folder, name)
}

// escapeGlob takes the meaning from characters that are special in globs.
func escapeGlob(name string) string {
	return globSpecial.ReplaceAllString(name, `\$0`)
}

var globSpecial = regexp.MustCompile(`[*?\[\]{}\\]`)
