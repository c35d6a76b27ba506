package stream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/window"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/dofn"
	"tributary/io/kafkaio/commitlog"
	"tributary/io/kafkaio/sink"
	"tributary/io/pool"
	"tributary/io/record"
	"tributary/transforms/account"
)

func init() {
	dofn.Register(
		dofn.Method0x0((*bookkeeperFn).StartBundle),
		dofn.Method3x0((*bookkeeperFn).ProcessElement),
		dofn.Method1x0((*bookkeeperFn).FinishBundle),
	)
	register.Function2x0(keyBundle)
	register.Function2x0(keyGroup)
	register.Function2x0(holdBundle)
}

// settled is what nothing changes any more, when all accounts were written whose event time lies
// before some watermark: what a job does again that goes on from its topics does not concern it.
type settled struct {
	// Buckets that start before that are joined; of what was read before event time Read none of
	// the others needs anything. Both in ms.
	Buckets, Read int64
}

// next returns the book that follows, with what is settled in it; nil if that is nothing new.
func (all *accounts) next(s settled, bucket time.Duration) (*book, error) {
	b := &book{
		Generation: all.book.Generation + 1, Buckets: max(all.book.Buckets, s.Buckets),
		Offsets: maps.Clone(all.book.Offsets),
	}
	if b.Offsets == nil {
		b.Offsets = map[string]int64{}
	}
	logs := all.ranges()
	for log, ranges := range logs {
		if end := settledBefore(ranges, s.Read); end > b.Offsets[log] {
			b.Offsets[log] = end
		}
	}
	sum, err := all.book.sum()
	if err != nil {
		return nil, err
	}
	count := 0
	for a := range all.counting() {
		if !b.holds(a) {
			continue
		}
		count++
		if err := a.addTo(sum); err != nil {
			return nil, err
		}
	}
	if count == 0 {
		return nil, nil
	}
	sum.Coarsen(bucket.Milliseconds())
	if b.Sheet, err = sum.MarshalJSON(); err != nil {
		return nil, fmt.Errorf("book %d of accounts: %w", b.Generation, err)
	}
	return b, nil
}

// settledBefore returns where the last chapter of a log ends before which all is settled; 0 if there
// is none. A reader writes down what it has read in the order of the log, and the watermark waits
// for it: an account from before a time that the watermark has passed is the last of a row without
// gaps, unless the job has gone back meanwhile.
func settledBefore(ranges []*counted, before int64) (end int64) {
	last := len(ranges) - 1
	for last >= 0 && !ranges[last].from(before) {
		last--
	}
	if gap := slices.IndexFunc(ranges[:last+1], func(a *counted) bool { return a.gap }); gap >= 0 {
		last = gap - 1
	}
	if last < 0 {
		return 0
	}
	end = record.ChapterStart(record.Chapter(ranges[last].First))
	// Versions before there were chapters wrote accounts of several.
	for _, a := range slices.Backward(ranges[:last]) {
		if a.Last >= end {
			end = record.ChapterStart(record.Chapter(a.First))
		}
	}
	return end
}

// from tells whether a begins before the log has come to an event time.
func (a *counted) from(before int64) bool {
	if a.MaxTimeMs == nil {
		return a.Step == steps[account.StepRead] // at the beginning of the log
	}
	return *a.MaxTimeMs < before
}

// mostRemoved bounds how many accounts are removed with a book: a transaction takes its time.
const mostRemoved = 50_000

// change returns what is written to the topic: the next book, and the removal of accounts that the
// book in the topic holds.
func (all *accounts) change(s settled, bucket time.Duration) ([]*kgo.Record, error) {
	if all.apart {
		return nil, errors.New("the topic has several partitions, and accounts have an order in one only: let the job write them to a new topic, as `tributary topics --create` makes it")
	}
	var records []*kgo.Record
	b, err := all.next(s, bucket)
	if err != nil {
		return nil, err
	}
	if b != nil {
		if records, err = b.records(); err != nil {
			return nil, err
		}
	}
	removed := 0
	for key := range all.held {
		if removed++; removed > mostRemoved {
			break
		}
		records = append(records, &kgo.Record{Key: []byte(key)})
	}
	return records, nil
}

// DefaultBooksEvery is how often accounts are put together: rarely beside how often they are
// written, often enough that what lies there meanwhile is little beside those of open windows.
const DefaultBooksEvery = 10 * time.Minute

// keepBooks puts together, for as long as the job runs, the accounts that nothing changes any
// more. acknowledged are of the samples, sent of all that is written beside them.
func (p *Plan) keepBooks(s beam.Scope, acknowledged beam.PCollection, sent ...beam.PCollection) {
	var all []beam.PCollection
	if p.folder != nil || !p.atLeastOnce() {
		all = append(all, beam.ParDo(s, keyGroup, acknowledged))
	} else {
		all = append(all, beam.ParDo(s, keyBundle, acknowledged))
	}
	for _, c := range sent {
		all = append(all, beam.ParDo(s, holdBundle, c))
	}
	windows := beam.WindowInto(s, window.NewFixedWindows(time.Duration(p.params.Bucket)*time.Millisecond), beam.Flatten(s, all...))
	beam.ParDo0(s, &bookkeeperFn{
		Writing: sink.Config{
			Cluster: p.samples.Cluster, Topic: p.spec.Outputs.Topics.Accounts, Compression: "zstd", TransactionTimeout: p.samples.TransactionTimeout,
		},
		Job: p.spec.Stream.Name, Every: cmp.Or(p.booksEvery, DefaultBooksEvery),
		Bucket: p.params.Bucket, Compact: p.compact().Milliseconds(), Longest: p.spec.LongestWindow().Milliseconds(), Lookback: p.params.Lookback(), Provisional: p.samples.ProvisionalFrom,
	}, beam.GroupByKey(s, windows))
}

func keyGroup(_ commitlog.Committed, emit func(int64, int64)) { emit(0, 0) }
func keyBundle(_ int64, emit func(int64, int64))              { emit(0, 0) }

// holdBundle emits nothing: it is there for the watermark of its input.
func holdBundle(int64, func(int64, int64)) {}

// bookkeeperFn writes books. A window comes to it when the watermark of all that is written has
// passed its end.
type bookkeeperFn struct {
	Writing sink.Config
	Job     string
	Every   time.Duration
	// Bucket is their length, Longest the longest window, Lookback that of rules.Params: ms.
	Bucket, Longest, Lookback int64
	// Compact is the length of what is put together in one file, 0 if nothing is: a run that goes on brings all of it.
	Compact int64
	// Provisional, if set, is the start of the first bucket that a run that goes on may correct.
	Provisional int64

	// passed is the end of the last window that came, in ms.
	passed int64
}

var (
	booksWritten = beam.NewCounter("tributary", "books")
	booksFailed  = beam.NewCounter("tributary", "books_failed")
)

// books are those that this process writes, by the topic of accounts: of each when it tried to last.
// Two at once would put an end to one another.
var books = &pool.Pool[string, *time.Time]{Idle: 24 * time.Hour, Close: func(*time.Time) {}, Single: true}

func (f *bookkeeperFn) StartBundle() { f.passed = record.NoTime }

func (f *bookkeeperFn) ProcessElement(at beam.EventTime, _ int64, _ func(*int64) bool) {
	f.passed = max(f.passed, at.Milliseconds()+1)
}

// settled is what is settled once a window that ends there has come. It has come because the
// watermark passed something in it, which need not be its end if the log ends there.
func (f *bookkeeperFn) settled(end int64) settled {
	watermark := end - f.Bucket
	buckets := watermark - f.Longest
	if f.Provisional != 0 {
		buckets = min(buckets, f.Provisional)
	}
	whole := max(f.Bucket, f.Compact)
	buckets -= (buckets%whole + whole) % whole
	return settled{Buckets: buckets, Read: buckets - f.Lookback}
}

// FinishBundle writes a book, if it is time. Nothing depends on it: if it fails, the accounts stay as
// they are, and the next one holds them. That is told.
func (f *bookkeeperFn) FinishBundle(ctx context.Context) {
	if f.passed == record.NoTime {
		return
	}
	tried, err := books.Take(ctx, f.Writing.Topic, func() (*time.Time, error) { return &time.Time{}, nil })
	if err != nil {
		return // the run is over
	}
	defer books.Give(f.Writing.Topic, tried)
	if time.Since(*tried) < f.Every {
		return
	}
	*tried = time.Now()
	ctx, cancel := context.WithTimeout(ctx, time.Minute) // a checkpoint waits for it
	defer cancel()
	if err := keepBook(ctx, f.Writing, f.Job, f.settled(f.passed), time.Duration(f.Bucket)*time.Millisecond); err != nil {
		booksFailed.Inc(ctx, 1)
		log.Warnf(ctx, "the accounts in %s were not put together, and grow until they are: %v", f.Writing.Topic, err)
		return
	}
	booksWritten.Inc(ctx, 1)
}

// keepBook writes the next book of a job's accounts, if there is anything to put together.
func keepBook(ctx context.Context, w sink.Config, job string, s settled, bucket time.Duration) error {
	all := newAccounts()
	err := sink.Rewrite(ctx, w, job+"-accounts", all.take, func() ([]*kgo.Record, error) { return all.change(s, bucket) })
	if err != nil {
		return fmt.Errorf("a book of accounts: %w", err)
	}
	return nil
}
