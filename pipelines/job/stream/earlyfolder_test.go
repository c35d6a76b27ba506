package stream

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"tributary/io/folderio"
	"tributary/io/kafkaio/source"
	"tributary/pipelines/job/batch"
	"tributary/pipelines/job/topics"
	"tributary/pipelines/spec"
	"tributary/runners/prism"
)

// TestStagesIntoAFolder writes the samples of stages into folders, beside a topic or not: they are those of a join of files, and a run
// that goes on from the log puts back what was not known to be complete.
func TestStagesIntoAFolder(t *testing.T) {
	for _, c := range []struct{ name, samples string }{
		{"alone", "samples: stream/samples\n  late: {topic: samples.late}\n  dead_letters: {topic: samples.dead}\n  accounts: {topic: samples.accounts}\n  time_index: {topic: samples.marks}"},
		{"put together, in folders of hours, beside a topic", "samples: [{topic: samples}, {path: stream/samples, folders: hour, compact: 5m}]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := hard(t, 500)
			addStages(t, dir, "stages: [{after: 30s, out_of_orderness: 10s}, 1m]\n")
			fake, err := kfake.NewCluster(kfake.NumBrokers(1))
			require.NoError(t, err)
			t.Cleanup(fake.Close)
			s := streamSpec(t, dir, fake.ListenAddrs(), "samples: {topic: samples}", c.samples)
			_, err = topics.Create(t.Context(), s, topics.CreateOptions{Inputs: true, Partitions: 3, Replicas: 1})
			require.NoError(t, err)
			send(t, fake.ListenAddrs(), "views", dir+"/views")
			send(t, fake.ListenAddrs(), "engagements", dir+"/engagements")
			files, err := spec.Load(dir + "/spec.yaml")
			require.NoError(t, err)
			_, err = batch.Run(t.Context(), files, batch.Options{})
			require.NoError(t, err)
			want := samplesIn(t, dir+"/out/samples")

			opt := Options{Rest: 50 * time.Millisecond, Readers: prism.Readers, Stop: source.Stop{At: source.StopAtEnd}, Drain: true}
			plan, err := New(t.Context(), s, opt)
			require.NoError(t, err)
			pipeline := plan.Pipeline()
			edges, _, err := pipeline.Build()
			require.NoError(t, err)
			// Or else what is missing of them would not be written once the last stage is complete.
			for _, stage := range []string{"30s", "1m"} {
				require.True(t, waits(edges, "Folder/Progress/folderio.NoteProgress", "Stage "+stage+"/Samples/Folder/folderio.Write"), stage)
			}
			run(t, pipeline)
			require.True(t, maps.Equal(want, samplesIn(t, dir+"/stream/samples")))
			first := filesIn(t, dir+"/stream/samples")
			removeShard(t, first)
			opt.Resume = FromLog
			again, err := New(t.Context(), s, opt)
			require.NoError(t, err)
			run(t, again.Pipeline())
			got, anew := filesIn(t, dir+"/stream/samples"), 0
			for file, content := range first {
				from, _, ok := folderio.Times(file)
				require.True(t, ok, file)
				stage := slices.IndexFunc(s.Stages, func(stage spec.Stage) bool { return strings.Contains(file, "/stage="+stage.Name()+"/") })
				of := again.params.OfStage(stage)
				require.Positive(t, of.Since, "it goes on from somewhere")
				if from >= of.Since {
					require.Equal(t, content, got[file], file)
					anew++
				}
			}
			require.Positive(t, anew)
			require.Less(t, anew, len(first), "what is complete is not written again")
		})
	}
}

// waits tells whether what edges of one name take follows from those of another.
func waits(edges []*graph.MultiEdge, name, from string) bool {
	var reach func(e *graph.MultiEdge) bool
	reach = func(e *graph.MultiEdge) bool {
		for _, in := range e.Input {
			for _, before := range edges {
				for _, out := range before.Output {
					if out.To == in.From && (strings.Contains(before.Scope().String(), from) || reach(before)) {
						return true
					}
				}
			}
		}
		return false
	}
	for _, e := range edges {
		if at := e.Scope().String(); strings.Contains(at, name) && !strings.Contains(at, "Stage ") {
			return reach(e)
		}
	}
	return false
}
