package audit

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/pipelines/job/batch"
	"tributary/pipelines/spec"
)

const day = 24 * time.Hour

// newJoin is a rig of files of three days, a view and a like every hour, that nothing has joined yet.
func newJoin(t *testing.T) *rig {
	t.Helper()
	r := &rig{T: t, dir: t.TempDir()}
	for i := range 3 {
		r.day(i)
	}
	var err error
	r.spec, err = spec.Parse(r.dir+"/join.yaml", []byte(`
views: {inputs: [{path: views-*.jsonl, order: file}], id: id, time: {field: ts, unit: epoch-millis}}
engagements: {like: {inputs: [{path: likes-*.jsonl, order: file}], view: view, time: {field: ts, unit: epoch-millis}, window: 2h}}
out_of_orderness: 5s
outputs: {samples: {path: joined, format: json}}
`))
	require.NoError(t, err)
	return r
}

// day writes the files of a day.
func (r *rig) day(n int) {
	var views, likes strings.Builder
	for hour := range 24 {
		at, id := time.Duration(n)*day+time.Duration(hour)*time.Hour-10*time.Hour, fmt.Sprintf("%d-%02d", n, hour)
		fmt.Fprintln(&views, view(id, at))
		fmt.Fprintln(&likes, like(id, at+90*time.Minute))
	}
	require.NoError(r, os.WriteFile(fmt.Sprintf("%s/views-%d.jsonl", r.dir, n), []byte(views.String()), 0o600))
	require.NoError(r, os.WriteFile(fmt.Sprintf("%s/likes-%d.jsonl", r.dir, n), []byte(likes.String()), 0o600))
}

func (r *rig) join(opt batch.Options) {
	opt.Interval = day
	_, err := batch.Run(r.Context(), r.spec, opt)
	require.NoError(r, err)
}

// midnight is that of a day.
func midnight(n int) time.Time { return begin.Truncate(day).Add(time.Duration(n) * day) }

// TestJoinOfARange: what a join has not been asked for is not missing.
func TestJoinOfARange(t *testing.T) {
	r := newJoin(t)
	r.join(batch.Options{From: midnight(1), To: midnight(2)})
	found := r.audit(Options{})
	require.Zero(t, found.Findings, "%v", classes(found))
	require.EqualValues(t, 24, found.Sinks[0].Stages[0].Equal)

	// Which of its files a sample was in is not known of a join.
	files, err := filepath.Glob(r.dir + "/joined/dt=2026-01-02/part-*")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		require.NoError(t, os.Remove(file))
	}
	found = r.audit(Options{})
	require.EqualValues(t, 24, found.Findings)
	require.Empty(t, found.Sinks[0].Examples[0].File)
	require.Empty(t, found.Sinks[0].Examples[0].Partition)
	require.Empty(t, found.Sinks[0].MissingFiles)
}

// TestJoinNotFinished: of a join that was stopped, the intervals that have accounts are compared.
func TestJoinNotFinished(t *testing.T) {
	r := newJoin(t)
	r.join(batch.Options{})
	for _, pattern := range []string{"/dt=2026-01-02/part-*", "/../*/dt=2026-01-02/accounts-*"} {
		files, err := filepath.Glob(r.dir + "/joined" + pattern)
		require.NoError(t, err)
		for _, file := range files {
			require.NoError(t, os.Remove(file))
		}
	}
	accounts, err := filepath.Glob(r.spec.Outputs.Accounts + "/dt=2026-01-02/accounts-*")
	require.NoError(t, err)
	for _, file := range accounts {
		require.NoError(t, os.Remove(file))
	}
	found := r.audit(Options{})
	require.Zero(t, found.Findings, "%v", classes(found))
	require.EqualValues(t, 48, found.Sinks[0].Stages[0].Equal)
	// What is there beyond them is counted.
	require.NoError(t, os.MkdirAll(r.dir+"/joined/dt=2026-01-02", 0o700))
	require.NoError(t, os.WriteFile(r.dir+"/joined/dt=2026-01-02/part-x.jsonl", fmt.Appendf(nil, `{"view_id":"x","view_time":%d,"weight":1}`+"\n", midnight(1).UnixMilli()), 0o600))
	found = r.audit(Options{})
	require.Zero(t, found.Findings)
	require.EqualValues(t, 1, found.Sinks[0].Stages[0].NotClosed)
}

// TestJoinThatEnded: the interval in which the inputs ended is compared as long as they do, and is not complete when they go on.
func TestJoinThatEnded(t *testing.T) {
	r := newJoin(t)
	require.NoError(t, os.Remove(r.dir+"/likes-2.jsonl"))
	r.join(batch.Options{})
	found := r.audit(Options{})
	require.Zero(t, found.Findings)
	require.EqualValues(t, 72, found.Sinks[0].Stages[0].Equal)
	r.day(2)
	r.day(3)
	found = r.audit(Options{})
	require.Zero(t, found.Findings, "%v", classes(found))
	require.EqualValues(t, 48, found.Sinks[0].Stages[0].Equal)
	require.EqualValues(t, 24, found.Sinks[0].Stages[0].NotClosed)
	require.Contains(t, found.Sinks[0].Notes[0], "intervals from 2026-01-03T00:00:00Z on hold samples whose windows were cut")
}

// TestScratch: nothing goes to another folder than the one that is given.
func TestScratch(t *testing.T) {
	r := newJoin(t)
	r.join(batch.Options{})
	scratch := t.TempDir()
	t.Setenv("TMPDIR", r.dir+"/none")
	found := r.audit(Options{Scratch: scratch})
	require.Zero(t, found.Findings)
	require.EqualValues(t, 72, found.Sinks[0].Stages[0].Equal)
	left, err := os.ReadDir(scratch)
	require.NoError(t, err)
	require.Empty(t, left)
}

// TestFilesGone: a range that the files no longer reach back to is refused.
func TestFilesGone(t *testing.T) {
	r := newJoin(t)
	r.join(batch.Options{})
	for _, name := range []string{"views", "likes"} {
		require.NoError(t, os.Remove(r.dir+"/"+name+"-0.jsonl"))
	}
	_, err := Run(t.Context(), r.spec, Options{})
	require.ErrorContains(t, err, "there are samples of 2026-01-01T00:00:00Z, and the inputs begin at 2026-01-02T00:00:00Z")
	require.ErrorContains(t, err, "2026-01-02T04:00:05Z or later")
	_, err = Run(t.Context(), r.spec, Options{From: midnight(1)})
	require.ErrorContains(t, err, "or later")
	found := r.audit(Options{From: midnight(1).Add(4*time.Hour + time.Minute)})
	require.Zero(t, found.Findings)
	require.EqualValues(t, 43, found.Sinks[0].Stages[0].Equal)
}
