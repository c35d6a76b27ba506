package graph

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/direct" //nolint:staticcheck // bounded and stateless is what it is for
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/ptest"
	"github.com/stretchr/testify/require"

	"tributary/io/dofn"
	"tributary/io/record"
	"tributary/pipelines/job/graph/steptest"
	"tributary/transforms/account"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/label"
	"tributary/transforms/sample"
)

func TestMain(m *testing.M) { ptest.Main(m) }

func init() {
	dofn.Register(dofn.Method1x1((*noteSamplesFn).ProcessElement))
	dofn.Register(dofn.Method1x0((*noteRejectedFn).ProcessElement))
	dofn.Register(dofn.Method2x0((*noteAccountsFn).ProcessElement))
	register.Function2x0(acknowledge)
	register.Iter1[account.Sheet]()
}

// What sinks under test were given; they run in this process.
var given struct {
	sync.Mutex
	samples  map[string][]string // ids by sink
	rejected []string
	total    *account.Sheet
}

// memory is a source of records that are in memory, JSON of one input.
type memory struct {
	input   int32
	texts   []string
	endless bool
	bad     string
}

func (m memory) Bounded() bool { return !m.endless }

func (m memory) Read(s beam.Scope) Read {
	b := record.Batch{Input: m.input, Partition: m.input, MaxTime: record.NoTime, SecondTime: record.NoTime, Count: int32(len(m.texts)), Framed: true}
	for i, text := range m.texts {
		b.Records = record.AppendFramed(b.Records, int64(i), []byte(text))
	}
	var bad []record.Rejected
	if m.bad != "" {
		bad = append(bad, record.Rejected{Reason: record.ReasonMalformed, Detail: m.bad, Input: m.input, Count: 1})
	}
	return Read{Batches: beam.CreateList(s, []record.Batch{b}), Unreadable: beam.CreateList(s, append(bad, record.Rejected{Reason: record.ReasonOrphan, Detail: "of " + fmt.Sprint(m.input)}))}
}

// noting is a sink of anything, of the name.
type noting struct {
	Name string
	ends bool
}

func (n noting) NeedsEnd() bool { return n.ends }

func (n noting) WriteSamples(s beam.Scope, _ int, samples beam.PCollection) Written {
	return Written{Acknowledged: beam.ParDo(s, &noteSamplesFn{n.Name}, samples)}
}

func (n noting) WriteRejected(s beam.Scope, rejected, refused beam.PCollection) []beam.PCollection {
	if refused.IsValid() {
		panic("no sink refuses samples")
	}
	beam.ParDo0(s, &noteRejectedFn{}, rejected)
	return nil
}

func (n noting) WriteAccounts(s beam.Scope, a ToAccount) {
	all := []beam.PCollection{a.Joined}
	for _, stage := range a.Samples {
		for _, written := range stage {
			all = append(all, beam.ParDo(s, acknowledge, written.Acknowledged))
		}
	}
	beam.ParDo0(s, &noteAccountsFn{}, beam.GroupByKey(s, beam.AddFixedKey(s, beam.Flatten(s, all...))))
}

type noteSamplesFn struct{ Name string }

func (f *noteSamplesFn) ProcessElement(block sample.Block) int64 {
	_, samples, err := block.Open()
	n := int64(0)
	for err == nil && len(samples) > 0 {
		var encoded, id []byte
		if encoded, samples, err = sample.Next(samples); err == nil {
			id, _, err = sample.Key(encoded)
		}
		given.Lock()
		given.samples[f.Name] = append(given.samples[f.Name], string(id))
		given.Unlock()
		n++
	}
	if err != nil {
		panic(err)
	}
	return n
}

type noteRejectedFn struct{}

func (*noteRejectedFn) ProcessElement(r record.Rejected) {
	given.Lock()
	defer given.Unlock()
	given.rejected = append(given.rejected, fmt.Sprint(r.Reason, ": ", r.Detail))
}

// acknowledge counts samples that were written among the bytes that came out.
func acknowledge(n int64, emit func(account.Sheet)) {
	s := account.New()
	s.Bytes.Out = n
	emit(*s)
}

type noteAccountsFn struct{}

func (*noteAccountsFn) ProcessElement(_ int, sheets func(*account.Sheet) bool) {
	given.Lock()
	defer given.Unlock()
	var s account.Sheet
	for sheets(&s) {
		given.total.Merge(&s)
	}
}

// clicks is a join of views and clicks in JSON.
func clicks() rules.Params {
	at := rules.Field{Path: "ts", Unit: record.UnitEpochMs}
	return rules.Params{
		Kinds:  []rules.Kind{{Name: "click", Window: 1000, Label: label.Binary, Count: rules.CountAll}},
		Inputs: []rules.Input{{Kind: rules.Views, ID: "id", Time: at, Name: "views.inputs.0"}, {Kind: 0, ID: "id", Time: at, Name: "engagements.click.inputs.0"}},
		Bucket: 60_000, Shards: 1, Keep: 1, SpecVersion: 1, To: record.MaxTime, LogEnd: 70_000,
	}
}

// TestEverySourceWithEverySink: what all sources give is joined, and each sink gets all of what it takes; accounts come of
// them all. A transform is in between that is one package, with a count of its own.
func TestEverySourceWithEverySink(t *testing.T) {
	given.samples, given.rejected, given.total = map[string][]string{}, nil, account.New()
	g := Graph{
		Params: clicks(),
		Sources: []Source{
			memory{input: 0, texts: []string{`{"id":"v1","ts":5000}`, `{"id":"v2","ts":6000}`, `{"id":3}`}, bad: "torn"},
			memory{input: 1, texts: []string{`{"id":"v1","ts":5400}`}},
		},
		Steps:    []Step{steptest.Pass{Weight: 1}, steptest.Pass{Weight: 10}},
		Samples:  []SampleSink{noting{Name: "one"}, noting{Name: "other", ends: true}},
		Rejected: []RejectedSink{noting{}},
		Accounts: noting{ends: true},
	}
	require.True(t, g.Bounded())
	_, err := direct.Execute(t.Context(), g.Build())
	require.NoError(t, err)
	for _, ids := range given.samples {
		slices.Sort(ids)
	}
	require.Equal(t, map[string][]string{"one": {"v1", "v2"}, "other": {"v1", "v2"}}, given.samples)
	require.ElementsMatch(t, []string{"malformed: torn", "orphan: of 0", "orphan: of 1", "malformed: field ts: time is null or absent"}, given.rejected)
	require.Equal(t, int64(2), given.total.Views.N[account.Samples])
	require.Equal(t, int64(1), given.total.Engagements["click"].N[account.Matched])
	require.Equal(t, int64(4), given.total.Bytes.Out, "both sinks have acknowledged")
	require.Equal(t, int64(22), given.total.Views.N[steptest.Passed], "every step has seen each, and its count is among the accounts")
}

// steps is one that needs an end, or none.
func steps(ends bool) []Step {
	if !ends {
		return nil
	}
	return []Step{steptest.Pass{}}
}

// waiting is what of a graph needs an end.
func waiting(g *Graph) Place {
	if len(g.Steps) > 0 {
		return g.Steps[0]
	}
	return noting{}
}

// TestEnds: a graph has an end if all its sources have, and without one nothing may wait for it.
func TestEnds(t *testing.T) {
	endless := []Source{memory{input: 0}, memory{input: 1, endless: true}}
	for name, c := range map[string]struct {
		sources []Source
		sink    noting
		refused bool
	}{
		"an end":                        {sources: endless[:1], sink: noting{ends: true}},
		"no end":                        {sources: endless, sink: noting{}},
		"no end, but one is waited for": {sources: endless, sink: noting{ends: true}, refused: true},
	} {
		for at, g := range map[string]Graph{
			"samples":  {Params: clicks(), Sources: c.sources, Samples: []SampleSink{c.sink}, Accounts: noting{}},
			"steps":    {Params: clicks(), Sources: c.sources, Steps: steps(c.sink.ends), Accounts: noting{}},
			"rejected": {Params: clicks(), Sources: c.sources, Rejected: []RejectedSink{c.sink}, Accounts: noting{}},
			"accounts": {Params: clicks(), Sources: c.sources, Accounts: c.sink},
		} {
			t.Run(name+", "+at, func(t *testing.T) {
				require.Equal(t, len(c.sources) == 1, g.Bounded())
				if !c.refused {
					require.NotPanics(t, func() { g.Build() })
					return
				}
				require.PanicsWithError(t, fmt.Sprintf("graph.Build: %T waits for an end, and a source has none", waiting(&g)), func() { g.Build() })
			})
		}
	}
}
