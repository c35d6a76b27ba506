package source

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/registry"
	"tributary/io/record"
)

// How much a client fetches ahead. Between calls it holds one answer of each broker.
const (
	fetchBytes          = 16 << 20
	fetchPartitionBytes = 1 << 20
)

const (
	// firstWait is how long a client that was just opened is waited for: it has to ask
	// for metadata before it can ask for records.
	firstWait = 500 * time.Millisecond
	// behindWait is how long records are waited for that are known to be in the log.
	behindWait = 250 * time.Millisecond
	// endWait is how long a call waits at the end of all logs.
	endWait = 5 * time.Millisecond
)

// Reader reads the partitions of one restriction. It outlives calls so that its clients
// fetch ahead between them. Not for concurrent use.
type Reader struct {
	config         Config // in normal form
	index          int
	outOfOrderness int64
	leap           int64 // of clocks: Config.MaxAhead in ms
	topics         []*topic
	links          map[string]*link
	parts          []*partition // as in the restriction
	ids            []kadm.TopicID
	watermark      int64
	// stale: the clients are not where parts are, or not of these partitions.
	stale bool
	// fresh: the clients were just opened.
	fresh bool
	// cut: the last call ended at its deadline, with records left.
	cut   bool
	watch watch
	notes notes
	// unknown is since when a topic has not been known to its cluster, by name.
	unknown map[string]time.Time
	Now     func() time.Time
	Stats   Stats
}

// link is a connection to a cluster, with what is read from it.
type link struct {
	cluster cluster.Config
	client  *kgo.Client
	admin   *kadm.Client
	parts   map[string]map[int32]*partition
}

// partition is what a reader knows of a partition beyond its position.
type partition struct {
	batcher
	link *link
	// end is the offset behind the last record that can be read, as last heard of.
	end int64
	// listed is where the log ended at the last look, at looked; known says that the look
	// told it.
	listed int64
	looked time.Time
	known  bool
	// quiet is for how long, by looks at the log's end, nothing has come that can move the
	// watermark; timeless says that other records came meanwhile.
	quiet    time.Duration
	timeless bool
	// cameSince is when the last record came, and timedSince the last one with an event
	// time, or reading began.
	cameSince, timedSince time.Time
	// span is the one of the last entry, if there is one.
	span  int64
	noted bool
	// gapSought is when it was last looked for batches without records.
	gapSought time.Time
}

// Stats counts what a call did.
type Stats struct {
	Records, Rejected, Tombstones, Truncated, AfterIdle int64
}

// NewReader prepares reader index of a Config in normal form.
func NewReader(ctx context.Context, reading Config, index int) (*Reader, error) {
	r := &Reader{
		config: reading, index: index, outOfOrderness: reading.OutOfOrderness.Milliseconds(), leap: reading.MaxAhead.Milliseconds(),
		links: map[string]*link{}, unknown: map[string]time.Time{}, stale: true, Now: steadyClock(),
	}
	r.watch.allowed = record.NoTime
	for i, t := range reading.Topics {
		opened, err := newTopic(ctx, t, int32(i))
		if err != nil {
			return nil, err
		}
		r.topics = append(r.topics, opened)
	}
	return r, nil
}

// steadyClock returns a clock that begins at the time of day and goes on evenly: that
// somebody sets the time of day changes nothing.
func steadyClock() func() time.Time {
	begun := time.Now()
	return func() time.Time { return begun.Add(time.Since(begun)) }
}

// Close ends the clients. What they had fetched ahead is fetched again by whoever goes on.
func (r *Reader) Close() {
	for _, l := range r.links {
		l.client.Close()
	}
	clear(r.links)
	r.stale = true
}

// seek makes the reader stand where the restriction is. Usually it does already: then its
// clients have fetched ahead meanwhile. Otherwise (another attempt went on in between, or
// failed) they are replaced.
func (r *Reader) seek(ctx context.Context, at Restriction, out Output) error {
	r.watermark, r.ids = at.Watermark, at.IDs
	same := !r.stale && len(r.parts) == len(at.Partitions)
	for i := 0; same && i < len(r.parts); i++ {
		have, want := r.parts[i].after, at.Partitions[i]
		same = have.Topic == want.Topic && have.Partition == want.Partition && have.Next == want.Next
	}
	if !same {
		r.Close()
		r.parts = nil
		for i, p := range at.Partitions {
			if int(p.Topic) >= len(r.topics) {
				return fmt.Errorf("positions of topic %d: there are %d topics: they are another job's", p.Topic, len(r.topics))
			}
			part := &partition{
				batcher:   batcher{topic: r.topics[p.Topic], index: i, ranksAfter: r.config.RanksAfter, outOfOrderness: r.outOfOrderness, maxAhead: r.leap, now: r.Now, after: p},
				cameSince: r.Now(), timedSince: r.Now(),
			}
			for _, raise := range r.config.Start.Decided.of(part.name()) {
				if raise.Offset >= p.Next || p.Clock == record.NoClock { // or it is in the clock already
					part.raises = append(part.raises, raise)
				}
			}
			r.parts = append(r.parts, part)
		}
	}
	for i, p := range r.parts {
		p.reset(at.Partitions[i], at.Watermark, out)
	}
	if same {
		return nil
	}
	return r.open(ctx)
}

// open connects to the clusters and begins to fetch.
func (r *Reader) open(ctx context.Context) error {
	byCluster := map[string]map[string]map[int32]*partition{}
	for _, p := range r.parts {
		topics := byCluster[p.topic.Cluster]
		if topics == nil {
			topics = map[string]map[int32]*partition{}
			byCluster[p.topic.Cluster] = topics
		}
		if topics[p.topic.Name] == nil {
			topics[p.topic.Name] = map[int32]*partition{}
		}
		topics[p.topic.Name][p.after.Partition] = p
	}
	for _, t := range r.topics { // a reader without partitions looks for new ones
		if byCluster[t.Cluster] == nil {
			byCluster[t.Cluster] = map[string]map[int32]*partition{}
		}
	}
	for name, topics := range byCluster {
		l, err := r.connect(ctx, name, topics)
		if err != nil {
			r.Close()
			return err
		}
		r.links[name] = l
		for _, parts := range topics {
			for _, p := range parts {
				p.link = l
			}
		}
	}
	r.stale, r.fresh = false, true
	return nil
}

func (r *Reader) connect(ctx context.Context, name string, parts map[string]map[int32]*partition) (*link, error) {
	brokers, _ := r.config.cluster(name)
	offsets := map[string]map[int32]kgo.Offset{}
	for topic, ps := range parts {
		for number, p := range ps {
			if p.after.done() {
				continue
			}
			if offsets[topic] == nil {
				offsets[topic] = map[int32]kgo.Offset{}
			}
			offsets[topic][number] = kgo.NewOffset().At(p.after.Next)
		}
	}
	client, err := r.config.connect(ctx, brokers,
		kgo.ConsumePartitions(offsets),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		// Markers of transactions are records of the log: with them a position gets to the
		// end of it, and past what was aborted.
		kgo.KeepControlRecords(),
		kgo.FetchMaxBytes(fetchBytes),
		kgo.FetchMaxPartitionBytes(fetchPartitionBytes),
		kgo.FetchMaxWait(time.Second),
		kgo.MaxDecompressBatchBytes(maxBatchBytes),
		kgo.MetadataMinAge(time.Second),
	)
	if err != nil {
		return nil, err
	}
	l := &link{cluster: brokers, client: client, admin: kadm.NewClient(client), parts: parts}
	if err := r.sameTopics(ctx, l, name); err != nil {
		client.Close()
		return nil, err
	}
	return l, nil
}

// errReopen says that a partition is read on at another place, with another client.
var errReopen = errors.New("it is read on elsewhere")

// Poll reads until the deadline, or until there is nothing to read, and tells the
// watermark then reached. ErrHandedOver means that somebody else goes on.
func (r *Reader) Poll(ctx context.Context, at Restriction, deadline time.Time, out Output) (watermark int64, err error) {
	defer func() {
		if err != nil {
			r.stale = true // fetched, but not claimed
		}
	}()
	r.Stats = Stats{}
	if err := r.seek(ctx, at, out); err != nil {
		return record.NoTime, err
	}
	some, err := r.read(ctx, deadline)
	if err != nil && !errors.Is(err, errReopen) && !errors.Is(err, registry.ErrWaiting) {
		return record.NoTime, err
	}
	r.stale = err != nil
	for _, p := range r.parts {
		if err := p.flush(); err != nil {
			return record.NoTime, err
		}
	}
	if err := r.look(ctx, some, out); err != nil {
		return record.NoTime, err
	}
	return r.advance(out)
}

// advance claims the watermark that was reached and returns it.
func (r *Reader) advance(out Output) (int64, error) {
	ok := out.Claim(func(at *Restriction) {
		reached := at.reached(r.outOfOrderness, r.leap)
		switch {
		case at.Ends:
		case at.allIdle() && r.allKnown():
			// Nothing here holds the watermark, and what comes is written from now on: it
			// follows the clock, or it would hold that of all readers.
			reached = max(reached, r.Now().Add(-r.config.IdleAfter-r.config.OutOfOrderness).UnixMilli())
		default:
			// A partition that was added since the last look may hold what belongs before that.
			reached = min(reached, r.watch.allowed)
		}
		at.Watermark = max(at.Watermark, reached)
		r.watermark = at.Watermark
	})
	if !ok {
		return record.NoTime, ErrHandedOver
	}
	return r.watermark, nil
}

// allKnown says whether the last look told the ends of all logs.
func (r *Reader) allKnown() bool {
	return !slices.ContainsFunc(r.parts, func(p *partition) bool { return !p.known && !p.after.done() })
}

// read polls and adds to the open batches; some says whether records came. It ends at the
// deadline, or sooner if all there was has been read: to go on with what comes in meanwhile
// would only hold back the watermark, which moves when the call ends.
func (r *Reader) read(ctx context.Context, deadline time.Time) (some bool, err error) {
	r.cut = false
	for round := 1; !r.allDone(); round++ {
		more := false
		for _, t := range r.topics { // in a fixed order, each cluster once
			l := r.links[t.Cluster]
			if l == nil || len(l.parts) == 0 || r.topics[slices.IndexFunc(r.topics, func(o *topic) bool { return o.Cluster == t.Cluster })] != t {
				continue
			}
			got, err := r.fetch(ctx, l, r.wait(l, deadline), deadline)
			if err != nil {
				return some, err
			}
			more = more || got
		}
		some = some || more
		r.fresh = false
		r.cut = !r.Now().Before(deadline) && !r.current()
		// What a client had fetched before this call knows only of the ends of then.
		if r.cut || !more || round > 1 && r.current() {
			return some, ctx.Err()
		}
	}
	return some, nil
}

// Behind says whether the last call ended at its deadline, and left records that are known to be there.
func (r *Reader) Behind() bool { return r.cut }

// current says whether all partitions were read to their ends, as last heard of.
func (r *Reader) current() bool {
	return !slices.ContainsFunc(r.parts, (*partition).unread)
}

func (r *Reader) allDone() bool {
	return !slices.ContainsFunc(r.parts, func(p *partition) bool { return !p.after.done() })
}

// wait is how long to wait for the records of a cluster.
func (r *Reader) wait(l *link, deadline time.Time) time.Duration {
	wait := endWait
	if r.fresh {
		wait = firstWait
	}
	for _, ps := range l.parts {
		for _, p := range ps {
			if p.unread() {
				wait = max(wait, behindWait)
			}
		}
	}
	return max(endWait, min(wait, deadline.Sub(r.Now())))
}

// fetch takes what a cluster's client has fetched.
func (r *Reader) fetch(ctx context.Context, l *link, wait time.Duration, deadline time.Time) (some bool, err error) {
	waiting, cancel := context.WithTimeout(ctx, wait)
	fetches := l.client.PollFetches(waiting)
	cancel()
	if err := ctx.Err(); err != nil {
		return false, err
	}
	within, cancel := context.WithDeadline(ctx, deadline.Add(behindWait)) // the last records may need a schema, too
	defer cancel()
	now := r.Now()
	var failed error
	fetches.EachPartition(func(f kgo.FetchTopicPartition) {
		if failed != nil {
			return
		}
		p := l.parts[f.Topic][f.Partition]
		if f.Err != nil {
			failed = r.fetchFailed(ctx, l, p, f)
		}
		if p == nil || len(f.Records) == 0 || failed != nil {
			return
		}
		some = true
		p.cameSince, p.end = now, readable(f.FetchPartition)
		failed = r.add(within, p, f.Records, now)
	})
	return some, failed
}

// add takes fetched records; a partition that has reached its stop is not fetched from.
func (r *Reader) add(ctx context.Context, p *partition, records []*kgo.Record, now time.Time) error {
	times := p.times
	for _, record := range records {
		if err := p.take(ctx, record); err != nil {
			return fmt.Errorf("%s: %w", p.name(), err)
		}
	}
	if p.times > times {
		p.timedSince, p.quiet, p.timeless = now, 0, false
	} else {
		p.timeless = true
	}
	if p.after.done() {
		p.link.client.PauseFetchPartitions(map[string][]int32{p.topic.Name: {p.after.Partition}})
	}
	return nil
}

// readable is the offset behind the last record that a committed reader can get.
func readable(f kgo.FetchPartition) int64 {
	if f.LastStableOffset >= 0 {
		return f.LastStableOffset
	}
	return f.HighWatermark
}

// unread says whether there are records to read, as last heard of.
func (p *partition) unread() bool { return p.after.Next < min(p.end, p.after.Stop) }

func (p *partition) name() cluster.Partition {
	return cluster.Partition{Cluster: p.topic.Cluster, Topic: p.topic.Name, Partition: p.after.Partition}
}
