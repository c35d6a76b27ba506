package attribution

import (
	"context"
	"fmt"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/direct" //nolint:staticcheck // bounded and stateless is what it is for
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"
	"github.com/stretchr/testify/require"

	"tributary/io/dofn"
	"tributary/io/record"
	"tributary/transforms/account"
	"tributary/transforms/attribution/attributiontest"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/attribution/shuffle"
	"tributary/transforms/sample"
)

func init() {
	dofn.Register(dofn.Method3x1((*noteStageFn).ProcessElement))
}

// noteStageFn notes the samples of a stage as they come, and stands for the sink that they are written by. It says that those of
// the bucket at Corrects were corrected, if that is set.
type noteStageFn struct {
	Test, Stage string
	P           rules.Params
	Corrects    *int64
}

func (f *noteStageFn) ProcessElement(at beam.EventTime, block sample.Block, corrected func(sample.Correction)) error {
	header, samples, err := block.Open()
	if err != nil {
		return err
	}
	text := ""
	for len(samples) > 0 {
		var encoded []byte
		if encoded, samples, err = sample.Next(samples); err != nil {
			return err
		}
		s := wantOf(&f.P, attributiontest.SampleJSON(panicking{}, &f.P, encoded))
		text += fmt.Sprintf(" %s%v", s.ID, s.Labels)
	}
	if header.Corrections > 0 {
		text += fmt.Sprintf(" behind %d", header.Corrections)
	}
	if text != "" || header.Corrections > 0 {
		note(f.Test, func(n *noted) {
			n.steps = append(n.steps, fmt.Sprintf("%s at %d:%s", f.Stage, at.Milliseconds(), text))
		})
	}
	if f.Corrects != nil && header.Start == *f.Corrects && header.Last {
		corrected(sample.Correction{Start: header.Start, Shard: header.Shard, Times: 2})
	}
	return nil
}

// panicking fails a test in a DoFn.
type panicking struct{}

func (panicking) Errorf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (panicking) FailNow()                          { panic("failed") }

// stagedParams are storyParams with a stage of 20 ms, of which nothing waits for what is out of order.
func stagedParams() *rules.Params {
	p := storyParams(true)
	p.Shards = 1
	p.Stages = []rules.Stage{
		{Name: "20ms", After: 20, Bucket: 10, Shards: 1, Emit: rules.EmitAll},
		{Name: "100ms", After: 100, OutOfOrderness: p.OutOfOrderness, Bucket: p.Bucket, Shards: 1, Emit: rules.EmitChanged},
	}
	p.Stage = 1
	return p
}

// stagesOf builds the stages of a join, each behind what the one before it gave, with everything noted.
func stagesOf(test string, p *rules.Params, corrects *int64, source func(beam.Scope) beam.PCollection) *beam.Pipeline {
	pipeline, s := beam.NewPipelineWithRoot()
	packed := Pack(s, *p, beam.ParDo(s, &openBatchFn{Test: test}, source(s)), InState())
	var before beam.PCollection
	for stage := range p.StageCount() {
		joined := packed.Join(stage, before)
		of := p.OfStage(stage)
		f := &noteStageFn{Test: test, Stage: p.Stages[stage].Name, P: of}
		if !of.Final() {
			f.Corrects = corrects
		}
		before = beam.ParDo(s, f, joined.Samples)
		beam.ParDo0(s, &noteLedgerFn{Test: test}, joined.Accounts)
		if of.Final() {
			beam.ParDo0(s, &noteRejectedFn{Test: test}, joined.Rejected)
		}
	}
	return pipeline
}

func runStages(t *testing.T, p *rules.Params, corrects *int64, stream streamed) *noted {
	t.Helper()
	run(t, prism.Execute, stagesOf(t.Name(), p, corrects, stream.source(t)))
	require.NoError(t, notes[t.Name()].sheet.Check())
	return notes[t.Name()]
}

// TestStagesInStream looks at what is given when: early, on time, corrected, late, and when nothing comes.
func TestStagesInStream(t *testing.T) {
	const none = record.NoTime
	for _, tt := range []struct {
		name   string
		stream streamed
		want   []string
		late   int64 // views, for the first stage
	}{
		{
			name: "a stage is on time, and the rest is given when it is known",
			stream: streamed{
				viewsAt(0, none, `{"id":"a","t":10}`, `{"id":"b","t":12}`), likesAt(0, none, `{"id":"a","t":25}`),
				int64(28), // the bucket ends at 20, the stage is 20 ms, the watermark 10 behind
				viewsAt(2, 12, `{"id":"c","t":45}`),
				int64(30), int64(31), // the runner does what a watermark allows before the next but one step
				likesAt(1, 25, `{"id":"b","t":60}`),
				int64(150), int64(151), int64(152),
				viewsAt(3, 45, `{"id":"d","t":170}`),
			},
			want: []string{
				"read 0@0", "read 1@0", "read 0@2", "20ms at 29: a[1] b[0]",
				"read 1@1", "20ms at 59: c[0]", "100ms at 149: b[1]", "read 0@3", "20ms at 189: d[0]",
			},
		},
		{
			name: "what is late for a stage counts in the next",
			stream: streamed{
				viewsAt(0, none, `{"id":"a","t":10}`, `{"id":"b","t":60}`, `{"id":"late","t":15}`),
				likesAt(0, none, `{"id":"b","t":65}`, `{"id":"a","t":22}`), int64(55), int64(149),
			},
			want: []string{"read 0@0", "read 1@0", "20ms at 29: a[0]", "20ms at 79: b[1]", "100ms at 149: a[1] late[0]"},
			late: 1,
		},
		{
			name: "an event that comes late makes another a duplicate: the label changes",
			stream: streamed{
				viewsAt(0, none, `{"id":"a","t":10}`),
				likesAt(0, none, `{"id":"a","t":14,"eid":"e"}`, `{"id":"z","t":45}`, `{"id":"a","t":11,"eid":"e"}`), int64(149),
			},
			want: []string{"read 0@0", "read 1@0", "20ms at 29: a[1]", "100ms at 149: a[1]"}, // its delay is 1 ms and not 4
		},
		{
			name:   "stages that close at once come in their order",
			stream: streamed{viewsAt(0, none, `{"id":"a","t":10}`), likesAt(0, none, `{"id":"a","t":50}`)},
			want:   []string{"read 0@0", "read 1@0", "20ms at 29: a[0]", "100ms at 149: a[1]"},
		},
		{
			name: "while nothing comes",
			stream: streamed{
				viewsAt(0, none, `{"id":"a","t":10}`), likesAt(0, none, `{"id":"a","t":50}`), int64(100), int64(400),
				viewsAt(1, 10, `{"id":"b","t":900}`), int64(1200),
			},
			want: []string{"read 0@0", "read 1@0", "20ms at 29: a[0]", "100ms at 149: a[1]", "read 0@1", "20ms at 919: b[0]"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := stagedParams()
			got := runStages(t, p, nil, tt.stream)
			require.Equal(t, tt.want, got.steps)
			require.Equal(t, tt.late, got.sheet.Stages["20ms"].N[account.Late])
			require.Zero(t, got.sheet.Views.N[account.Late])
		})
	}
}

// TestStagesFollowCorrections: what was corrected in one stage is followed by all that the next has said of these views.
func TestStagesFollowCorrections(t *testing.T) {
	p := stagedParams()
	p.Marked = true
	stream := streamed{viewsAt(0, record.NoTime, `{"id":"a","t":10}`, `{"id":"b","t":60}`), int64(400)}
	corrects := int64(10)
	got := runStages(t, p, &corrects, stream)
	require.Equal(t, []string{"read 0@0", "20ms at 29: a[0]", "20ms at 79: b[0]", "100ms at 149: a[0] behind 2", "100ms at 149: behind 2", "100ms at 199: b[0]"}, got.steps)
}

// TestStagesFollowEarlierRuns: what an earlier run has corrected of a stage, in buckets that this one does not join, is followed as well.
func TestStagesFollowEarlierRuns(t *testing.T) {
	p := stagedParams()
	p.Marked = true
	p.Stages[0].Since = 100
	p.Stages[0].Corrected = []rules.Corrected{{Part: rules.Part{Bucket: 10}, Times: 1}, {Part: rules.Part{Bucket: 40}, Times: 1}}
	stream := streamed{viewsAt(0, record.NoTime, `{"id":"a","t":10}`, `{"id":"b","t":60}`), int64(400)}
	run(t, prism.Execute, stagesOf(t.Name(), p, nil, stream.source(t)))
	require.Equal(t, []string{"read 0@0", "100ms at 149: a[0] behind 2", "100ms at 149: behind 2", "100ms at 199: b[0]"}, notes[t.Name()].steps)
}

// TestCorrectionsOverOtherShards: any shard of the next stage may have the views of a group, unless it is spread alike.
func TestCorrectionsOverOtherShards(t *testing.T) {
	p := stagedParams()
	p.Shards, p.Stages[1].Shards = 3, 3
	p.Stages[0].Corrected = []rules.Corrected{{Part: rules.Part{Bucket: 60}, Times: 4}}
	part := func(shard int64) rules.Corrected {
		return rules.Corrected{Part: rules.Part{Bucket: 50, Shard: shard}, Times: 4}
	}
	require.Equal(t, []rules.Corrected{part(0), part(1), part(2)}, corrections(p, 1))
	p.Stages[0].Shards, p.Stages[0].Corrected[0].Shard = 3, 2
	require.Equal(t, []rules.Corrected{part(2)}, corrections(p, 1))
	require.Empty(t, corrections(p, 0))
}

// TestCorrectionOfWhatIsOpen: where the next stage leaves a bucket to a later run, it gives nothing there, not even an empty
// block: that would say that the bucket is written.
func TestCorrectionOfWhatIsOpen(t *testing.T) {
	p := stagedParams()
	p.Until = 50
	follow := &followFn{P: *p, Stage: 1}
	follow.Setup()
	for start, want := range map[int64]int{40: 1, 50: 0, 60: 0} {
		got := 0
		follow.ProcessElement(sample.Correction{Start: start, Times: 1}, func(beam.EventTime, int64, shuffle.Block) { got++ })
		require.Equal(t, want, got, "of the bucket at %d", start)
	}
}

// TestStagesInBatch runs the stages on the direct runner, with what is brought together in files as well.
func TestStagesInBatch(t *testing.T) {
	p := stagedParams()
	all := [][]byte{
		encodeForTest(t, viewsAt(0, record.NoTime, `{"id":"a","t":10}`, `{"id":"b","t":60}`)),
		encodeForTest(t, likesAt(0, record.NoTime, `{"id":"a","t":50}`)),
	}
	execute := func(ctx context.Context, p *beam.Pipeline) (beam.PipelineResult, error) {
		return direct.Execute(ctx, p)
	}
	run(t, execute, stagesOf(t.Name(), p, nil, func(s beam.Scope) beam.PCollection { return beam.CreateList(s, all) }))
	require.ElementsMatch(t, []string{"read 0@0", "read 1@0", "20ms at 29: a[0]", "20ms at 79: b[0]", "100ms at 149: a[1]"}, notes[t.Name()].steps)
}
