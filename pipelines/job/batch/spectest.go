package batch

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"tributary/io/dofn"
	"tributary/io/expression"
	"tributary/io/format/avro"
	"tributary/io/record"
	"tributary/pipelines/job"
	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
	"tributary/runners/direct"
	"tributary/transforms/account"
	"tributary/transforms/attribution"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/sample"
)

func init() {
	dofn.Register(dofn.Method2x1((*collectFn).ProcessElement))
	dofn.Register(dofn.Method2x1((*collectRejectedFn).ProcessElement))
	dofn.Register(dofn.Method2x1((*collectAccountsFn).ProcessElement))
}

// TestResult is what came of one test of a spec.
type TestResult struct {
	Name string           `json:"name"`
	At   problem.Position `json:"at"`
	// Differences are empty for a test that passed.
	Differences []Difference `json:"differences,omitempty"`
	// Filtered is how many events `where` leaves out, of views and of each kind that has such.
	Filtered map[string]int64 `json:"filtered,omitempty"`
	// Dead are the records that are dead letters in a join.
	Dead []DeadRecord `json:"dead,omitempty"`
}

// DeadRecord is a record of a test that is a dead letter in a join, or an element of one.
type DeadRecord struct {
	// Role is "views" or a kind, Record the place in its list, and Element the one in the list that the record holds, from 1; 0 for a
	// whole record.
	Role    string `json:"role"`
	Record  int    `json:"record"`
	Element int    `json:"element,omitempty"`
	Detail  string `json:"detail"`
}

// Difference is one field that is not as the test says, or a sample too many or too few.
type Difference struct {
	At     problem.Position `json:"at"`
	Sample string           `json:"sample"` // its view id
	// Stage is that of the sample, if it is not the last.
	Stage string `json:"stage,omitempty"`
	Field string `json:"field,omitempty"`
	Got   string `json:"got"`
	Want  string `json:"want"`
}

// Test runs the tests of a spec through the same transforms that join files. Inputs are
// without an order, so nothing in a test is late, and every negative is kept, so that
// what a test expects does not hang on the hash of an id. Records have to meet the conditions of their role (`where`) as in a join,
// and what is a dead letter there is one here.
//
// The last of several stages gives all samples in a test, whatever it emits otherwise: what a test expects of a view in the end is the
// same with other stages before it. Earlier ones give what they emit, and are joined if the test names a sample of one.
func Test(ctx context.Context, s *spec.Spec) ([]TestResult, error) {
	results := make([]TestResult, len(s.Tests))
	for i := range s.Tests {
		t := &s.Tests[i]
		results[i] = TestResult{Name: t.Name, At: t.At}
		samples, err := joinTest(ctx, s, t, &results[i])
		if err != nil {
			return nil, fmt.Errorf("%s: test %q: %w", t.At, t.Name, err)
		}
		results[i].Differences = compare(t, lastStage(s), samples)
	}
	return results, nil
}

// A test's record travels as JSON in an envelope, with its times in milliseconds: tests
// may write times as the spec's unit or as RFC 3339.
const (
	envelopeTime     = "event-time" // no computed field is called so
	envelopeViewTime = "view-time"
	envelopeRecord   = "record"
)

// lastStage is the name of the last stage, empty without stages.
func lastStage(s *spec.Spec) string {
	if len(s.Stages) == 0 {
		return ""
	}
	return s.Stages[len(s.Stages)-1].Name()
}

// stageOf is the stage that a test expects a sample of.
func stageOf(want map[string]any, last string) string {
	if stage, ok := want["stage"].(string); ok {
		return stage
	}
	return last
}

// firstStage is the first of the stages that a test is about: of all, if it names a sample of one before the last.
func firstStage(s *spec.Spec, t *spec.Test) int {
	last := lastStage(s)
	if slices.ContainsFunc(t.Samples, func(want map[string]any) bool { return stageOf(want, last) != last }) {
		return 0
	}
	return max(0, len(s.Stages)-1)
}

// joinTest returns the samples of a test, and notes in the result what became none.
func joinTest(ctx context.Context, s *spec.Spec, t *spec.Test, result *TestResult) ([]map[string]any, error) {
	params, sources := job.Of(s)
	params.Keep = 1
	params.Shape = nil // what a test says of a view, it says of the record
	if n := len(params.Stages); n > 0 {
		params.Stages[n-1].Emit = rules.EmitAll
	}
	var batches []record.Batch
	role := ""
	for i := range params.Inputs {
		in := &params.Inputs[i]
		in.Ordered = false
		in.Time = rules.Field{Path: envelopeTime, Unit: record.UnitEpochMs}
		for _, path := range []*string{&in.ID, &in.EventID, &in.Value} {
			*path = computedOrInRecord(in, *path)
		}
		if in.Values != nil {
			in.Values = allInRecord(in, in.Values)
		}
		in.MoreID, in.MoreEventID, in.Key = allInRecord(in, in.MoreID), allInRecord(in, in.MoreEventID), allInRecord(in, in.Key)
		if err := computeInRecord(in); err != nil {
			return nil, err
		}
		if err := askInRecord(in); err != nil {
			return nil, err
		}
		switch {
		case in.Each != "" && in.ComputedField(in.ViewTime.Path) != nil:
		case in.Each != "" && rules.InElement(in.ViewTime.Path, in.Each):
			in.ViewTime.Path = inRecord(in.ViewTime.Path)
		case in.ViewTime.Path != "":
			in.ViewTime = rules.Field{Path: envelopeViewTime, Unit: record.UnitEpochMs}
		}
		in.Each = inRecord(in.Each)
		if sources[i].Role == role {
			continue // all of a role's records come as its first input
		}
		role = sources[i].Role
		b, err := testBatch(s, t, role)
		if err != nil {
			return nil, err
		}
		b.Input, b.Partition = int32(i), int32(i)
		if b.Count > 0 {
			batches = append(batches, b)
		}
	}
	if len(batches) == 0 {
		return nil, nil
	}
	p, root := beam.NewPipelineWithRoot()
	packed := attribution.Pack(root, params, beam.CreateList(root, batches), attribution.InState())
	run := collector.open()
	defer collector.close(run)
	first := firstStage(s, t)
	for stage := first; stage < params.StageCount(); stage++ {
		joined := packed.Join(stage, beam.PCollection{})
		together := func(c beam.PCollection) beam.PCollection { return beam.GroupByKey(root, beam.AddFixedKey(root, c)) }
		beam.ParDo0(root, &collectFn{Run: run, Stage: stage}, together(joined.Samples))
		beam.ParDo0(root, &collectAccountsFn{Run: run}, together(joined.Accounts))
		if stage == params.StageCount()-1 {
			beam.ParDo0(root, &collectRejectedFn{Run: run}, together(joined.Rejected))
		}
	}
	if err := direct.Run(ctx, p); err != nil {
		return nil, err
	}
	got := collector.get(run)
	if err := got.accounts.Check(); err != nil && first == 0 { // those of all stages balance
		return nil, fmt.Errorf("the accounts do not balance: this is a fault of the join, not of the test: %w", err)
	}
	result.note(&got, sources)
	var all []map[string]any
	for stage := first; stage < params.StageCount(); stage++ {
		samples, err := decodeSamples(&params, got.samples[stage])
		if err != nil {
			return nil, err
		}
		all = append(all, samples...)
	}
	return all, nil
}

// note notes what where leaves out and what are dead letters.
func (r *TestResult) note(got *collectedRun, sources []job.Source) {
	r.Filtered = map[string]int64{}
	if n := got.accounts.Views.N[account.Filtered]; n > 0 {
		r.Filtered["views"] = n
	}
	for kind, e := range got.accounts.Engagements {
		if n := e.N[account.Filtered]; n > 0 {
			r.Filtered[kind] = n
		}
	}
	for _, d := range got.rejected {
		if d.Reason == record.ReasonMalformed {
			// Details name fields as the envelope has them.
			detail := strings.ReplaceAll(d.Detail, "field "+envelopeRecord+".", "field ")
			r.Dead = append(r.Dead, DeadRecord{sources[d.Input].Role, int(d.Offset) + 1, int(d.Element), detail})
		}
	}
	slices.SortFunc(r.Dead, func(a, b DeadRecord) int {
		return cmp.Or(cmp.Compare(a.Role, b.Role), cmp.Compare(a.Record, b.Record), cmp.Compare(a.Element, b.Element))
	})
}

// askInRecord has conditions ask for fields of the envelope's record.
func askInRecord(in *rules.Input) error {
	in.Where = slices.Clone(in.Where)
	for i := range in.Where {
		in.Where[i].Field = computedOrInRecord(in, in.Where[i].Field)
	}
	if in.Expression == "" {
		return nil
	}
	asks, err := expression.Parse(in.Expression)
	if err != nil {
		return fmt.Errorf("where: %w", err)
	}
	for _, f := range asks.Fields {
		in.ExpressionOf = append(in.ExpressionOf, computedOrInRecord(in, f.Path))
	}
	return nil
}

func inRecord(path string) string {
	if path == "" || path == rules.Index {
		return path
	}
	names, err := record.ParsePath(path)
	if err != nil {
		return path
	}
	return record.JoinPath(append([]string{envelopeRecord}, names...)...)
}

// computedOrInRecord leaves computed fields as they are.
func computedOrInRecord(in *rules.Input, path string) string {
	if in.ComputedField(path) != nil {
		return path
	}
	return inRecord(path)
}

func allInRecord(in *rules.Input, paths []string) []string {
	out := make([]string, len(paths))
	for i, path := range paths {
		out[i] = computedOrInRecord(in, path)
	}
	return out
}

// computeInRecord computes computed fields of those in the envelope's record.
func computeInRecord(in *rules.Input) error {
	in.Computed = slices.Clone(in.Computed)
	for i := range in.Computed {
		asks, err := expression.ParseValue(in.Computed[i].Expression)
		if err != nil {
			return fmt.Errorf("field %s: %w", in.Computed[i].Name, err)
		}
		for _, f := range asks.Fields {
			in.Computed[i].Of = append(in.Computed[i].Of, inRecord(f.Path))
		}
	}
	return nil
}

func testBatch(s *spec.Spec, t *spec.Test, role string) (record.Batch, error) {
	records, at, viewAt, computed := t.Views, s.Views.Time, (*spec.TimeField)(nil), s.Views.Fields
	if role != "views" {
		e := s.Engagement(role)
		records, at, viewAt, computed = t.Engagements[role], e.Time, e.ViewTime, e.Fields
		if viewAt != nil && e.OfElement(viewAt.Field) {
			viewAt = nil // it is read where the elements are
		}
	}
	b := record.Batch{MaxTime: record.NoTime, SecondTime: record.NoTime, Framed: true, Count: int32(len(records))}
	for i, rec := range records {
		envelope := map[string]any{envelopeRecord: rec}
		value, _, err := at.ValueIn(rec, computed)
		var ms int64
		if err == nil {
			ms, err = at.Millis(value)
		}
		if err != nil {
			return b, fmt.Errorf("%s: record %d: %w", role, i+1, err)
		}
		envelope[envelopeTime] = ms
		if viewAt != nil {
			value, ok, err := viewAt.ValueIn(rec, computed)
			if err != nil {
				return b, fmt.Errorf("%s: record %d: %w", role, i+1, err)
			}
			if ok && value != nil {
				if ms, err = viewAt.Millis(value); err != nil {
					return b, fmt.Errorf("%s: record %d: %w", role, i+1, err)
				}
				envelope[envelopeViewTime] = ms
			}
		}
		text, err := json.Marshal(envelope)
		if err != nil {
			return b, fmt.Errorf("%s: record %d: %w", role, i+1, err)
		}
		b.Records = record.AppendFramed(b.Records, int64(i), text)
	}
	return b, nil
}

// decodeSamples reads samples of JSON views, by goavro.
func decodeSamples(p *rules.Params, blocks []sample.Block) ([]map[string]any, error) {
	text, err := sample.Schema(p.Columns(), len(p.Stages) > 0, "")
	if err != nil {
		return nil, err
	}
	schema, err := avro.ParseSchema(text)
	if err != nil {
		return nil, err
	}
	codec, err := schema.Codec()
	if err != nil {
		return nil, err
	}
	var out []map[string]any
	err = sample.Merge(blocks, func(encoded []byte) error {
		native, _, err := codec.NativeFromBinary(encoded)
		if err != nil {
			return err
		}
		line, err := codec.TextualFromNative(nil, native)
		if err != nil {
			return err
		}
		s, err := object(line)
		if err != nil {
			return err
		}
		view, _ := s["view"].(string)
		envelope, err := object([]byte(view))
		if err != nil {
			return fmt.Errorf("view: %w", err)
		}
		s["view"] = envelope[envelopeRecord]
		out = append(out, s)
		return nil
	})
	return out, err
}

// object decodes a JSON object. Whole numbers of any size are what they are.
func object(text []byte) (o map[string]any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	err = decoder.Decode(&o)
	return o, err
}

// collectFn hands blocks of samples of a stage to whoever started the pipeline in this process.
type collectFn struct {
	Run   int64
	Stage int
}

func (f *collectFn) ProcessElement(_ int, blocks func(*sample.Block) bool) error {
	var b sample.Block
	for blocks(&b) {
		collector.add(f.Run, func(r *collectedRun) { r.samples[f.Stage] = append(r.samples[f.Stage], b) })
	}
	return nil
}

// collectRejectedFn hands what was rejected to it.
type collectRejectedFn struct{ Run int64 }

func (f *collectRejectedFn) ProcessElement(_ int, all func(*record.Rejected) bool) error {
	var r record.Rejected
	for all(&r) {
		collector.add(f.Run, func(run *collectedRun) { run.rejected = append(run.rejected, r) })
	}
	return nil
}

// collectAccountsFn hands the accounts to it.
type collectAccountsFn struct{ Run int64 }

func (f *collectAccountsFn) ProcessElement(_ int, all func(*account.Sheet) bool) error {
	var sheet account.Sheet
	for all(&sheet) {
		collector.add(f.Run, func(r *collectedRun) { r.accounts.Merge(&sheet) })
	}
	return nil
}

// collector keeps what pipelines collect, by run: Beam gives a DoFn no way to reach its
// launcher but through the process they share.
var collector = &collected{runs: map[int64]*collectedRun{}}

type collected struct {
	mu   sync.Mutex
	last int64
	runs map[int64]*collectedRun
}

// collectedRun is what a run gave.
type collectedRun struct {
	samples  map[int][]sample.Block // by stage
	rejected []record.Rejected
	accounts *account.Sheet
}

func (c *collected) open() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	c.runs[c.last] = &collectedRun{samples: map[int][]sample.Block{}, accounts: account.New()}
	return c.last
}

func (c *collected) add(key int64, to func(*collectedRun)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	to(c.runs[key])
}

func (c *collected) get(key int64) collectedRun {
	c.mu.Lock()
	defer c.mu.Unlock()
	return *c.runs[key]
}

func (c *collected) close(key int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.runs, key)
}
