package audit

import (
	"encoding/binary"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"tributary/pipelines/job/stream"
)

// TestMeaning: a spec that means something else than when the samples were written is told, and one whose buckets are others is refused.
func TestMeaning(t *testing.T) {
	for _, samples := range []string{"samples: {topic: samples}", "samples: stream/samples\n" + beside} {
		r := newRig(t, samples, "")
		was := *r.spec
		changed := was
		changed.Engagements = append(changed.Engagements[:0:0], was.Engagements...)
		changed.Engagements[0].Window = 2*time.Minute + time.Second
		r.spec = &changed
		found := r.audit(Options{})
		require.Positive(t, found.Findings)
		require.Len(t, found.Sinks[0].Notes, 1)
		require.Contains(t, found.Sinks[0].Notes[0], "the spec meant something else (engagements.buy: window 180000 ms")
		changed = was
		changed.Bucket = 2 * time.Minute
		_, err := Run(t.Context(), &changed, Options{})
		require.ErrorContains(t, err, "its samples were written in buckets of 60000 ms, and the spec has 120000 ms")
	}
}

// TestNewerSchema: samples keep the schema that their views had, though the registry has a newer one.
func TestNewerSchema(t *testing.T) {
	registry := srfake.New()
	t.Cleanup(registry.Close)
	register := func(fields string) int {
		id, _, err := registry.RegisterSchema("views-value", sr.Schema{Schema: `{"type":"record","name":"View","fields":[` + fields + `]}`, Type: sr.TypeAvro})
		require.NoError(t, err)
		return id
	}
	const idAndTime = `{"name":"id","type":"string"},{"name":"ts","type":"long"}`
	first := register(idAndTime)
	r := newSmall(t, "", "}}\nviews: {inputs: [{topic: views, format: json}]", fmt.Sprintf(", registry: {url: %q}}}\nviews: {inputs: [{topic: views}]", registry.URL()))
	record := func(id string, after time.Duration) string {
		framed := binary.BigEndian.AppendUint32([]byte{0}, uint32(first))
		framed = append(binary.AppendVarint(framed, int64(len(id))), id...)
		return string(binary.AppendVarint(framed, begin.Add(after).UnixMilli()))
	}
	r.put("views", 0, record("a", 0), record("b", 10*time.Second), record("c", 200*time.Second), record("d", 201*time.Second))
	r.put("likes", 0, like("a", time.Second), like("c", 201*time.Second), like("c", 202*time.Second))
	r.stream(stream.Options{})
	require.Zero(t, r.audit(Options{}).Findings)
	register(`{"name":"page","type":"string","default":""},` + idAndTime)
	found := r.audit(Options{})
	require.Zero(t, found.Findings, "%+v", found.Sinks[0].Examples)
	require.EqualValues(t, 2, found.Sinks[0].Stages[0].Equal)
	require.Empty(t, found.Sinks[0].Notes)
}

// TestFilesOfAStream: files that a stream does not read, as they came after it began, are not joined again.
func TestFilesOfAStream(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, lines ...string) {
		text := ""
		for _, line := range lines {
			text += line + "\n"
		}
		require.NoError(t, os.WriteFile(dir+"/"+name, []byte(text), 0o600))
	}
	r := newSmall(t, "", "{topic: views, format: json}", "{path: "+dir+"/views-*.jsonl, order: file}")
	write("views-1.jsonl", view("a", 0), view("b", 10*time.Second), view("c", 200*time.Second), view("d", 201*time.Second))
	r.put("likes", 0, like("a", time.Second), like("c", 201*time.Second), like("c", 202*time.Second))
	r.stream(stream.Options{})
	require.Zero(t, r.audit(Options{}).Findings)
	write("views-2.jsonl", view("e", 5*time.Second))
	found := r.audit(Options{})
	require.Zero(t, found.Findings, "%+v", found.Sinks[0].Examples)
	require.EqualValues(t, 2, found.Sinks[0].Stages[0].Equal)
	require.NoError(t, os.Remove(dir+"/views-1.jsonl"))
	_, err := Run(t.Context(), r.spec, Options{})
	require.ErrorContains(t, err, "views-1.jsonl is gone")
}
