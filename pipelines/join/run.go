package join

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"tributary/io/fileio"
	"tributary/pipelines/report"
	"tributary/pipelines/spec"
	"tributary/runners/direct"
	"tributary/transforms/attribution"
	"tributary/transforms/ledger"
)

// Options are the choices of a run. The zero value joins everything there is.
type Options struct {
	// From and To bound the event times that are joined: [From, To). Zero for no bound.
	From, To time.Time
	// Slice is the length of a slice; 0 chooses the longest that fits in memory.
	Slice time.Duration
	// Parallel is how many slices are joined at once; 0 for one a processor.
	Parallel int
	// Again joins slices again that are finished and whose input has not changed.
	Again bool
	// Progress is told how far the run is, from one goroutine; nil for nobody.
	Progress func(Progress)
}

// Progress is how far a run is.
type Progress struct {
	// Stage is "scan" or "join". Done and Total are bytes of a scan, records of a join.
	Stage       string
	Done, Total int64
	// Slices of SlicesTotal are finished.
	Slices, SlicesTotal int
}

// progressEvery is how often a running join tells how far it is.
const progressEvery = 200 * time.Millisecond

// Run joins the files of a spec and returns the report. Samples and all else are in files
// then, each slice's ledger last. A run that was stopped goes on where it was: slices
// whose ledger is there, made of the same input by the same spec, are not joined again.
//
// The error is a problem.List if the files do not fit the spec, the context's error if
// it was cancelled; what is finished stays.
func Run(ctx context.Context, s *spec.Spec, opt Options) (*report.Report, error) {
	started := time.Now()
	if opt.Progress == nil {
		opt.Progress = func(Progress) {}
	}
	p, err := newPlan(ctx, s, planOptions{from: opt.From, to: opt.To, progress: func(done, total int64) {
		opt.Progress(Progress{Stage: "scan", Done: done, Total: total})
	}})
	if err != nil {
		return nil, err
	}
	r := &runner{plan: p, options: opt, total: ledger.New()}
	for _, k := range p.params.Kinds {
		r.total.Engagements[k.Name] = &ledger.Engagements{Delay: &ledger.Histogram{}}
	}
	all := p.slices(opt.From, opt.To, opt.Slice)
	todo, err := r.unfinished(ctx, all)
	if err != nil {
		return nil, err
	}
	before := recordsRead.Load()
	if err := r.join(ctx, todo, len(all)); err != nil {
		return nil, err
	}
	out := &report.Report{
		Spec: s.File, Version: s.Version, From: timeOf(all[0].from), To: timeOf(all[len(all)-1].to), Slices: len(all), Ledger: r.total,
		Windows: map[string]time.Duration{}, Elapsed: time.Since(started), Events: recordsRead.Load() - before, MaxRSS: maxRSS(),
		Outputs: describeOutputs(&s.Outputs, r.total),
	}
	for _, e := range s.Engagements {
		out.Windows[e.Kind] = e.Window
	}
	return out, nil
}

// runner joins the slices of a plan.
type runner struct {
	plan    *plan
	options Options

	mu       sync.Mutex
	total    *ledger.Ledger
	finished int
}

// unfinished returns the slices that are to be joined, with their fingerprints; those that
// are done already are added to the total.
func (r *runner) unfinished(ctx context.Context, all []slice) ([]fingerprinted, error) {
	var todo []fingerprinted
	for _, s := range all {
		f := fingerprinted{slice: s, fingerprint: r.plan.fingerprint(s)}
		if !r.options.Again {
			done, err := readLedger(ctx, outputsOf(&r.plan.spec.Outputs, s).ledger)
			if err != nil {
				return nil, err
			}
			if done != nil && done.Fingerprint == f.fingerprint {
				r.add(done)
				continue
			}
		}
		todo = append(todo, f)
	}
	return todo, nil
}

type fingerprinted struct {
	slice
	fingerprint string
}

func (r *runner) add(l *ledger.Ledger) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.total.Merge(l)
	r.finished++
}

// join joins the slices, several at once, and reports how far they are.
func (r *runner) join(ctx context.Context, todo []fingerprinted, slicesTotal int) error {
	total := int64(0)
	for _, s := range todo {
		total += r.plan.recordsIn(s.slice)
	}
	start := recordsRead.Load()
	tell := func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.options.Progress(Progress{Stage: "join", Done: min(recordsRead.Load()-start, total), Total: total, Slices: r.finished, SlicesTotal: slicesTotal})
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(progressEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				tell()
			case <-stop:
				tell()
				return
			}
		}
	}()
	parallel := r.options.Parallel
	if parallel <= 0 {
		parallel = runtime.GOMAXPROCS(0)
	}
	err := direct.RunAll(ctx, len(todo), parallel,
		func(i int) *beam.Pipeline { return r.plan.pipeline(todo[i].slice, todo[i].fingerprint) },
		func(i int) error { return r.finish(ctx, todo[i].slice) })
	close(stop)
	<-stopped
	return err
}

// finish takes the account of a slice that has been joined, and removes files of an
// earlier run that this one had no reason to write.
func (r *runner) finish(ctx context.Context, s slice) error {
	out := outputsOf(&r.plan.spec.Outputs, s)
	l, err := readLedger(ctx, out.ledger)
	if err != nil {
		return err
	}
	if l == nil {
		return fmt.Errorf("slice %s to %s: its ledger %s is not there", timeOf(s.from), timeOf(s.to), out.ledger)
	}
	late, dead, orphans := l.Views.Late, l.Views.Dead, int64(0)
	for _, e := range l.Engagements {
		late, dead, orphans = late+e.Late+e.PartlyLate, dead+e.Dead, orphans+e.Orphans
	}
	for path, n := range map[string]int64{out.samples: l.Views.Samples, out.late: late, out.dead: dead, out.orphans: orphans} {
		if n > 0 || path == "" {
			continue
		}
		if err := fileio.Remove(ctx, path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	r.add(l)
	return nil
}

func readLedger(ctx context.Context, path string) (*ledger.Ledger, error) {
	content, err := fileio.ReadFile(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	l, err := ledger.Decode(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return l, nil
}

// recordsIn is how many records a slice reads that no other accounts for.
func (p *plan) recordsIn(s slice) (n int64) {
	for _, f := range p.files {
		for i := range f.chunks {
			if s.accountsFor(&f.chunks[i]) {
				n += f.chunks[i].records
			}
		}
	}
	return n
}

// format counts the changes of what a join writes: a slice made by an older format is
// joined again.
const format = 1

// fingerprint stands for all that a slice's outputs follow from: the spec's meaning, and
// the files that are read for it. What changes no output is left out: shards, and the
// end of a log that lies beyond the slice.
func (p *plan) fingerprint(s slice) string {
	params := p.sliceParams(s)
	params.Shards = 0
	type input struct {
		Path, Version string
		Size          int64
	}
	inputs := map[input]bool{}
	for _, piece := range p.pieces(s) {
		inputs[input{piece.File.Path, piece.File.Version, piece.File.Size}] = true
	}
	files := make([]input, 0, len(inputs))
	for f := range inputs {
		files = append(files, f)
	}
	slices.SortFunc(files, func(a, b input) int {
		if a.Path < b.Path {
			return -1
		}
		return 1
	})
	text, err := json.Marshal(struct {
		Format  int
		Params  attribution.Params
		Outputs spec.Outputs
		Files   []input
		First   bool
	}{format, params, p.spec.Outputs, files, s.first})
	if err != nil {
		panic(fmt.Errorf("join: fingerprint: %w", err)) // plain structs of plain values
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
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

func describeOutputs(o *spec.Outputs, l *ledger.Ledger) []string {
	out := []string{"samples: " + o.Samples.Path}
	late, dead, orphans := l.Views.Late, l.Views.Dead, int64(0)
	for _, e := range l.Engagements {
		late, dead, orphans = late+e.Late+e.PartlyLate, dead+e.Dead, orphans+e.Orphans
	}
	if late > 0 {
		out = append(out, "late: "+o.Late)
	}
	if dead > 0 {
		out = append(out, "dead letters: "+o.DeadLetters)
	}
	if orphans > 0 && o.Orphans != "" {
		out = append(out, "orphans: "+o.Orphans)
	}
	return append(out, "ledger: "+o.Ledger)
}
