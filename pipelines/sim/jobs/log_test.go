package jobs

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// rawLog is what services have written down, on their way to the files of a log.
type rawLog struct {
	random *rand.Rand
	// closing is how long after a view nothing counts for it any more: most of what is late comes about then.
	closing time.Duration
	lines   []rawLine
}

type rawLine struct {
	arrives time.Time
	file    int
	text    string
}

func newRawLog(seed uint64, closing time.Duration) *rawLog {
	return &rawLog{random: rand.New(rand.NewPCG(seed, 13)), closing: closing}
}

// chance is true in so many of 1000 cases.
func (l *rawLog) chance(of int) bool { return l.random.IntN(1000) < of }

// after is a moment some time after another, mostly soon.
func (l *rawLog) after(t time.Time, mean time.Duration) time.Time {
	return t.Add(time.Duration(l.random.ExpFloat64() * float64(mean))).Truncate(time.Millisecond)
}

// add has an event of a time arrive with the faults of a log: out of order, at times late, at times again, at times cut off.
func (l *rawLog) add(at time.Time, text string) {
	line := rawLine{at.Add(time.Duration(l.random.IntN(50_000)) * time.Millisecond), l.random.IntN(1 << 16), text}
	switch {
	case l.chance(30):
		line.arrives = at.Add(l.closing/2 + time.Duration(l.random.Int64N(int64(2*l.closing))))
	case l.chance(10):
		l.lines = append(l.lines, rawLine{line.arrives, line.file, text[:len(text)/5]}) // the writer died, and wrote it again
	}
	l.lines = append(l.lines, line)
	for l.chance(40) { // nobody said that it had come
		line.arrives, line.file = l.after(line.arrives, 20*time.Second), line.file+l.random.IntN(2)
		l.lines = append(l.lines, line)
	}
}

// write writes the lines into so many files of a folder, in the order of their arrival.
func (l *rawLog) write(t *testing.T, dir string, files int) {
	t.Helper()
	slices.SortStableFunc(l.lines, func(a, b rawLine) int { return a.arrives.Compare(b.arrives) })
	texts := make([]strings.Builder, files)
	for _, line := range l.lines {
		texts[line.file%files].WriteString(line.text + "\n")
	}
	require.NoError(t, os.MkdirAll(dir, 0o750))
	for i := range texts {
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("host-%d.jsonl", i)), []byte(texts[i].String()), 0o600))
	}
}

// pick is one of several values.
func pick[T cmp.Ordered](l *rawLog, of ...T) T { return of[l.random.IntN(len(of))] }
