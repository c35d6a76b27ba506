// Package batch joins files: it turns a spec and the files it names into labelled samples
// and an account of every event, one interval of event time after another.
//
//	spec -> plan: list, schemas, scan -> intervals -> a pipeline each -> report
//
// The pipeline of an interval, on the direct runner, is graph.Graph with
//
//	source:   pieces, read
//	samples:  one file, and a topic
//	rejected: files, and topics: late, dead letters, orphans
//	accounts: merged, checked, written last
//
//	run.go         Run: plan, join what is not finished, add up
//	plan.go        what is joined; list.go: files; topics.go: partitions as files; schemas.go, scan.go: what is in them (cache.go: of small ones all)
//	intervals.go      event time in pieces; units.go: which are joined at once; order.go: partitions of files in order; chunk.go: where reading begins
//	resume.go      which intervals are finished; overlap.go: files of an earlier run; hold.go: folders for this run alone
//	graph.go       what the pipeline of an interval (graph.Graph) is made of; places.go: its source and sinks
//	spread.go      all intervals in one, on a cluster; parts.go: whose files of samples are there
//	read.go        its source; write.go, writeinorder.go, reject.go, sampletopic.go: its sinks; writable.go: whether they can be written
//	inspect.go     a look at inputs, for check
//	feed.go        files as a stream reads them beside topics, planned as here; feedsource.go, feedfn.go: its source;
//	               chapters.go: batches of one chapter; kept.go: which files they are, for whoever goes on
//	spectest.go    the tests of a spec; compare.go: what they wanted and got
package batch

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"tributary/io/dofn"
	"tributary/io/fileio"
	"tributary/io/folderio"
	"tributary/pipelines/job"
	"tributary/pipelines/job/graph"
	"tributary/pipelines/rejected"
	"tributary/pipelines/spec"
	"tributary/transforms/account"
	"tributary/transforms/attribution/rules"
)

func init() {
	dofn.Register(dofn.Method3x1((*writeAccountsFn).ProcessElement))
	register.Iter1[account.Sheet]()
	beam.RegisterType(reflect.TypeFor[writeAccountsFn]())
}

// outputs are the files of one interval; Orphans is empty if they are only counted.
type outputs struct {
	Samples, Late, Dead, Orphans, Accounts string
	// Earlier is what releases before this one called the file of accounts.
	Earlier string
	// Parts are the files of samples where several intervals are joined at once; Samples is empty then.
	Parts []string
}

// accountsKind begins the names of files of accounts, and earlierKind those of releases before this one.
const accountsKind, earlierKind = "accounts", "ledger"

// outputsOf names the files of an interval by its times, so that a rerun replaces them.
func outputsOf(o *spec.Outputs, s interval) outputs {
	file := func(root, kind, ending string) string {
		if root == "" {
			return ""
		}
		return folderio.IntervalFile(root, false, kind, s.from, s.to, ending)
	}
	part := ""
	if samples := o.SamplesFolder(); samples != nil {
		ending := job.NewSampleFormat(samples, "", false).Ending()
		part = folderio.IntervalFile(samples.Path, samples.Folders == spec.FolderOfHour, "part", s.from, s.to, ending)
	}
	return outputs{
		Samples:  part,
		Late:     file(o.Late, "late", ".jsonl"),
		Dead:     file(o.DeadLetters, "dead", ".jsonl"),
		Orphans:  file(o.Orphans, "orphans", ".jsonl"),
		Accounts: file(o.Accounts, accountsKind, ".json"),
		Earlier:  file(o.Accounts, earlierKind, ".json"),
	}
}

// outputsOf names the files of what is joined at once; of several intervals together none is that of the samples.
func (p *plan) outputsOf(s interval) outputs {
	out := outputsOf(&p.spec.Outputs, s)
	if several := p.intervalsOf(s); len(several) > 1 {
		out.Samples = ""
		for _, one := range several {
			if part := outputsOf(&p.spec.Outputs, one).Samples; part != "" {
				out.Parts = append(out.Parts, part)
			}
		}
	}
	return out
}

// samplesPath is the folder that samples go to, empty if they go to none.
func samplesPath(o *spec.Outputs) string {
	if folder := o.SamplesFolder(); folder != nil {
		return folder.Path
	}
	return ""
}

// pipeline builds the join of one interval, or of a unit, whose intervals have a file of samples each. What it shuffles is
// in the folder kept, or in memory if that is empty; with spread set, it is for a runner with several workers.
func (p *plan) pipeline(s interval, fingerprint, kept string, spread bool) *beam.Pipeline {
	params := p.intervalParams(s)
	out, all := p.outputsOf(s), p.intervalsOf(s)
	files := make([]sampleFile, len(all))
	for i, one := range all {
		files[i] = sampleFile{outputsOf(&p.spec.Outputs, one).Samples, one.from, one.to}
	}
	roles := make([]string, len(p.sources))
	for i, src := range p.sources {
		roles[i] = src.Role
	}
	g := graph.Graph{
		Params:  params,
		Kept:    kept,
		InOrder: kept != "" && !spread,
		Sources: []graph.Source{&pieceSource{pieces: p.pieces(s), read: readFn{P: params, Fields: p.fields(), Reading: p.reading}, spread: spread}},
		Rejected: []graph.RejectedSink{&rejectedFiles{writeRejectedFn{
			Paths: map[rejected.Output]string{rejected.Late: out.Late, rejected.Dead: out.Dead, rejected.Orphans: out.Orphans},
			Roles: roles, Partitions: p.partitions, Schemas: params.Schemas,
		}}},
		Accounts: &accountFile{writeAccountsFn{Files: out, Fingerprint: fingerprint}},
	}
	if folder := p.spec.Outputs.SamplesFolder(); folder != nil {
		g.Samples = append(g.Samples, &sampleFiles{all, kept, g.InOrder, writeSamplesFn{
			Files: files, Format: job.NewSampleFormat(folder, p.sampleSchema, params.ViewSchema == ""),
		}})
	}
	if p.topic != nil {
		g.Samples = append(g.Samples, p.topic)
		g.Rejected = append(g.Rejected, &job.RejectedTopics{
			Config: p.topic.Config, Topics: p.spec.Outputs.Topics, Roles: roles, Partitions: job.Partitions{Files: p.partitions}, Schemas: params.Schemas,
		})
	}
	return g.Build()
}

// intervalParams are the parameters of the join of one interval.
func (p *plan) intervalParams(s interval) rules.Params {
	params := p.params
	params.From, params.To = s.from, s.to
	// The end of the log matters only to intervals near it. It is that of what was read:
	// what a folder says of the rest proves nothing.
	if p.last < s.to+params.InputBounds().EngagementsAfter {
		params.LogEnd = p.last
	}
	return params
}

// writeAccountsFn merges the accounts of an interval, refuses them if they do not balance,
// removes files that an earlier run had reason to write and this one had not, and writes
// them, which say of what files, if they are still as they were written and no other
// process has written one.
type writeAccountsFn struct {
	Files       outputs
	Fingerprint string
}

func (f *writeAccountsFn) ProcessElement(ctx context.Context, _ int, accounts func(*account.Sheet) bool) error {
	total := account.New()
	var files []account.File
	var l account.Sheet
	for accounts(&l) {
		total.Merge(&l)
		files = append(files, l.Files...)
	}
	if err := total.Check(); err != nil {
		return fmt.Errorf("the accounts do not balance: this is a fault of the join, not of its input: %w", err)
	}
	slices.SortFunc(files, func(a, b account.File) int { return cmp.Compare(a.Output, b.Output) })
	total.Fingerprint, total.Files = f.Fingerprint, files
	content, err := total.Encode()
	if err != nil {
		return fmt.Errorf("accounts: %w", err)
	}
	for _, out := range f.Files.counted(total) {
		if out.records > 0 {
			continue
		}
		if err := fileio.Remove(ctx, out.path); err != nil {
			return fmt.Errorf("remove what an earlier run wrote: %w", err)
		}
	}
	if err := stillHeld(ctx); err != nil {
		return err
	}
	if err := f.Files.check(ctx, total); err != nil {
		return failed(ctx, "accounts", f.Files.Accounts, err)
	}
	return failed(ctx, "accounts", f.Files.Accounts, writeNew(ctx, f.Files.Accounts, content))
}
