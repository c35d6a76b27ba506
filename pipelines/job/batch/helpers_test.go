package batch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/fileio"
	"tributary/io/format/avro"
	"tributary/io/format/jsontext"
	"tributary/io/packed"
	"tributary/pipelines/report"
	"tributary/pipelines/sim/generate"
	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
	"tributary/transforms/account"
)

// row is a sample as it stands in a file.
type row struct {
	ViewID      string             `json:"view_id"`
	ViewTime    int64              `json:"view_time"`
	Positive    bool               `json:"positive"`
	Labels      map[string]float64 `json:"labels"` // a null is 0
	Delay       map[string]*int64  `json:"delay_ms"`
	Maturity    int64              `json:"maturity_ms"`
	Rate        float64            `json:"sampling_rate"`
	Weight      float64            `json:"weight"`
	SpecVersion int32              `json:"spec_version"`
	View        json.RawMessage    `json:"view"`
}

// made generates input in a folder of its own.
func made(t testing.TB, c generate.Config) (dir string, truth generate.Truth) {
	t.Helper()
	c.Out = t.TempDir()
	truth, err := generate.Run(context.Background(), c, nil)
	require.NoError(t, err)
	return c.Out, truth
}

// loadSpec reads dir/spec.yaml; edits are pairs of old and new text, each of which is there.
func loadSpec(t testing.TB, dir string, edits ...string) *spec.Spec {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, "spec.yaml"))
	require.NoError(t, err)
	text := string(content)
	for i := 0; i < len(edits); i += 2 {
		require.Contains(t, text, edits[i])
		text = strings.ReplaceAll(text, edits[i], edits[i+1])
	}
	return parse(t, dir, text)
}

func parse(t testing.TB, dir, text string) *spec.Spec {
	t.Helper()
	s, err := spec.Parse(filepath.Join(dir, "spec.yaml"), []byte(text))
	require.NoError(t, err, text)
	return s
}

// to sends the outputs of a copy of s to another folder.
func to(s *spec.Spec, dir string) *spec.Spec {
	moved := *s
	o := &moved.Outputs
	o.Samples.Path, o.Late, o.DeadLetters, o.Accounts = dir+"/samples", dir+"/late", dir+"/dead", dir+"/ledger"
	if o.Orphans != "" {
		o.Orphans = dir + "/orphans"
	}
	return &moved
}

// join runs s and wants it to succeed and to balance.
func join(t testing.TB, s *spec.Spec, opt Options) *report.Report {
	t.Helper()
	r, err := Run(context.Background(), s, opt)
	require.NoError(t, err)
	require.NoError(t, r.Accounts.Check())
	return r
}

// refused runs s and returns the problems that keep it from running.
func refused(t testing.TB, s *spec.Spec) problem.List {
	t.Helper()
	_, err := Run(context.Background(), s, Options{})
	var list problem.List
	require.ErrorAs(t, err, &list)
	return list
}

// samplesBelow reads all samples below a folder of Avro files, in order of their files.
func samplesBelow(t testing.TB, dir string) (all []row) {
	t.Helper()
	eachRecord(t, dir, func(_ string, text []byte) {
		var r row
		require.NoError(t, json.Unmarshal(text, &r), "%s", text)
		all = append(all, r)
	})
	return all
}

// eachRecord calls visit for every record of the Avro files below dir, as JSON in the order of the
// schema's fields.
func eachRecord(t testing.TB, dir string, visit func(path string, text []byte)) {
	t.Helper()
	for _, path := range below(t, dir) {
		f, err := os.Open(path)
		require.NoError(t, err)
		_, err = avro.EachRecord(f, func(_, text []byte) error {
			visit(path, bytes.Clone(text))
			return nil
		})
		require.NoError(t, err, path)
		require.NoError(t, f.Close())
	}
}

// lines returns the lines of all files below a folder, those of .gz files unpacked.
func lines(t testing.TB, dir string) (all []string) {
	t.Helper()
	for _, path := range below(t, dir) {
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		plain, err := io.ReadAll(packed.NewReader(path, bytes.NewReader(content)))
		require.NoError(t, err)
		require.True(t, bytes.HasSuffix(plain, []byte("\n")), path)
		all = append(all, strings.Split(strings.TrimSuffix(string(plain), "\n"), "\n")...)
	}
	return all
}

// below returns the files below a folder, sorted: those that a user's pattern finds.
func below(t testing.TB, dir string) []string {
	t.Helper()
	found, err := fileio.List(context.Background(), dir+"/")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	require.NoError(t, err)
	paths := make([]string, len(found))
	for i, f := range found {
		paths[i] = f.Path
	}
	return paths
}

// contents returns all files below dir by their relative paths, hidden ones too.
func contents(t testing.TB, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		name, relErr := filepath.Rel(dir, path)
		found[name] = string(content)
		return errors.Join(err, relErr)
	}))
	return found
}

// requireSameFiles compares folders byte by byte, but for ledgers, of which the part that
// must agree is compared.
func requireSameFiles(t testing.TB, want, got map[string]string) {
	t.Helper()
	require.Equal(t, slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got)))
	for name := range want {
		if strings.HasPrefix(name, "ledger/") {
			require.Equal(t, accountOf(t, want[name]), accountOf(t, got[name]), name)
			continue
		}
		require.True(t, want[name] == got[name], "%s differs", name)
	}
}

// accountOf is a ledger file without what may differ for the same samples: the
// fingerprint (paths and versions of the input are in it), the bytes in blocks (copies of
// engagements, and headers, depend on bucket length and shards) and the timeline (its
// grain is the bucket; its sums are held against the counts by Ledger.Check).
func accountOf(t testing.TB, content string) *account.Sheet {
	t.Helper()
	l, err := account.Decode([]byte(content))
	require.NoError(t, err)
	return same(l)
}

func same(l *account.Sheet) *account.Sheet {
	c := account.New()
	c.Merge(l)
	c.Bytes.Blocks, c.Timeline = 0, nil
	return c
}

// writeAvro writes rows of JSON as an Avro file, in blocks of that size or a little more.
func writeAvro(t testing.TB, path, schema string, blockBytes int, rows ...string) {
	t.Helper()
	parsed, err := avro.ParseSchema(schema)
	require.NoError(t, err)
	encoder, err := jsontext.NewEncoder(parsed, false)
	require.NoError(t, err)
	var file bytes.Buffer
	w, err := avro.NewWriter(&file, parsed, avro.WriterOptions{BlockBytes: blockBytes})
	require.NoError(t, err)
	for _, r := range rows {
		datum, err := encoder.Append(nil, []byte(r))
		require.NoError(t, err, r)
		require.NoError(t, w.Append(datum))
	}
	require.NoError(t, w.Close())
	write(t, path, file.String())
}

func write(t testing.TB, path, content string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
}

// counts is the part of a ledger that a generated truth tells.
func counts(l *account.Sheet) generate.Truth {
	v := l.Views
	out := generate.Truth{
		Views: generate.ViewCounts{
			Read: v.N[account.Read], Samples: v.N[account.Samples] + v.N[account.SampledOut], Duplicates: v.N[account.Duplicates], DuplicatesDiffering: v.N[account.DuplicatesDiffering],
			Late: v.N[account.Late], Dead: v.N[account.Dead], Positives: v.N[account.Positives],
		},
		Engagements: map[string]*generate.EngagementCounts{},
	}
	for kind, e := range l.Engagements {
		out.Engagements[kind] = &generate.EngagementCounts{
			Read: e.N[account.Read], Matched: e.N[account.Matched], Outside: e.N[account.Outside], Orphans: e.N[account.Orphans], Duplicates: e.N[account.Duplicates],
			Late: e.N[account.Late], Dead: e.N[account.Dead], Positives: e.N[account.Positives],
		}
	}
	return out
}
