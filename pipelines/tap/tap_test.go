package tap

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"tributary/pipelines/job/topics"
	"tributary/pipelines/spec"
)

// canary is in every field that a mask hides.
const canary = "canary"

// rig is a stream's topics, to which a test writes.
type rig struct {
	*testing.T
	brokers []string
	spec    *spec.Spec
	client  *kgo.Client
}

func newRig(t *testing.T, registry, format string) *rig {
	t.Helper()
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	r := &rig{T: t, brokers: fake.ListenAddrs()}
	r.spec, err = spec.Parse(t.TempDir()+"/stream.yaml", fmt.Appendf(nil, `
clusters: {main: {brokers: [%q]%s}}
views: {inputs: [{topic: views, format: json}], id: id, time: {field: ts, unit: epoch-millis}}
engagements:
  like: {inputs: [{topic: likes, format: json}], view: view, id: id, time: {field: ts, unit: epoch-millis}, window: 1m}
  buy: {inputs: [{topic: buys, format: json}], view: view, id: id, time: {field: ts, unit: epoch-millis}, window: 2m}
shards: 2
outputs: {samples: {topic: samples%s}, late: {topic: late}, dead_letters: {topic: dead}, orphans: {topic: orphans}}
`, r.brokers[0], registry, format))
	require.NoError(t, err)
	_, err = topics.Create(t.Context(), r.spec, topics.CreateOptions{Inputs: true, Partitions: 1, Replicas: 1})
	require.NoError(t, err)
	r.client, err = kgo.NewClient(kgo.SeedBrokers(r.brokers...))
	require.NoError(t, err)
	t.Cleanup(r.client.Close)
	return r
}

func (r *rig) put(records ...*kgo.Record) {
	r.Helper()
	for _, one := range records {
		require.NoError(r, r.client.ProduceSync(r.Context(), one).FirstErr())
	}
}

func sampleText(id string, version, like int) string {
	return fmt.Sprintf(`{"view_id":%q,"view_time":1767261600000,"weight":1,"stage":"final","version":%d,"positive":%t,"labels":{"like":%d,"buy":0},"view":{"id":%q,"secret":"canary"}}`, id, version, like > 0, like, id)
}

// everything writes one record of each sort, and what must not be shown.
func (r *rig) everything() {
	r.Helper()
	r.put(
		&kgo.Record{Topic: "samples", Key: []byte("v1"), Value: []byte(sampleText("v1", 0, 0))},
		&kgo.Record{Topic: "samples", Key: []byte("v1"), Value: []byte(sampleText("v1", 1, 1)), Partition: 0, Headers: []kgo.RecordHeader{
			{Key: "version", Value: []byte("2")},
			{Key: "corrected", Value: []byte(`{"late":true,"changed":{"labels.like":[0,1],"view.secret":["canary",null]}}`)},
		}},
		&kgo.Record{Topic: "late", Value: []byte(`{"reason":"late","detail":"canary","role":"like","source":"main/likes/0","offset":3,"event_time":"2026-01-01T10:00:00Z","record":{"id":"l1","view":"v1","x":"canary"}}`)},
		&kgo.Record{Topic: "dead", Value: []byte(`{"reason":"malformed","detail":"canary","role":"buy","source":"main/buys/0","offset":4,"record_base64":"canary"}`)},
		&kgo.Record{Topic: "orphans", Value: []byte(`{"reason":"orphan","detail":"no view","role":"like","source":"main/likes/0","offset":5,"view_id":"v9"}`)},
	)
	client, err := kgo.NewClient(kgo.SeedBrokers(r.brokers...), kgo.TransactionalID("aborts"))
	require.NoError(r, err)
	defer client.Close()
	require.NoError(r, client.BeginTransaction())
	require.NoError(r, client.ProduceSync(r.Context(), &kgo.Record{Topic: "samples", Key: []byte("gone"), Value: []byte(sampleText("gone", 0, 1))}).FirstErr())
	require.NoError(r, client.EndTransaction(r.Context(), kgo.TryAbort))
	r.put(&kgo.Record{Topic: "samples", Key: []byte("v2"), Value: []byte(sampleText("v2", 0, 0))})
}

// tap shows what comes within a while, or so many; text and the last line.
func (r *rig) tap(opt Options, within time.Duration) (text, last string) {
	r.Helper()
	t, err := New(r.spec, opt)
	require.NoError(r, err)
	ctx, cancel := context.WithTimeout(r.Context(), within)
	defer cancel()
	var out, say bytes.Buffer
	require.NoError(r, t.Run(ctx, &out, &say))
	return out.String(), say.String()
}

func words(text string) map[string]int {
	all := map[string]int{}
	for line := range strings.Lines(text) {
		all[strings.Fields(line)[0]]++
	}
	return all
}

// while is longer than it takes to read what there is.
const while = 2 * time.Second

// TestEveryKind: each record is shown once under its word, what was aborted never, and no group is left.
func TestEveryKind(t *testing.T) {
	r := newRig(t, "", ", format: json")
	r.everything()
	text, last := r.tap(Options{FromBeginning: true}, while)
	require.Equal(t, map[string]int{"sample": 2, "change": 1, "late": 1, "dead": 1, "orphan": 1}, words(text), text)
	require.NotContains(t, text, "gone")
	require.Contains(t, text, "corrected for late engagements")
	require.Contains(t, text, "labels.like: 0 -> 1")
	require.Contains(t, text, canary)
	require.Equal(t, "6 (sample 2, change 1, late 1, dead 1, orphan 1) shown, 0 left out\n", last)
	groups, err := kadm.NewClient(r.client).ListGroups(t.Context())
	require.NoError(t, err)
	require.Empty(t, groups)
}

// TestMask: nothing of a view or a record is shown, in text and JSON, and what is not hidden is.
func TestMask(t *testing.T) {
	r := newRig(t, "", ", format: json")
	r.everything()
	r.put(&kgo.Record{Topic: "samples", Key: []byte("v3"), Value: []byte(`canary`)}, &kgo.Record{Topic: "dead", Value: []byte(`{"reason":"malformed","detail":"canary`)})
	for _, asJSON := range []bool{false, true} {
		text, last := r.tap(Options{FromBeginning: true, Mask: true, JSON: asJSON, Count: 8}, time.Minute)
		require.NotContains(t, text, canary)
		require.Contains(t, text, "v9")
		require.Contains(t, text, "labels.like")
		require.Contains(t, text, "malformed")
		require.Contains(t, last, "8 (")
	}
}

// TestFilters: flags, ids and kinds show what they name only.
func TestFilters(t *testing.T) {
	r := newRig(t, "", ", format: json")
	r.everything()
	for _, c := range []struct {
		name string
		opt  Options
		want map[string]int
	}{
		{"late and dead", Options{What: []What{Late, Dead}}, map[string]int{"late": 1, "dead": 1}},
		{"changes", Options{What: []What{Change}}, map[string]int{"change": 1}},
		{"an id, also in a record", Options{IDs: []string{"v1"}}, map[string]int{"sample": 1, "change": 1, "late": 1}},
		{"two ids", Options{IDs: []string{"v2", "v9"}}, map[string]int{"sample": 1, "orphan": 1}},
		{"a kind", Options{Kind: "like"}, map[string]int{"change": 1, "late": 1, "orphan": 1}},
		{"another kind", Options{Kind: "buy"}, map[string]int{"dead": 1}},
		{"since", Options{Since: time.Now().Add(-time.Hour)}, map[string]int{"sample": 2, "change": 1, "late": 1, "dead": 1, "orphan": 1}},
		{"since later", Options{Since: time.Now().Add(time.Hour)}, map[string]int{}},
		{"from now on", Options{}, map[string]int{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.opt.FromBeginning = c.opt.Since.IsZero() && c.name != "from now on"
			r := *r
			r.T = t
			text, _ := r.tap(c.opt, while)
			require.Equal(t, c.want, words(text), text)
		})
	}
}

// TestAvro: samples of Avro with a registry are shown as JSON; without one, a script of the command has them.
func TestAvro(t *testing.T) {
	schemas := srfake.New()
	t.Cleanup(schemas.Close)
	r := newRig(t, ", registry: {url: "+schemas.URL()+"}", "")
	const schema = `{"type":"record","name":"s","fields":[{"name":"view_id","type":"string"},{"name":"view_time","type":"long"},{"name":"weight","type":"double"},{"name":"labels","type":{"type":"record","name":"l","fields":[{"name":"like","type":"int"}]}}]}`
	id, _, err := schemas.RegisterSchema("samples-value", sr.Schema{Schema: schema})
	require.NoError(t, err)
	value := append([]byte{0, 0, 0, 0, byte(id)}, 4, 'v', '7', 2, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 2)
	r.put(&kgo.Record{Topic: "samples", Key: []byte("v7"), Value: value})
	shown, _ := r.tap(Options{FromBeginning: true, JSON: true, Count: 1, Kind: "like"}, time.Minute)
	var e Entry
	require.NoError(t, json.Unmarshal([]byte(shown), &e), shown)
	require.Equal(t, "v7", e.ViewID)
	require.JSONEq(t, `{"like":1}`, string(e.Labels))
	require.Empty(t, e.Note)
}

// TestRate: what is more than the rate is counted and told, and none of it is lost from the count.
func TestRate(t *testing.T) {
	var out, say bytes.Buffer
	s := newShow(&out, Options{Rate: 2})
	now := time.Unix(1, 0)
	s.now = func() time.Time { return now }
	for range 5 {
		_, err := s.take(&Entry{What: Late})
		require.NoError(t, err)
	}
	now = now.Add(time.Second)
	_, err := s.take(&Entry{What: Dead})
	require.NoError(t, err)
	require.NoError(t, s.end(&say))
	require.Equal(t, map[string]int{"late": 2, "...": 1, "dead": 1}, words(out.String()))
	require.Contains(t, out.String(), "... 3 left out")
	require.Equal(t, "3 (late 2, dead 1) shown, 3 (late 3) left out\n", say.String())
}

// TestLabels: a change tells the labels that were seen before; a long value is cut, and nothing moves a terminal.
func TestLabels(t *testing.T) {
	l := newLabels()
	_, known := l.swap("v", 1, "a")
	require.False(t, known)
	for i := range labelsKept - 1 {
		l.swap("w", int64(i), "")
	}
	before, known := l.swap("v", 1, "b")
	require.True(t, known)
	require.Equal(t, "a", before)
	l.swap("more", 0, "")
	require.LessOrEqual(t, len(l.by), labelsKept)
	_, known = l.swap("v", 1, "c")
	require.False(t, known)
	require.Equal(t, "ab...", cut("abc", 2))
	require.NotContains(t, cut("\x1b[2J\u009b", 9), "\x1b")
}
