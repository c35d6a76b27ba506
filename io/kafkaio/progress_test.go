package kafkaio

import (
	"context"
	"strings"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tributary/io/kafkaio/commitlog"
	"tributary/io/kafkaio/sink"
)

// TestNoteProgress: the commit log says how far the output has come, once all of it is there.
func TestNoteProgress(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	defer cluster.Close()
	r := sinkOn(t, 2, cluster.ListenAddrs())
	r.w.Step = 1000
	r.Create("late", 1, nil)
	run := func() error {
		if !beam.Initialized() {
			beam.Init()
		}
		p, s := beam.NewPipelineWithRoot()
		late := sink.Config{Cluster: r.w.Cluster, Topic: "late"}
		committed, _ := Write(s, r.w, beam.ParDo(s, stamp, beam.CreateList(s, groupParts())))
		_, sent := WriteAtLeastOnce(s, late, beam.CreateList(s, []sink.Message{{Value: []byte("v")}}))
		NoteProgress(s, r.w, committed, sent)
		_, err := prism.Execute(t.Context(), p)
		return err
	}
	cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "late", Err: kerr.InvalidRecord})
	require.ErrorContains(t, run(), "INVALID_RECORD")
	got, err := sink.Recover(t.Context(), r.w)
	require.NoError(t, err)
	require.Equal(t, commitlog.Progress{CommittedBefore: commitlog.NoID, FencingEpoch: 1}, got, "something is not written yet")

	r.w.Earlier, r.w.FencingEpoch = got.Earlier, got.FencingEpoch
	require.NoError(t, run())
	got, err = sink.Recover(t.Context(), r.w)
	require.NoError(t, err)
	require.Equal(t, commitlog.Progress{CommittedBefore: 3000, FencingEpoch: 2}, got)
}

// TestNoteProgressWaitsForAll: what closes the windows of notes is the watermark of groups and of
// every topic beside them.
func TestNoteProgressWaitsForAll(t *testing.T) {
	r := newFakeSink(t, 2)
	r.w.Step = 1000
	p, s := beam.NewPipelineWithRoot()
	committed, _ := Write(s, r.w, beam.ParDo(s, stamp, beam.CreateList(s, groupParts())))
	var sent []beam.PCollection
	for _, topic := range []string{"late", "dead"} {
		_, c := WriteAtLeastOnce(s, sink.Config{Cluster: r.w.Cluster, Topic: topic}, beam.CreateList(s, []sink.Message{{}}))
		sent = append(sent, c)
	}
	NoteProgress(s, r.w, committed, sent...)
	edges, _, err := p.Build()
	require.NoError(t, err)
	madeBy := map[int]*graph.MultiEdge{}
	var notes *graph.MultiEdge
	for _, e := range edges {
		for _, out := range e.Output {
			madeBy[out.To.ID()] = e
		}
		if e.Op == graph.CoGBK && strings.Contains(e.Scope().String(), "kafkaio.NoteProgress") {
			notes = e
		}
	}
	before := map[string]int{}
	seen := map[int]bool{}
	var visit func(e *graph.MultiEdge)
	visit = func(e *graph.MultiEdge) {
		if seen[e.ID()] {
			return
		}
		seen[e.ID()] = true
		if e.DoFn != nil {
			before[e.DoFn.Name()]++
		}
		for _, in := range e.Input {
			visit(madeBy[in.From.ID()])
		}
	}
	visit(notes)
	require.Equal(t, 1, before["tributary/io/kafkaio.writeFn"], before)
	require.Equal(t, 2, before["tributary/io/kafkaio.sendFn"], before)
}

// TestProgressOfBundles: a note is of the largest group so far that is not provisional, and is
// written once.
func TestProgressOfBundles(t *testing.T) {
	r := newFakeSink(t, 1)
	f := &progressFn{Config: sink.Config{Cluster: r.w.Cluster, Topic: r.w.CommitLog, ProvisionalFrom: 50}, Job: r.w.Job}
	f.Setup()
	bundle := func(ids ...int64) {
		f.ProcessElement(0, func(id *int64) bool {
			if len(ids) == 0 {
				return false
			}
			*id, ids = ids[0], ids[1:]
			return true
		})
	}
	bundle(20, 40, 10)
	require.NoError(t, f.FinishBundle(t.Context()))
	bundle(30)
	require.NoError(t, f.FinishBundle(t.Context()), "no news")
	bundle(50, 60)
	require.NoError(t, f.FinishBundle(t.Context()), "neither are provisional groups")
	var notes []string
	for _, record := range r.CommittedRecords(r.w.CommitLog) {
		notes = append(notes, string(record.Value))
	}
	require.Equal(t, []string{`{"job":"` + r.w.Job + `","through":40}`}, notes)

	bundle(45)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorContains(t, f.FinishBundle(gone), "kafkaio.NoteProgress: ")
	require.NoError(t, f.FinishBundle(t.Context()), "it is written with the next bundle")
	require.Len(t, r.CommittedRecords(r.w.CommitLog), 2)
}
