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
//	pipes.go       stdin and stdout; spool.go: samples that wait to be written there
//	inspect.go     a look at inputs, for check
//	whole.go       all that the inputs hold, for whoever looks at records one by one
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
	"tributary/transforms/attribution"
	"tributary/transforms/attribution/rules"
)

func init() {
	dofn.Register(dofn.Method3x1((*writeAccountsFn).ProcessElement))
	register.Iter1[account.Sheet]()
	beam.RegisterType(reflect.TypeFor[writeAccountsFn]())
}

// outputs are the files of one interval; Orphans is empty if they are only counted.
type outputs struct {
	// Samples are those of the stages, or of the one that there is without.
	Samples                       []sampleOutput
	Late, Dead, Orphans, Accounts string
	// Earlier is what releases before this one called the file of accounts.
	Earlier string
	// Parts are the files of samples where several intervals are joined at once; Samples is empty then.
	Parts []string
}

// sampleOutput is a file of samples: of a stage, which is its number.
type sampleOutput struct {
	// Key is what accounts call the output, Name the stage, empty without stages.
	Key, Name, Path string
	Stage           int
	// Final: it is all that there is of the stages.
	Final bool
}

// records is how many samples are in it, by the accounts.
func (o *sampleOutput) records(l *account.Sheet) int64 {
	if o.Final { // which gives all, and takes nothing back
		return l.Views.N[account.Samples]
	}
	return samplesGiven(l, o.Name)
}

// samplesGiven is how many samples a stage has given, by its name; empty without stages.
func samplesGiven(l *account.Sheet, stage string) int64 {
	if stage == "" {
		return l.Views.N[account.Samples]
	}
	s := l.Stages[stage]
	if s == nil {
		return 0
	}
	return s.N[account.Given] + s.N[account.Withdrawn]
}

// accountsKind begins the names of files of accounts, and earlierKind those of releases before this one.
const accountsKind, earlierKind = "accounts", "ledger"

// outputsOf names the files of an interval by its times, so that a rerun replaces them.
func outputsOf(of *spec.Spec, s interval) (out outputs) {
	o := &of.Outputs
	file := func(root, kind, ending string) string {
		if root == "" {
			return ""
		}
		return folderio.IntervalFile(root, false, kind, s.from, s.to, ending)
	}
	if samples := o.SamplesFolder(); samples != nil {
		ending := job.NewSampleFormat(samples, "", false).Ending()
		for _, folder := range sampleFolders(of) {
			folder.Path = folderio.IntervalFile(folder.Path, samples.Folders == spec.FolderOfHour, "part", s.from, s.to, ending)
			out.Samples = append(out.Samples, folder)
		}
	}
	out.Late, out.Dead, out.Orphans = file(o.Late, "late", ".jsonl"), file(o.DeadLetters, "dead", ".jsonl"), file(o.Orphans, "orphans", ".jsonl")
	out.Accounts, out.Earlier = file(o.Accounts, accountsKind, ".json"), file(o.Accounts, earlierKind, ".json")
	return out
}

// sampleFolders are the folders that samples go to, none if they go to a topic only.
func sampleFolders(of *spec.Spec) (all []sampleOutput) {
	o := of.Outputs.SamplesFolder()
	if o == nil {
		return nil
	}
	for stage := range max(1, len(of.Stages)) {
		path, ok := job.StagePath(of, o, stage)
		switch {
		case !ok:
		case len(of.Stages) == 0:
			all = append(all, sampleOutput{Key: samplesKey, Path: path})
		default:
			name := of.Stages[stage].Name()
			all = append(all, sampleOutput{Key: samplesKey + "." + name, Name: name, Path: path, Stage: stage, Final: o.Stages == spec.FinalStage})
		}
	}
	return all
}

// samplesKey begins what accounts call files of samples.
const samplesKey = "samples"

// outputsOf names the files of what is joined at once; of several intervals together none is that of the samples.
func (p *plan) outputsOf(s interval) outputs {
	out := outputsOf(p.spec, s)
	if several := p.intervalsOf(s); len(several) > 1 {
		out.Samples = nil
		for _, one := range several {
			for _, part := range outputsOf(p.spec, one).Samples {
				out.Parts = append(out.Parts, part.Path)
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
	roles := make([]string, len(p.sources))
	for i, src := range p.sources {
		roles[i] = src.Role
	}
	params.Marked = p.marked()
	inOrder := kept != "" && !spread
	how := attribution.InFiles(kept)
	if inOrder {
		how = attribution.InOrder(kept)
	}
	g := graph.Graph{
		Params:  params,
		How:     how,
		Sources: []graph.Source{&pieceSource{pieces: p.pieces(s), read: readFn{P: params, Fields: p.fields(), Reading: p.reading}, spread: spread}},
		Rejected: []graph.RejectedSink{&rejectedFiles{writeRejectedFn{
			Paths: map[rejected.Output]string{rejected.Late: out.Late, rejected.Dead: out.Dead, rejected.Orphans: out.Orphans},
			Roles: roles, Partitions: p.partitions, Schemas: params.Schemas,
		}}},
		Accounts: &accountFile{writeAccountsFn{Files: out, Fingerprint: fingerprint}},
	}
	if folder := p.spec.Outputs.SamplesFolder(); folder != nil {
		files := &sampleFiles{intervals: all, kept: kept, inOrder: inOrder, writes: make([]*writeSamplesFn, params.StageCount())}
		for _, to := range sampleFolders(p.spec) {
			files.writes[to.Stage] = &writeSamplesFn{Key: to.Key, Final: to.Final, Format: p.sampleFormat(folder), Spool: p.asked.Samples.IsStdout()}
		}
		for _, one := range all {
			for _, to := range outputsOf(p.spec, one).Samples {
				write := files.writes[to.Stage]
				write.Files = append(write.Files, sampleFile{to.Path, one.from, one.to})
			}
		}
		g.Samples = append(g.Samples, files)
	}
	if p.topic != nil {
		g.Samples = append(g.Samples, p.topic)
		g.Rejected = append(g.Rejected, &job.RejectedTopics{
			Config: p.topic.last(), Topics: p.spec.Outputs.Topics, Roles: roles, Partitions: job.Partitions{Files: p.partitions}, Schemas: params.Schemas,
		})
	}
	return g.Build()
}

// sampleFormat is the format of the samples that an output takes.
func (p *plan) sampleFormat(o *spec.Output) job.SampleFormat {
	return job.NewSampleFormat(o, p.sampleSchema, p.params.TextViews())
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
