package batch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"tributary/io/kafkaio/source"
	"tributary/pipelines/report"
	"tributary/pipelines/spec"
	"tributary/runners"
	"tributary/runners/direct"
	"tributary/transforms/account"
)

// Options are the choices of a run. The zero value joins everything there is.
type Options struct {
	// From and To bound the event times that are joined: [From, To). Zero for no bound.
	From, To time.Time
	// Interval is the length of an interval; 0 chooses the longest that fits in memory.
	Interval time.Duration
	// Parallel is how many intervals are joined at once; 0 for one a processor.
	Parallel int
	// Folders says whether dated folders may keep files from being read.
	Folders Folders
	// Again joins intervals again that are finished and whose input has not changed.
	Again bool
	// Prune removes files of an earlier run from times that the inputs no longer reach to.
	Prune bool
	// Until is where reading topics ends; the zero value reads what is there.
	Until source.Stop
	// Runner joins all intervals at once, over many machines; nil joins one after another in this process.
	Runner runners.Runner
	// Stdin and Stdout are those of a spec that names them; nil for none. Neither is closed. Samples are written to Stdout as one file,
	// when all else has succeeded.
	Stdin  io.Reader
	Stdout io.Writer
	// ViewSchema is the one that views have in samples, as Avro, though inputs have another by now; empty for theirs. A schema that
	// the spec gives comes first.
	ViewSchema string
	// Kept are the files that are read of an input, as far as it is among them; nil reads all. One that is gone or changed is an error.
	Kept Kept
	// Scratch is a folder on a local disk for what is joined at once and does not fit in memory; empty for the system's.
	Scratch string
	// CountLate has engagements count that are late, see rules.Params.
	CountLate bool
	// Progress is told how far the run is: now and then, and whenever an interval is finished.
	// It is called by one goroutine at a time; nil for nobody.
	Progress func(Progress)
}

// Progress is how far a run is.
type Progress struct {
	// Stage is "stdin", "scan" or "join". Done and Total are bytes of stdin or a scan, records of a join; a Total of 0 is not known.
	Stage       string
	Done, Total int64
	// Intervals of SlicesTotal are finished.
	Intervals, IntervalsTotal int
}

// progressEvery is how often a running join tells how far it is.
const progressEvery = 200 * time.Millisecond

// Run joins the files of a spec and returns the report. Samples and all else are in files
// then, each interval's accounts last. A run that was stopped goes on where it was: intervals
// whose accounts are there, made of the same input by the same spec, and whose files are those that
// it names, are not joined again.
//
// While it runs, no other run writes to the same folders: it is refused.
//
// The error is a problem.List if the files do not fit the spec, the context's error if
// it was cancelled; what is finished stays.
func Run(ctx context.Context, s *spec.Spec, opt Options) (_ *report.Report, returned error) {
	started := time.Now()
	if opt.Interval > 0 && opt.Interval < time.Millisecond {
		return nil, fmt.Errorf("intervals of %s: event times are in milliseconds", opt.Interval)
	}
	if opt.Interval > 0 && hourly(s) && time.Hour%opt.Interval != 0 {
		return nil, fmt.Errorf("intervals of %s: samples go to folders of hours (outputs.samples.folders), which they must divide, like 30m", opt.Interval)
	}
	if opt.Progress == nil {
		opt.Progress = func(Progress) {}
	}
	if err := checkAccounts(s); err != nil {
		return nil, err
	}
	asked := &s.Outputs
	pipes, s, err := openPipes(s, &opt)
	if err != nil {
		return nil, err
	}
	defer func() { returned = errors.Join(returned, pipes.remove()) }()
	if err := checkOutputs(ctx, s); err != nil {
		return nil, err
	}
	held, err := hold(ctx, s)
	if err != nil {
		return nil, err
	}
	ctx = held.context
	defer func() { returned = held.end(returned) }()
	if err := pipes.readStdin(ctx, s, opt.Stdin, opt.Progress); err != nil {
		return nil, err
	}
	p, err := newPlan(ctx, s, planOptions{from: opt.From, to: opt.To, folders: opt.Folders, until: opt.Until, keep: opt.Runner == nil, pipes: pipes, asked: asked, viewSchema: opt.ViewSchema, kept: opt.Kept, countLate: opt.CountLate, progress: func(done, total int64) {
		opt.Progress(Progress{Stage: "scan", Done: done, Total: total})
	}})
	if err != nil {
		return nil, err
	}
	if err := p.checkCuts(opt); err != nil {
		return nil, err
	}
	all := p.intervals(opt.From, opt.To, opt.Interval)
	r := &runner{plan: p, options: opt, intervals: len(all), total: account.New()}
	for _, k := range p.params.Kinds {
		r.total.Engagements[k.Name] = &account.Engagements{Delay: &account.Histogram{}}
	}
	if err := p.checkFolders(ctx, all); err != nil {
		return nil, err
	}
	units := p.units(all, opt) // what is finished or not by itself
	r.intervals = len(units)
	stale, err := p.clearOverlaps(ctx, all, units, opt)
	if err != nil {
		return nil, err
	}
	todo, err := r.unfinished(ctx, units)
	if err != nil {
		return nil, err
	}
	if len(todo) > 0 {
		if err := p.claim(ctx, all); err != nil {
			return nil, err
		}
	}
	noted := &failures{}
	ctx = context.WithValue(ctx, failuresKey{}, noted)
	if opt.Runner == nil {
		err = r.join(p.cache.in(ctx), todo)
	} else {
		err = r.spread(ctx, opt.Runner, todo)
	}
	if err != nil {
		return nil, noted.problemOf(s, err)
	}
	old, err := p.prune(ctx, stale, opt.Prune)
	if err != nil {
		return nil, err
	}
	if asked.Samples.IsStdout() {
		size, err := pipes.writeStdout(ctx, p, asked, SamplesIn(&asked.Samples, r.total), &opt)
		if err != nil {
			return nil, err
		}
		r.total.Bytes.Out += size
	}
	out := &report.Report{
		Spec: s.File, Version: s.Version, From: timeOf(all[0].from), To: timeOf(all[len(all)-1].to), Intervals: len(units), Finished: len(units) - len(todo), Accounts: r.total, Kinds: s.Kinds(),
		Windows: map[string]time.Duration{}, Elapsed: time.Since(started), Events: recordsRead.Load() - r.before, MaxRSS: maxRSS(),
		Outputs: describeOutputs(asked, r.total, len(units)), Unread: p.unread, EmptyFolders: p.empty, Stale: old, InputsFrom: p.inputsFrom(), SampleSchema: p.sampleSchema,
	}
	for _, e := range s.Engagements {
		out.Windows[e.Kind] = e.Window
	}
	return out, nil
}

// runner joins the intervals of a plan.
type runner struct {
	plan    *plan
	options Options

	intervals int   // all of them
	records   int64 // of the intervals to be joined
	before    int64 // recordsRead when joining began

	mu       sync.Mutex
	total    *account.Sheet
	finished int
}

// join joins the intervals, several at once, and reports how far they are.
func (r *runner) join(ctx context.Context, todo []fingerprinted) error {
	for _, s := range todo {
		r.records += r.plan.recordsIn(s.interval)
	}
	r.before = recordsRead.Load()
	kept, err := r.plan.shuffleIn(todo, r.options.Scratch)
	if err != nil {
		return err
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(progressEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				r.reportProgress()
			case <-stop:
				r.reportProgress()
				return
			}
		}
	}()
	parallel := r.options.Parallel
	if parallel <= 0 {
		parallel = runtime.GOMAXPROCS(0)
	}
	err = direct.RunAll(ctx, len(todo), parallel,
		func(i int) *beam.Pipeline {
			return r.plan.pipeline(todo[i].interval, todo[i].fingerprint, kept.of(todo[i].interval), false)
		},
		func(i int) error { return errors.Join(r.finish(ctx, todo[i].interval), kept.remove(todo[i].interval)) })
	err = errors.Join(err, kept.removeAll())
	close(stop)
	<-stopped
	if err == nil && r.finished < r.intervals {
		return ctx.Err() // it was cancelled before all had begun
	}
	return err
}

// reportProgress says how far the run is.
func (r *runner) reportProgress() {
	r.mu.Lock()
	defer r.mu.Unlock()
	done := min(recordsRead.Load()-r.before, r.records)
	r.options.Progress(Progress{Stage: "join", Done: done, Total: r.records, Intervals: r.finished, IntervalsTotal: r.intervals})
}

// finish takes the account of an interval that has been joined.
func (r *runner) finish(ctx context.Context, s interval) error {
	files := r.plan.outputsOf(s)
	l, err := readAccounts(ctx, files.Accounts)
	if err != nil {
		return err
	}
	if l == nil {
		return fmt.Errorf("interval %s to %s: its accounts, %s, are not there", timeOf(s.from), timeOf(s.to), files.Accounts)
	}
	_, others, err := files.parts(ctx, l)
	if err = errors.Join(err, removeAll(ctx, others)); err != nil {
		return err
	}
	r.add(l)
	r.reportProgress()
	return nil
}

func (r *runner) add(l *account.Sheet) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.total.Merge(l)
	r.finished++
}

// recordsIn is how many records an interval reads that no other accounts for.
func (p *plan) recordsIn(s interval) (n int64) {
	for _, f := range p.files {
		for i := range f.chunks {
			if s.accountsFor(&f.chunks[i]) {
				n += f.chunks[i].records
			}
		}
	}
	return n
}

// inputsFrom is the first minute of event time that the inputs have records of; zero if they have none.
func (p *plan) inputsFrom() time.Time {
	if len(p.minutes) == 0 {
		return time.Time{}
	}
	return timeOf(slices.Min(slices.Collect(maps.Keys(p.minutes))) * minute)
}

// maxRSS is the largest resident set of this process so far, in bytes.
func maxRSS() int64 {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return usage.Maxrss
	}
	return usage.Maxrss * 1024 // in KiB, but for macOS
}

// describeOutputs says what was written where, for so many intervals.
func describeOutputs(o *spec.Outputs, l *account.Sheet, intervals int) []report.Output {
	var out []report.Output
	for _, sink := range o.SampleSinks() {
		out = append(out, report.Output{Name: "samples", Path: sink.Path, Topic: sink.Topic, Count: SamplesIn(&sink, l)})
	}
	late, dead, orphans := rejectedIn(l)
	if late > 0 {
		out = append(out, report.Output{Name: "late", Path: o.Late, Topic: o.Topics.Late, Count: late})
	}
	if dead > 0 {
		out = append(out, report.Output{Name: "dead letters", Path: o.DeadLetters, Topic: o.Topics.DeadLetters, Count: dead})
	}
	if orphans > 0 && (o.Orphans != "" || o.Topics.Orphans != "") {
		out = append(out, report.Output{Name: "orphans", Path: o.Orphans, Topic: o.Topics.Orphans, Count: orphans})
	}
	return append(out, report.Output{Name: "accounts", Path: o.Accounts, Count: int64(intervals)})
}

// SamplesIn is how many samples an output has been given, of all stages that it takes.
func SamplesIn(o *spec.Output, l *account.Sheet) (n int64) {
	if len(l.Stages) == 0 || o.Stages == spec.FinalStage { // which gives all
		return l.Views.N[account.Samples]
	}
	for name := range l.Stages {
		n += samplesGiven(l, name)
	}
	return n
}
