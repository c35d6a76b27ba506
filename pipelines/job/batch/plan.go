package batch

import (
	"cmp"
	"context"
	"maps"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"tributary/io/kafkaio/source"
	"tributary/io/record"
	"tributary/pipelines/job"
	"tributary/pipelines/report"
	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
	"tributary/transforms/attribution/rules"
)

// plan is a join of files, worked out before anything is joined.
type plan struct {
	spec *spec.Spec
	// asked are the outputs that the user has asked for: those of spec, but for stdout, which is a folder there.
	asked   *spec.Outputs
	params  rules.Params // without an interval
	sources []job.Source
	// files are those of the inputs, then the partitions of their topics.
	files []*scannedFile
	// reading says how topics are read; it has none if all inputs are files.
	reading source.Config
	// partitions are the names of the partitions by their rank.
	partitions   []string
	sampleSchema string
	// topic takes the samples; nil if they go to files.
	topic *topicSink
	// all are the intervals that are joined (see units).
	all []interval
	// cache has what the scan has kept; nil for nothing.
	cache *cache
	// project has no more be read of files than is joined, where their format can do so. What a stream keeps of its files is a hash of
	// all their bytes, whatever it reads of them.
	project bool
	// minutes counts records by the minute of their event time.
	minutes map[int64]int64
	// last is where the inputs end.
	last int64
	// unread are files that were left unread, because the user trusts their folders' names;
	// empty are folders that match like files, but have none.
	unread report.Unread
	empty  []string
}

// planOptions bound what is planned. The zero value plans everything there is.
type planOptions struct {
	from, to time.Time // zero for no bound
	folders  Folders
	until    source.Stop
	progress func(done, total int64)
	// keep has the scan keep small inputs, for a join in this process.
	keep bool
	// pipes have the stdin of the spec; nil if it has none.
	pipes *pipes
	// asked are the outputs that the user has asked for.
	asked *spec.Outputs
	// viewSchema, kept and countLate are those of Options.
	viewSchema string
	kept       Kept
	countLate  bool
}

// newPlan lists and scans the files and topics of a spec. What is wrong with them is a
// problem.List, all of it at once.
func newPlan(ctx context.Context, s *spec.Spec, opt planOptions) (*plan, error) {
	p := &plan{spec: s, asked: cmp.Or(opt.asked, &s.Outputs), minutes: map[int64]int64{}, last: record.NoTime, project: true}
	if opt.keep {
		p.cache = &cache{}
	}
	p.params, p.sources = job.Of(s)
	p.params.CountLate = opt.countLate
	if err := p.params.Validate(); err != nil {
		return nil, err
	}
	if err := p.list(ctx, opt); err != nil {
		return nil, err
	}
	if err := p.keep(opt.kept); err != nil {
		return nil, err
	}
	topics, _, err := p.readSchemas(ctx, opt.viewSchema)
	if err != nil {
		return nil, err
	}
	if err := p.planTopics(ctx, topics, opt.until); err != nil {
		return nil, err
	}
	p.rank()
	if err := p.scan(ctx, opt.progress); err != nil {
		return nil, err
	}
	if err := p.unchanged(opt.kept); err != nil {
		return nil, err
	}
	if err := p.orderPartitions(); err != nil {
		return nil, err
	}
	p.last = p.params.EndOf(p.clocks()...)
	if p.sampleSchema, err = job.SampleSchema(s, &p.params); err != nil {
		return nil, err
	}
	return p, p.planTopic(ctx)
}

// rank gives every partition its rank: the place of its name among all names. Names of
// partitions that records name are known after the scan only.
func (p *plan) rank() {
	for i, f := range p.files {
		if i == 0 || f.Path != p.files[i-1].Path {
			p.partitions = append(p.partitions, f.Path)
		}
		for k := range f.roles {
			f.roles[k].partition = int32(len(p.partitions) - 1)
		}
	}
}

// scan scans all files, as many at once as there are processors.
func (p *plan) scan(ctx context.Context, progress func(done, total int64)) error {
	if progress == nil {
		progress = func(int64, int64) {}
	}
	var total, done int64
	for _, f := range p.files {
		total += f.Size
	}
	var mu sync.Mutex
	var problems problem.List
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, f := range p.files {
		group.Go(func() error {
			read := int64(0)
			found, err := p.scanOne(ctx, f, func(bytes int64) {
				mu.Lock()
				defer mu.Unlock()
				read += bytes
				done += bytes
				progress(min(done, total), total)
			})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				problems = append(problems, p.problem(codeOf(err), err.Error(), &p.sources[f.roles[0].source]))
				return nil
			}
			f.chunks, f.Content = found.chunks, found.content
			scaleSizes(f, read)
			for m, n := range found.minutes {
				p.minutes[m] += n
			}
			maps.Copy(p.params.Schemas, found.schemas)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	problems.Sort()
	return asError(problems)
}

func (p *plan) scanOne(ctx context.Context, f *scannedFile, progress func(bytes int64)) (scanned, error) {
	if f.Range != nil {
		return scanTopic(ctx, p.reading, &p.params, f, progress)
	}
	return scanFile(ctx, &p.params, p.sources, f, p.cache, progress)
}

// scaleSizes makes the sizes of the chunks of text add up to the file's: what they
// know is how much plain text they hold.
func scaleSizes(f *scannedFile, plain int64) {
	if f.Range != nil || !f.reads().Text() || plain == 0 {
		return
	}
	scale := float64(f.Size) / float64(plain)
	for i := range f.chunks {
		f.chunks[i].size = int64(float64(f.chunks[i].size) * scale)
	}
}

// problem is a problem with an input of the spec.
func (p *plan) problem(code, message string, src *job.Source) problem.Problem {
	return src.Problem(p.spec, code, message)
}

// asError is nil for no problems.
func asError(problems problem.List) error {
	if len(problems) == 0 {
		return nil
	}
	return problems
}
