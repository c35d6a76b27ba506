package batch

import (
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"tributary/io/kafkaio/commitlog"
	"tributary/pipelines/job/graph"
	"tributary/transforms/account"
)

func init() {
	register.Function2x0(noneCommitted)
	register.Function2x0(noneSent)
}

// pieceSource reads what an interval needs, pieces that are planned: it has an end.
type pieceSource struct {
	pieces []piece
	read   readFn
	spread bool // over the workers of a runner
}

func (p *pieceSource) Bounded() bool { return true }

func (p *pieceSource) Read(s beam.Scope) (r graph.Read) {
	pieces := beam.CreateList(s.Scope("Pieces"), p.pieces)
	if p.spread {
		pieces = beam.Reshuffle(s.Scope("Pieces"), pieces)
	}
	r.Batches, r.Unreadable, r.Accounts = beam.ParDo3(s.Scope("Read"), &p.read, pieces)
	return r
}

// sampleFiles are those of intervals, each written when all its samples are there; of one interval, or of several, by way of a folder
// (see writeSpread) or as they come in order.
type sampleFiles struct {
	intervals []interval
	kept      string
	inOrder   bool
	writes    []*writeSamplesFn // by stage, nil where none are written
}

func (f *sampleFiles) NeedsEnd() bool { return true }

func (f *sampleFiles) WriteSamples(s beam.Scope, stage int, samples beam.PCollection) (w graph.Written) {
	write := f.writes[stage]
	switch {
	case write == nil:
	case f.inOrder:
		w.Acknowledged = beam.ParDo(s, &writeInOrderFn{Write: *write, Ends: endsOf(f.intervals)}, samples)
	case f.kept != "":
		w.Acknowledged = writeSpread(s, f.intervals, f.kept, *write, samples)
	default:
		w.Acknowledged = beam.ParDo(s, write, beam.GroupByKey(s, beam.AddFixedKey(s, samples)))
	}
	return w
}

// rejectedFiles are those of an interval, each written when all its records are there.
type rejectedFiles struct{ write writeRejectedFn }

func (f *rejectedFiles) NeedsEnd() bool { return true }

func (f *rejectedFiles) WriteRejected(s beam.Scope, rejected, _ beam.PCollection) []beam.PCollection {
	return []beam.PCollection{beam.ParDo(s, &f.write, beam.GroupByKey(s, beam.ParDo(s, byOutput, rejected)))}
}

// accountFile is that of an interval. Where it is, everything else is.
type accountFile struct{ write writeAccountsFn }

func (f *accountFile) NeedsEnd() bool { return true }

func (f *accountFile) WriteAccounts(s beam.Scope, a graph.ToAccount) {
	s = s.Scope("Accounts")
	all := []beam.PCollection{a.Read.Accounts, a.Joined}
	for _, stage := range a.Samples {
		for _, written := range stage {
			all = append(all, awaited(s, written.Acknowledged))
		}
	}
	for _, acknowledged := range a.Rejected {
		all = append(all, awaited(s, acknowledged))
	}
	beam.ParDo0(s, &f.write, beam.GroupByKey(s, beam.AddFixedKey(s, beam.Flatten(s, all...))))
}

// awaited are the accounts of what is acknowledged: none of what goes to topics, for which who takes them waits all the same.
func awaited(s beam.Scope, acknowledged beam.PCollection) beam.PCollection {
	switch acknowledged.Type().Type() {
	case reflect.TypeFor[commitlog.Committed]():
		return beam.ParDo(s, noneCommitted, acknowledged)
	case reflect.TypeFor[int64]():
		return beam.ParDo(s, noneSent, acknowledged)
	default:
		return acknowledged
	}
}

func noneCommitted(commitlog.Committed, func(account.Sheet)) {}
func noneSent(int64, func(account.Sheet))                    {}
