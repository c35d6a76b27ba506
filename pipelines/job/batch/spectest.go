package batch

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"tributary/io/dofn"
	"tributary/io/format/avro"
	"tributary/io/record"
	"tributary/pipelines/job"
	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
	"tributary/runners/direct"
	"tributary/transforms/attribution"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/sample"
)

func init() {
	dofn.Register(dofn.Method2x1((*collectFn).ProcessElement))
}

// TestResult is what came of one test of a spec.
type TestResult struct {
	Name string           `json:"name"`
	At   problem.Position `json:"at"`
	// Differences are empty for a test that passed.
	Differences []Difference `json:"differences,omitempty"`
}

// Difference is one field that is not as the test says, or a sample too many or too few.
type Difference struct {
	At     problem.Position `json:"at"`
	Sample string           `json:"sample"` // its view id
	Field  string           `json:"field,omitempty"`
	Got    string           `json:"got"`
	Want   string           `json:"want"`
}

// Test runs the tests of a spec through the same transforms that join files. Inputs are
// without an order, so nothing in a test is late, and every negative is kept, so that
// what a test expects does not hang on the hash of an id.
func Test(ctx context.Context, s *spec.Spec) ([]TestResult, error) {
	results := make([]TestResult, len(s.Tests))
	for i := range s.Tests {
		t := &s.Tests[i]
		samples, err := joinTest(ctx, s, t)
		if err != nil {
			return nil, fmt.Errorf("%s: test %q: %w", t.At, t.Name, err)
		}
		results[i] = TestResult{Name: t.Name, At: t.At, Differences: compare(t, samples)}
	}
	return results, nil
}

// A test's record travels as JSON in an envelope, with its times in milliseconds: tests
// may write times as the spec's unit or as RFC 3339.
const (
	envelopeTime     = "time"
	envelopeViewTime = "view_time"
	envelopeRecord   = "record"
)

func joinTest(ctx context.Context, s *spec.Spec, t *spec.Test) ([]map[string]any, error) {
	params, sources := job.Of(s)
	params.Keep = 1
	var batches []record.Batch
	role := ""
	for i := range params.Inputs {
		in := &params.Inputs[i]
		in.Ordered = false
		in.Time = rules.Field{Path: envelopeTime, Unit: record.UnitEpochMs}
		for _, path := range []*string{&in.ID, &in.EventID, &in.Value} {
			*path = inRecord(*path)
		}
		in.Where = nil // a test says of what kind its records are
		if in.ViewTime.Path != "" {
			in.ViewTime = rules.Field{Path: envelopeViewTime, Unit: record.UnitEpochMs}
		}
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
	joined := attribution.Join(root, params, beam.CreateList(root, batches))
	key := collector.open()
	defer collector.close(key)
	beam.ParDo0(root, &collectFn{Key: key}, beam.GroupByKey(root, beam.AddFixedKey(root, joined.Samples)))
	if err := direct.Run(ctx, p); err != nil {
		return nil, err
	}
	return decodeSamples(&params, collector.get(key))
}

func inRecord(path string) string {
	if path == "" {
		return ""
	}
	names, err := record.ParsePath(path)
	if err != nil {
		return path
	}
	return record.JoinPath(append([]string{envelopeRecord}, names...)...)
}

func testBatch(s *spec.Spec, t *spec.Test, role string) (record.Batch, error) {
	records, at, viewAt := t.Views, s.Views.Time, (*spec.TimeField)(nil)
	if role != "views" {
		e := s.Engagement(role)
		records, at, viewAt = t.Engagements[role], e.Time, e.ViewTime
	}
	b := record.Batch{MaxTime: record.NoTime, SecondTime: record.NoTime, Framed: true, Count: int32(len(records))}
	for i, rec := range records {
		envelope := map[string]any{envelopeRecord: rec}
		value, _ := spec.Lookup(rec, at.Field)
		ms, err := at.Millis(value)
		if err != nil {
			return b, fmt.Errorf("%s: record %d: %w", role, i+1, err)
		}
		envelope[envelopeTime] = ms
		if viewAt != nil {
			if value, ok := spec.Lookup(rec, viewAt.Field); ok && value != nil {
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
	text, err := sample.Schema(job.Columns(p), "")
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

// collectFn hands blocks of samples to whoever started the pipeline in this process.
type collectFn struct{ Key int64 }

func (f *collectFn) ProcessElement(_ int, blocks func(*sample.Block) bool) error {
	var b sample.Block
	for blocks(&b) {
		collector.add(f.Key, b)
	}
	return nil
}

// collector keeps what pipelines collect, by run: Beam gives a DoFn no way to reach its
// launcher but through the process they share.
var collector = &collected{runs: map[int64][]sample.Block{}}

type collected struct {
	mu   sync.Mutex
	last int64
	runs map[int64][]sample.Block
}

func (c *collected) open() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	return c.last
}

func (c *collected) add(key int64, block sample.Block) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.runs[key] = append(c.runs[key], block)
}

func (c *collected) get(key int64) []sample.Block {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.runs[key]
}

func (c *collected) close(key int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.runs, key)
}
