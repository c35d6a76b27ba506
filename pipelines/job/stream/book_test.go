package stream

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"

	"tributary/io/kafkaio/cluster"
	"tributary/io/record"
	"tributary/pipelines/spec"
	"tributary/transforms/account"
)

// accountsTopic is a topic of accounts in memory, and all accounts that were ever written to it.
type accountsTopic struct {
	t       require.TestingT
	end     int64
	records []*kgo.Record
	ever    []*kgo.Record
}

func (at *accountsTopic) put(a counted, l *account.Sheet) {
	var err error
	a.Sheet, err = l.MarshalJSON()
	require.NoError(at.t, err)
	value, err := json.Marshal(&a)
	require.NoError(at.t, err)
	at.append(&kgo.Record{Key: []byte(a.key()), Value: value})
	at.ever = append(at.ever, at.records[len(at.records)-1])
}

func (at *accountsTopic) append(records ...*kgo.Record) {
	for _, r := range records {
		at.end++
		r.Offset = at.end
		at.records = append(at.records, r)
	}
}

// compact leaves the last record of each key, as brokers do now and then, removals only if they are
// old.
func (at *accountsTopic) compact(removals bool) {
	last := map[string]int{}
	for i, r := range at.records {
		last[string(r.Key)] = i
	}
	kept := at.records[:0]
	for i, r := range at.records {
		if last[string(r.Key)] == i && (r.Value != nil || removals) {
			kept = append(kept, r)
		}
	}
	at.records = kept
}

func readAll(t require.TestingT, records []*kgo.Record) *accounts {
	all := newAccounts()
	for _, r := range records {
		require.NoError(t, all.take(r))
	}
	return all
}

// told is what the topic says, as JSON.
func told(t require.TestingT, records []*kgo.Record, bucket time.Duration) string {
	sum, err := readAll(t, records).sum(&spec.Spec{Bucket: bucket})
	require.NoError(t, err)
	text, err := sum.Encode()
	require.NoError(t, err)
	return string(text)
}

// madeLog is a partition's log with an event a millisecond, each offset of some record, and a bucket
// a second of which some view becomes a sample once a window of two seconds has passed.
type madeLog struct {
	*accountsTopic
	partition cluster.Partition
	// boundaries are where offset ranges of the last attempt began.
	boundaries []int64
	// gaps are offsets of no record.
	gaps map[int64]bool
}

const (
	madeBucket = 1000
	madeWindow = 2000
	madeLooks  = 3000 // as Lookback
)

// read reads on from a boundary to one that lies n records later, and tells it and what is joined
// meanwhile.
func (m *madeLog) read(from, n int64) int64 {
	for at := from; at < from+n; {
		end := min(from+n, record.ChapterStart(record.Chapter(at)+1))
		m.readRange(at, end, end < from+n)
		at = end
	}
	for bucket := from/madeBucket*madeBucket - madeWindow - madeBucket; bucket+madeBucket+madeWindow <= from+n; bucket += madeBucket {
		if bucket >= 0 && bucket+madeBucket+madeWindow > from {
			m.joined(bucket)
		}
	}
	return from + n
}

func (m *madeLog) readRange(from, end int64, chapterEnd bool) {
	l := account.New("like")
	for offset := from; offset < end; offset++ {
		if m.gaps[offset] {
			continue
		}
		l.Views.N[account.Read]++
		if offset%7 == 0 {
			l.Views.N[account.Late]++
			l.Views.AddReason("late", 1)
		}
	}
	first, last := from, end-1
	for m.gaps[first] {
		first++
	}
	for m.gaps[last] {
		last--
	}
	if first > last {
		return
	}
	a := counted{Step: steps[account.StepRead], Role: viewsRole, Partition: &m.partition, First: first, Last: last, AfterIdle: from%5 == 0, ChapterEnd: chapterEnd}
	if first > 0 {
		clock := first
		a.MaxTimeMs, a.SecondTimeMs = &clock, &clock
	}
	m.put(a, l)
}

func (m *madeLog) joined(bucket int64) {
	for shard := range int64(2) {
		l := account.New("like")
		l.Views.N[account.Samples] = 1 + (bucket/madeBucket+shard)%3
		l.Engagements["like"].N[account.Positives] = 1
		l.Engagements["like"].Delay.Record(bucket % 7919)
		l.Timeline[bucket] = &account.Interval{Samples: l.Views.N[account.Samples], Positives: map[string]int64{"like": 1}}
		m.put(counted{Step: steps[account.StepJoined], Bucket: bucket, Shard: shard, Shards: 2}, l)
	}
}

// keep writes the next book at a watermark, or does all but that.
func (at *accountsTopic) keep(watermark int64, fails bool) {
	f := bookkeeperFn{Bucket: madeBucket, Longest: madeWindow, Lookback: madeLooks}
	records, err := readAll(at.t, at.records).change(f.settled(watermark/madeBucket*madeBucket), madeBucket*time.Millisecond)
	require.NoError(at.t, err)
	if !fails {
		at.append(records...)
	}
}

// TestBooksSayTheSame: a job goes back again and again to where it was once, however long ago, cuts
// the log elsewhere each time, and books are written all the while, by itself and by what is left of
// the attempt before. What the topic says is what all accounts together say that were ever written.
func TestBooksSayTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &madeLog{accountsTopic: &accountsTopic{t: t}, partition: cluster.Partition{Topic: "views"}, boundaries: []int64{0}, gaps: map[int64]bool{}}
		for range rapid.IntRange(0, 20).Draw(t, "gaps") {
			m.gaps[rapid.Int64Range(0, 60_000).Draw(t, "gap")] = true
			m.gaps[record.ChapterStart(rapid.Int64Range(1, 6).Draw(t, "chapter"))] = true
		}
		end, books := int64(0), 0
		for range rapid.IntRange(1, 5).Draw(t, "attempts") {
			before := end // what is left of the attempt before knows that the log was read so far
			from := rapid.IntRange(0, len(m.boundaries)-1).Draw(t, "from")
			m.boundaries = m.boundaries[:from+1]
			at := m.boundaries[from]
			for left := rapid.IntRange(1, 6).Draw(t, "slices"); left > 0 || at < end; left-- {
				at = m.read(at, rapid.Int64Range(1, 9000).Draw(t, "records"))
				m.boundaries = append(m.boundaries, at)
				switch rapid.IntRange(0, 4).Draw(t, "then") {
				case 0:
					m.keep(at, rapid.Bool().Draw(t, "fails"))
				case 1:
					m.keep(before, false)
				case 2:
					m.compact(rapid.Bool().Draw(t, "removals"))
				}
			}
			end = at
			read := end
			for gap := range m.gaps {
				if gap < end {
					read--
				}
			}
			sum, err := readAll(t, m.ever).sum(&spec.Spec{})
			require.NoError(t, err)
			require.Equal(t, read, sum.Views.N[account.Read], "it was told right before")
			require.Equal(t, told(t, m.ever, madeBucket*time.Millisecond), told(t, m.records, madeBucket*time.Millisecond))
			if all := readAll(t, m.records); all.book.Generation > 0 {
				books++
				for _, offset := range all.book.Offsets {
					require.Equal(t, record.ChapterStart(record.Chapter(offset)), offset)
				}
			}
		}
	})
}

// TestBookInPages: a book larger than a record is written in pages. A look at the topic that ends
// anywhere among them says what was true before or after.
func TestBookInPages(t *testing.T) {
	m := &madeLog{accountsTopic: &accountsTopic{t: t}, partition: cluster.Partition{Topic: "views"}}
	l := account.New("like")
	for i := range int64(900) {
		l.Timeline[i*madeBucket] = &account.Interval{Samples: i, Positives: map[string]int64{}}
		for kind := range 20 {
			l.Timeline[i*madeBucket].Positives[strings.Repeat("…", 10+kind)] = i + 1
		}
	}
	m.put(counted{Step: steps[account.StepJoined], Bucket: -madeBucket, Shards: 1}, l)
	at := int64(0)
	for range 4 {
		at = m.read(at, 7000)
		begin := len(m.records)
		want := told(t, m.records, time.Second)
		m.keep(at, false)
		pages := 0
		for _, r := range m.records[begin:] {
			if isPage(string(r.Key)) {
				pages++
				require.Equal(t, want, told(t, m.records[:begin+pages], time.Second), "page %d", pages)
				// The broker may have compacted what lies before the end of the look meanwhile.
				later := &accountsTopic{t: t, records: slices.Clone(m.records)}
				later.compact(true)
				seen := slices.DeleteFunc(later.records, func(later *kgo.Record) bool { return later.Offset > r.Offset })
				require.Equal(t, want, told(t, seen, time.Second), "page %d", pages)
			}
		}
		require.Equal(t, want, told(t, m.records, time.Second))
		require.Greater(t, pages, 1)
	}
	require.Greater(t, readAll(t, m.records).book.Generation, int64(2))
}

// TestBooksNeedOnePartition: in which order accounts were written is told by one partition only.
func TestBooksNeedOnePartition(t *testing.T) {
	m := &madeLog{accountsTopic: &accountsTopic{t: t}, partition: cluster.Partition{Topic: "views"}}
	m.read(0, 30_000)
	m.records[3].Partition = 1
	_, err := readAll(t, m.records).change(settled{Buckets: 20_000, Read: 20_000}, time.Second)
	require.ErrorContains(t, err, "the topic has several partitions")
	m.records[3].Partition = 0
	records, err := readAll(t, m.records).change(settled{Buckets: 20_000, Read: 20_000}, time.Second)
	require.NoError(t, err)
	require.Len(t, records, 1)
}

// TestSettled: what is put together is joined, and not read again by a run from the log.
func TestSettled(t *testing.T) {
	f := bookkeeperFn{Bucket: 1000, Longest: 2500, Lookback: 700}
	// A bucket at 6000 has the event time 9499, and its window ends at 10,000.
	require.Equal(t, settled{Buckets: 7000, Read: 6300}, f.settled(11_000))
	require.Equal(t, settled{Buckets: 6000, Read: 5300}, f.settled(10_000))
	require.Negative(t, f.settled(2000).Buckets)

	of := func(first, last, clock int64) *counted {
		return &counted{Step: steps[account.StepRead], Partition: &cluster.Partition{}, First: first, Last: last, MaxTimeMs: &clock}
	}
	chapter := record.ChapterStart(1)
	log := []*counted{
		of(0, 100, 0), of(101, chapter-1, 10), of(chapter, chapter+5, 20), of(chapter+6, 2*chapter-1, 30), of(2*chapter, 3*chapter-1, 40), of(3*chapter, 3*chapter, 50),
	}
	for before, want := range map[int64]int64{0: 0, 20: 0, 21: chapter, 40: chapter, 41: 2 * chapter, 50: 2 * chapter, 51: 3 * chapter, 1000: 3 * chapter} {
		require.Equal(t, want, settledBefore(log, before), "before %d", before)
	}
	log[4].gap = true
	require.Equal(t, chapter, settledBefore(log, 1000), "the last before the gap begins in the second chapter")
	// An account of two chapters, of an earlier version, is put together with the next one or not at all.
	log[4].gap, log[3].Last = false, 2*chapter+7
	log[4].First = 2*chapter + 8
	require.Equal(t, chapter, settledBefore(log[:5], 1000))
	require.Equal(t, 3*chapter, settledBefore(log, 1000))
}

// TestBookHolds looks at both sides of where a book ends.
func TestBookHolds(t *testing.T) {
	of := func(first int64) *counted {
		return &counted{Step: steps[account.StepRead], Partition: &cluster.Partition{Topic: "t"}, First: first}
	}
	b := &book{Buckets: 2000, Offsets: map[string]int64{of(0).log(): 100}}
	require.True(t, b.holds(of(99)))
	require.False(t, b.holds(of(100)))
	require.True(t, b.holds(&counted{Bucket: 1000}))
	require.False(t, b.holds(&counted{Bucket: 2000}))
}
