// Package join joins files: it turns a spec and the files it names into labelled samples
// and an account of every event, one slice of event time after another.
//
//	spec -> plan: list, schemas, scan -> slices -> a pipeline each -> report
//
// The pipeline of a slice, on the direct runner:
//
//	pieces -> read -> attribution.Join -> samples  -> one file
//	                                   -> rejected -> late, dead letters, orphans
//	                                   -> ledgers  -> merged, checked, written last
package join

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"tributary/io/fileio"
	"tributary/pipelines/spec"
	"tributary/transforms/attribution"
	"tributary/transforms/ledger"
)

func init() {
	register.DoFn3x1[context.Context, int, func(*ledger.Ledger) bool, error](&writeLedgerFn{})
	register.Iter1[ledger.Ledger]()
	beam.RegisterType(reflect.TypeFor[writeLedgerFn]())
}

// outputs are the files of one slice.
type outputs struct {
	samples, late, dead, orphans, ledger string
}

// outputsOf names the files of a slice by its times, so that a rerun replaces them.
func outputsOf(o *spec.Outputs, s slice) outputs {
	const stamp = "20060102T150405.000Z"
	name := func(ms int64) string {
		text := timeOf(ms).Format(stamp)
		if ms%1000 == 0 {
			return text[:15] + "Z"
		}
		return text
	}
	folder := "dt=" + timeOf(s.from).Format("2006-01-02")
	file := func(root, kind, ending string) string {
		if root == "" {
			return ""
		}
		// Not path.Join, which would take a slash from gs://.
		return strings.TrimSuffix(root, "/") + "/" + folder + "/" + kind + "-" + name(s.from) + "-" + name(s.to) + ending
	}
	ending := ".avro"
	if o.Samples.Format == spec.JSON {
		ending = ".jsonl"
		if o.Samples.Codec == spec.Gzip {
			ending += ".gz"
		}
	}
	return outputs{
		samples: file(o.Samples.Path, "part", ending),
		late:    file(o.Late, "late", ".jsonl"),
		dead:    file(o.DeadLetters, "dead", ".jsonl"),
		orphans: file(o.Orphans, "orphans", ".jsonl"),
		ledger:  file(o.Ledger, "ledger", ".json"),
	}
}

// pipeline builds the join of one slice.
func (p *plan) pipeline(s slice, fingerprint string) *beam.Pipeline {
	params := p.sliceParams(s)
	out := outputsOf(&p.spec.Outputs, s)
	roles := make([]string, len(p.sources))
	fields := map[int32][2]string{}
	for i, src := range p.sources {
		roles[i] = src.Role
		if src.Order == spec.OrderField {
			fields[int32(i)] = [2]string{src.PartitionField, src.OffsetField}
		}
	}

	pipeline, root := beam.NewPipelineWithRoot()
	pieces := beam.CreateList(root.Scope("Pieces"), p.pieces(s))
	batches, unreadable, read := beam.ParDo3(root.Scope("Read"), &readFn{P: params, Fields: fields}, pieces)
	joined := attribution.Join(root, params, batches)

	written := beam.ParDo(root.Scope("Samples"), &writeSamplesFn{
		Path: out.samples, Format: p.spec.Outputs.Samples.Format, Codec: p.spec.Outputs.Samples.Codec,
		Schema: p.sampleSchema, JSONViews: params.ViewSchema == "", From: s.from, To: s.to,
	}, beam.GroupByKey(root.Scope("Samples"), beam.AddFixedKey(root.Scope("Samples"), joined.Samples)))

	rejected := beam.Flatten(root.Scope("Rejected"), unreadable, joined.Rejected)
	refused := beam.ParDo(root.Scope("Rejected"), &writeRejectedFn{
		Paths: map[string]string{outputLate: out.late, outputDead: out.dead, outputOrphans: out.orphans},
		Roles: roles, Partitions: p.partitions, Schemas: params.Schemas,
	}, beam.GroupByKey(root.Scope("Rejected"), beam.ParDo(root.Scope("Rejected"), byOutput, rejected)))

	// The ledger comes last: where it is, everything else is.
	ledgers := beam.Flatten(root.Scope("Ledger"), read, joined.Ledgers, written, refused)
	beam.ParDo0(root.Scope("Ledger"), &writeLedgerFn{Path: out.ledger, Fingerprint: fingerprint},
		beam.GroupByKey(root.Scope("Ledger"), beam.AddFixedKey(root.Scope("Ledger"), ledgers)))
	return pipeline
}

// sliceParams are the parameters of the join of one slice.
func (p *plan) sliceParams(s slice) attribution.Params {
	params := p.params
	params.From, params.To = s.from, s.to
	// The end of the log matters only to slices near it.
	if end := max(p.last, p.beyond); end < s.to+params.Reach().EngagementsAfter {
		params.LogEnd = end
	}
	return params
}

// writeLedgerFn merges the accounts of a slice, refuses them if they do not balance, and
// writes the result.
type writeLedgerFn struct {
	Path        string
	Fingerprint string
}

func (f *writeLedgerFn) ProcessElement(ctx context.Context, _ int, ledgers func(*ledger.Ledger) bool) error {
	total := ledger.New()
	var l ledger.Ledger
	for ledgers(&l) {
		total.Merge(&l)
	}
	if err := total.Check(); err != nil {
		return fmt.Errorf("the ledger does not balance: this is a fault of the join, not of its input: %w", err)
	}
	total.Fingerprint = f.Fingerprint
	content, err := total.Encode()
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	file, err := fileio.Create(ctx, f.Path)
	if err != nil {
		return err
	}
	if _, err := file.Write(content); err != nil {
		file.Abort()
		return fmt.Errorf("write %s: %w", f.Path, err)
	}
	return file.Commit()
}
