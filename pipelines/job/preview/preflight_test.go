package preview_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/pipelines/job/preview"
	"tributary/pipelines/sim/generate"
	"tributary/pipelines/spec"
)

// folder lays out files and reads the spec among them.
func folder(t *testing.T, files map[string]string) (string, *spec.Spec) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	s, err := spec.Load(filepath.Join(dir, "spec.yaml"))
	require.NoError(t, err)
	return dir, s
}

func TestRecordsThatAJoinWouldRefuse(t *testing.T) {
	_, s := folder(t, map[string]string{
		"spec.yaml": `
views: {inputs: [{path: views.csv, order: file}], id: id, time: ts}
engagements:
  like: {inputs: [{path: likes.jsonl, order: {partition: p, offset: o}}], view: id, time: ts, window: 10m}
outputs: {samples: out/samples}
`,
		"views.csv": "id,ts,note\n" +
			"v1,2026-01-01T10:00:00Z,\n" +
			"v2,2026-01-01T12:00:00Z," + strings.Repeat("long", 20_000) + "\n" + // the end of a batch
			",2026-01-01T12:00:01Z,\n" +
			"v3,2026-01-01T10:00:01Z,\n", // 2 h behind two records, in order of the file
		"likes.jsonl": `{"id": "v1", "ts": "2026-01-01T10:00:02Z", "p": "a", "o": 1}` + "\n" +
			`{"id": "v1", "ts": "2026-01-01T10:00:03Z", "p": "a"}` + "\n" +
			`{"id": "v1", "ts": "2026-01-01T10:00:04Z", "p": "a", "o": 3}` + "\n",
	})
	inputs, problems, err := preview.Check(t.Context(), s, preview.Options{})
	require.NoError(t, err)
	assert.Empty(t, problems)
	require.Len(t, inputs, 2)
	views, likes := inputs[0], inputs[1]

	assert.Equal(t, "views.inputs.0", views.Input)
	assert.True(t, views.Whole)
	assert.Equal(t, []int64{4, 4, 1, 1}, []int64{views.Read, views.Matching, views.Late, views.Dead})
	require.Len(t, views.Reasons, 2)
	assert.Contains(t, views.Reasons[0].Example, `(record 3 of "`)
	assert.Contains(t, views.Reasons[1].Example, `(record 4 of "`)
	assert.Equal(t, "2026-01-01 12:00:01 +0000 UTC", views.To.String())

	assert.Equal(t, []int64{3, 1, 2, 1}, []int64{likes.Read, likes.Unreadable, likes.Matching, likes.Dead})
	assert.Contains(t, likes.Reasons[0].Example, "its place in the log")
	assert.False(t, preview.Failed(inputs))
}

// TestOneLogInBothRoles: what where of the views does not let through is read, and is neither a view nor dead.
func TestOneLogInBothRoles(t *testing.T) {
	_, s := folder(t, map[string]string{
		"spec.yaml": `
views: {inputs: log.jsonl, where: {event: view}, id: id, time: ts}
engagements:
  like: {inputs: log.jsonl, where: {event: like}, view: view, time: ts, window: 10m}
  share: {inputs: log.jsonl, where: {event: share}, view: view, time: ts, window: 10m}
outputs: {samples: out/samples}
`,
		"log.jsonl": `{"event": "view", "id": "v1", "ts": "2026-01-01T10:00:02Z"}` + "\n" +
			`{"event": "view", "ts": "2026-01-01T10:00:03Z"}` + "\n" +
			`{"event": "like", "view": "v1", "ts": "2026-01-01T10:00:04Z"}` + "\n" +
			`{"event": "ping"}` + "\n",
	})
	inputs, problems, err := preview.Check(t.Context(), s, preview.Options{})
	require.NoError(t, err)
	assert.Empty(t, problems)
	require.Len(t, inputs, 3)
	for i, want := range [][]int64{{4, 2, 1}, {4, 1, 0}, {4, 0, 0}} {
		assert.Equal(t, want, []int64{inputs[i].Read, inputs[i].Matching, inputs[i].Dead}, inputs[i].Input)
	}
	assert.Contains(t, preview.Text(inputs), "where   2 of 4 (50.0 %) match (event = view)")
}

func TestFieldsOfSchemasAndDamage(t *testing.T) {
	dir := t.TempDir()
	config := generate.Default()
	config.Out, config.Views, config.Partitions = dir, 3000, 1
	_, err := generate.Run(t.Context(), config, nil)
	require.NoError(t, err)
	s, err := spec.Load(filepath.Join(dir, "spec.yaml"))
	require.NoError(t, err)

	files, err := filepath.Glob(filepath.Join(dir, "views", "*"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	content, err := os.ReadFile(files[0])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(files[0], content[:len(content)-100], 0o600)) // within the last block

	inputs, problems, err := preview.Check(t.Context(), s, preview.Options{})
	require.NoError(t, err)
	assert.Empty(t, problems)
	views := inputs[0]
	assert.Equal(t, int64(3000), views.Read)
	assert.Positive(t, views.Unreadable)
	assert.Equal(t, views.Unreadable, views.Dead)
	assert.Contains(t, views.Reasons[0].Example, "the file ends within it")
	assert.Contains(t, views.Schemas[0].Fields, preview.Field{Path: "ts", Type: "long (timestamp-millis)", In: views.Schemas[0].Records})
	assert.True(t, strings.HasPrefix(string(views.Record), `{"view_id":"`), string(views.Record))

	// A block without its two numbers does not say how many records it has.
	sync := content[len(content)-16:]
	block := bytes.Index(content, sync) + len(sync)
	broken := slices.Replace(slices.Clone(content), block, block+12, bytes.Repeat([]byte{0xff}, 12)...)
	require.NoError(t, os.WriteFile(files[0], broken, 0o600))
	hidden, _, err := preview.Check(t.Context(), s, preview.Options{})
	require.NoError(t, err)
	require.Len(t, hidden[0].Damages, 1)
	assert.Contains(t, preview.Text(hidden), "how many is not known, at 1 place of the files; the first: "+files[0])

	first, _, err := preview.Check(t.Context(), s, preview.Options{Records: 10})
	require.NoError(t, err)
	assert.Equal(t, int64(10), first[0].Read)
	assert.False(t, first[0].Whole)
}
