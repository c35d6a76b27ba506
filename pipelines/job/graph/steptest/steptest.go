// Package steptest is a transform of tests, which changes nothing and counts what it has seen: all that it takes to add one to the
// pipeline is in this file.
package steptest

import (
	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"tributary/io/dofn"
	"tributary/transforms/account"
	"tributary/transforms/sample"
)

func init() { dofn.Register(dofn.Method3x1((*passFn).ProcessElement)) }

// Passed counts views whose samples came by.
var Passed = account.Define(account.Row{
	Key: "passed", Label: "passed",
	Views: &account.Use{Doc: "Samples that came by", Side: account.Beside, Within: []account.Count{account.Samples}, Optional: true},
})

// Pass hands on samples as they are.
type Pass struct {
	// Weight is what each counts for.
	Weight int64
}

// NeedsEnd implements graph.Place: its accounts are of no piece of the work that a restart would do again alike.
func (Pass) NeedsEnd() bool { return true }

// Apply implements graph.Step.
func (p Pass) Apply(s beam.Scope, samples beam.PCollection) (changed, accounts beam.PCollection) {
	return beam.ParDo2(s.Scope("Pass"), &passFn{Weight: p.Weight}, samples)
}

type passFn struct{ Weight int64 }

func (f *passFn) ProcessElement(block sample.Block, changed func(sample.Block), accounts func(account.Sheet)) error {
	sheet := account.New()
	_, samples, err := block.Open()
	for err == nil && len(samples) > 0 {
		if _, samples, err = sample.Next(samples); err == nil {
			sheet.Views.N[Passed] += f.Weight
		}
	}
	if err != nil {
		return err
	}
	changed(block)
	accounts(*sheet)
	return nil
}
