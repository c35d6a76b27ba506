package flink

import (
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/runtime/graphx"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/timers"
	pipepb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/pipeline_v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
)

var update = flag.Bool("update", false, "rewrite what tests compare with")

func portable(t *testing.T, p *beam.Pipeline) *pipepb.Pipeline {
	t.Helper()
	pb, err := marshal(p, "127.0.0.1:1", "v1", "")
	require.NoError(t, err)
	return pb
}

// A change of this golden makes savepoints of running jobs unusable.
func TestOperatorNamesStay(t *testing.T) {
	got := strings.Join(OperatorNames(portable(t, counted("file", false))), "\n") + "\n"
	golden := filepath.Join("testdata", "operators.txt")
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

func TestStepMoreChangesNoOtherName(t *testing.T) {
	before := OperatorNames(portable(t, counted("file", false)))
	after := OperatorNames(portable(t, counted("file", true)))
	assert.Subset(t, after, before)
	assert.Len(t, after, len(before)+1)
}

// TestImpulsesApart: what is behind an Impulse finds its state by the name it had, which alone makes its operator's id, and gets what
// a reshuffle hands on.
func TestImpulsesApart(t *testing.T) {
	pb := portable(t, counted("file", false))
	before := proto.Clone(pb).(*pipepb.Pipeline).GetComponents()
	ImpulsesApart(pb)
	c := pb.GetComponents()
	reshuffles := 0
	for id, t2 := range c.GetTransforms() {
		switch t2.GetSpec().GetUrn() {
		case graphx.URNReshuffle:
			reshuffles++
			require.Equal(t, "Impulse.i0/Apart", c.GetPcollections()[t2.GetInputs()["i0"]].GetUniqueName())
			require.Equal(t, "Impulse.i0", c.GetPcollections()[t2.GetOutputs()["i0"]].GetUniqueName())
			require.Contains(t, pb.GetRootTransformIds(), id)
		case graphx.URNImpulse:
		default:
			require.True(t, proto.Equal(before.GetTransforms()[id], t2), id)
		}
	}
	require.Equal(t, 1, reshuffles)
	require.Len(t, c.GetPcollections(), len(before.GetPcollections())+1)
}

func TestSameNameTwiceIsRefused(t *testing.T) {
	p := &pipepb.Pipeline{Components: &pipepb.Components{
		Transforms: map[string]*pipepb.PTransform{
			"e1": {UniqueName: "join/count", Outputs: map[string]string{"i0": "n1"}},
			"e2": {UniqueName: "join/count", Outputs: map[string]string{"i0": "n2"}},
		},
		Pcollections: map[string]*pipepb.PCollection{"n1": {}, "n2": {}},
	}}
	require.EqualError(t, StableNames(p), `two PCollections would be named "join/count.i0": give each transform a scope of its own`)
}

func TestWorkersAreToldWhoSubmits(t *testing.T) {
	pb := portable(t, bounded("file", 3))
	environments := pb.GetComponents().GetEnvironments()
	require.Len(t, environments, 1)
	for _, env := range environments {
		var payload pipepb.ExternalPayload
		require.NoError(t, proto.Unmarshal(env.GetPayload(), &payload))
		assert.Equal(t, "127.0.0.1:1", payload.GetEndpoint().GetUrl())
		assert.Equal(t, map[string]string{versionParam: "v1"}, payload.GetParams())
		assert.Empty(t, env.GetDependencies(), "nothing is to be staged")
	}
}

func TestBoundedness(t *testing.T) {
	assert.True(t, isBounded(portable(t, bounded("file", 3))))
	assert.False(t, isBounded(portable(t, counted("file", false))))
	p, s := beam.NewPipelineWithRoot()
	beam.ParDo(s.Scope("again"), &againFn{timers.InProcessingTime("again")}, beam.ParDo(s.Scope("key"), &keyFn{}, beam.Create(s, int64(1))))
	assert.False(t, isBounded(portable(t, p)), "a timer of processing time may go on for ever")
}

type againFn struct{ Again timers.ProcessingTime }

func (f *againFn) ProcessElement(tp timers.Provider, key int64, _ int64) int64 {
	f.Again.Set(tp, time.Now())
	return key
}

func (f *againFn) OnTimer(tp timers.Provider, _ int64, _ timers.Context) { f.Again.Set(tp, time.Now()) }

func init() { beam.RegisterType(reflect.TypeFor[againFn]()) }
