package advise

import (
	"math"
	"slices"
	"time"

	"tributary/io/kafkaio/sink"
	"tributary/pipelines/spec"
)

// What an event takes besides its payload where it waits for its bucket, in bytes: as blocks of a join are that are not compressed
// (Bytes.Blocks of accounts).
const (
	besideView     = 4
	ofEngagement   = 50
	ofMarker       = 60  // of a view that shares a key: its id and the key
	ofIDMarker     = 10  // a hash and a time, as stages have it
	besideSample   = 200 // ids, times and labels, as pipelines/job/preflight takes it
	mostPerRecords = sink.TransactionRecords
)

// Cost is what a join takes, by models: of how long things wait, and of how many copies of them there are. They are of the mean rates of what
// was read.
type Cost struct {
	// SamplesWithinMs is how long after its view a sample is there at most: window + out_of_orderness + bucket, in event time.
	SamplesWithinMs int64 `json:"samples_within_ms"`
	// EngagementCopies is to how many buckets an engagement goes at most, ViewMarkers in how many besides its own a view is marked.
	EngagementCopies int64 `json:"engagement_copies"`
	ViewMarkers      int64 `json:"view_markers"`
	// MeanViewMarkers is in how many it is marked at the mean.
	MeanViewMarkers float64 `json:"mean_view_markers"`
	// StateBytes is what waits at a time: views/s * SamplesWithin * (bytes of a view + 4 + 60 for each marker, at the mean; 10
	// where views are named by their ids), and engagements/s * EngagementCopies * SamplesWithin/2 * 50 bytes.
	StateBytes int64 `json:"state_bytes"`
	// CPU is how many records go through the shuffle for each one that is read: sorting and joining them is what grows with it.
	CPU float64 `json:"shuffled_per_event"`
}

// rates are those of what was read.
type rates struct {
	views, engagements float64 // per second of event time
	viewBytes          float64
	total              float64 // views and engagements
	allViews           float64
	marker             float64 // bytes of one
}

func (l *log) rates(s *spec.Spec) rates {
	seconds := max(1, float64(l.end-l.first)/1000)
	r := rates{views: float64(l.views) / seconds, engagements: float64(l.engagements) / seconds, total: float64(l.views + l.engagements), allViews: float64(l.views), marker: ofIDMarker}
	if s.SharedBuckets() != nil {
		r.marker = ofMarker
	}
	if l.viewRecords > 0 {
		r.viewBytes = float64(l.viewBytes) / float64(l.viewRecords)
	}
	return r
}

// of is the cost of a spec at these rates.
func (r *rates) of(s *spec.Spec) Cost { return r.cost(s.WholeCost()) }

func (r *rates) cost(c spec.StageCost) Cost {
	within := float64(c.SamplesWithinMs) / 1000
	out := Cost{SamplesWithinMs: c.SamplesWithinMs, EngagementCopies: c.EngagementCopies, ViewMarkers: c.ViewMarkers, MeanViewMarkers: c.MeanViewMarkers}
	out.StateBytes = int64(r.views*within*(r.viewBytes+besideView+c.MeanViewMarkers*r.marker) + r.engagements*float64(c.EngagementCopies)*within/2*ofEngagement)
	if r.views+r.engagements > 0 {
		out.CPU = (r.views*(1+c.MeanViewMarkers) + r.engagements*float64(c.EngagementCopies)) / (r.views + r.engagements)
	}
	return out
}

// Piece is what one shard has of one bucket: it is joined in memory, and written in transactions.
type Piece struct {
	Samples int64 `json:"samples"`
	Bytes   int64 `json:"bytes"`
	// Transactions are those that it takes in a topic: one is of 64 MiB or 200,000 records at most.
	Transactions int64 `json:"transactions"`
}

func (r *rates) piece(s *spec.Spec) Piece {
	samples := math.Ceil(r.views * s.Bucket.Seconds() / float64(s.Shards))
	bytes := samples * (r.viewBytes + besideSample)
	return Piece{int64(samples), int64(bytes), int64(math.Ceil(max(1, bytes/sink.DefaultTransactionBytes, samples/mostPerRecords)))}
}

// BucketRow is another length of buckets, ShardRow another number of shards. Neither changes a sample, nor what is late.
type BucketRow struct {
	BucketMs int64 `json:"bucket_ms"`
	Now      bool  `json:"now,omitempty"`
	Cost     Cost  `json:"cost"`
	Piece    Piece `json:"piece"`
}

// ShardRow is another number of shards.
type ShardRow struct {
	Shards int   `json:"shards"`
	Now    bool  `json:"now,omitempty"`
	Piece  Piece `json:"piece"`
}

// ReaderRow is another number of readers of a stream.
type ReaderRow struct {
	Readers int  `json:"readers"`
	Now     bool `json:"now,omitempty"`
	// Partitions is how many the one has that has the most, of all.
	Partitions int64 `json:"partitions"`
	// EventsPerSecond are those that it reads, if partitions have as many as one another.
	EventsPerSecond float64 `json:"events_per_second"`
}

var bucketLadder = []time.Duration{
	time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute,
	30 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

// buckets are those around the one there is; none with stages, whose buckets must divide one another.
func (r *rates) buckets(s *spec.Spec) (rows []BucketRow) {
	if len(s.Stages) > 0 {
		return nil
	}
	shared := s.SharedBuckets()
	all := slices.Concat(with(bucketLadder, s.Bucket), shared)
	slices.Sort(all)
	for _, b := range slices.Compact(all) {
		if !slices.Contains(shared, b) && (b < s.Bucket/10 || b > 10*s.Bucket) {
			continue
		}
		other := s.WithBucket(b)
		rows = append(rows, BucketRow{BucketMs: b.Milliseconds(), Now: b == s.Bucket, Cost: r.of(other), Piece: r.piece(other)})
	}
	return rows
}

func (r *rates) shards(s *spec.Spec) (rows []ShardRow) {
	for _, n := range with([]int{1, 2, 4, 8, 16, 32, 64}, s.Shards) {
		if n > 8*s.Shards || n < s.Shards/8 {
			continue
		}
		other := *s
		other.Shards = n
		rows = append(rows, ShardRow{n, n == s.Shards, r.piece(&other)})
	}
	return rows
}

// readers are those of a stream of so many partitions.
func (r *rates) readers(s *spec.Spec, partitions int) (rows []ReaderRow) {
	if !s.ReadsTopics() || partitions == 0 {
		return nil
	}
	for _, n := range with([]int{1, 2, 4, 8, 16, 32, 64, 128}, s.Stream.SourceParallelism) {
		if n > partitions && n != s.Stream.SourceParallelism || n == 0 {
			continue
		}
		each := int64(math.Ceil(float64(partitions) / float64(n)))
		rows = append(rows, ReaderRow{n, n == s.Stream.SourceParallelism, each, (r.views + r.engagements) * float64(each) / float64(partitions)})
	}
	return rows
}

// with is a ladder with one step more, if it is not there.
func with[T int | time.Duration](ladder []T, step T) []T {
	at, there := slices.BinarySearch(ladder, step)
	if there {
		return ladder
	}
	return slices.Insert(slices.Clone(ladder), at, step)
}
