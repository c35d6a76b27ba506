package stream

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/sink"
	"tributary/io/kafkaio/source"
	"tributary/io/record"
	"tributary/pipelines/job"
	"tributary/pipelines/spec"
	"tributary/transforms/account"
)

// agingJob is a job that writes accounts to a topic in memory: of two partitions, one of views and
// one of likes, that are read every quarter of an hour, and of a bucket an hour, of two shards. Now and
// then it goes back to its last checkpoint and does the last hour again.
type agingJob struct {
	*accountsTopic
	write accountFn
	begin time.Time
	// want is the sum of all accounts.
	want *account.Sheet
}

const (
	agingBucket = time.Hour
	agingWindow = 2 * time.Hour
	agingSlice  = 30 * time.Minute
	// agingRecords are those of a slice, in each partition.
	agingRecords = 4200
)

func (j *agingJob) account(l *account.Sheet, again bool) {
	if !again {
		j.want.Merge(l)
	}
	require.NoError(j.t, j.write.ProcessElement(*l, func(m sink.Message) {
		j.append(&kgo.Record{Key: m.Key, Value: m.Value, Timestamp: j.begin})
	}))
}

// slice accounts for what was read in one, one account for each chapter.
func (j *agingJob) slice(n int64, again bool) {
	at := j.begin.Add(time.Duration(n) * agingSlice).UnixMilli()
	for input, kind := range []string{"", "like"} {
		for first, end := n*agingRecords, (n+1)*agingRecords; first < end; {
			next := min(end, record.ChapterStart(record.Chapter(first)+1))
			l := account.New("like")
			l.Origin = account.Origin{Step: account.StepRead, Input: int32(input), Partition: int32(input), First: first, Last: next - 1, ChapterEnd: next < end, MaxTime: at, SecondTime: at}
			in := l.InputOf([]string{"views.inputs.0", "engagements.like.inputs.0"}[input])
			in.N[account.Read] = next - first
			if kind == "" {
				l.Views.N[account.Read], l.Views.N[account.Late] = in.N[account.Read], 1
				l.Views.AddReason("late by 17 ms", 1)
			} else {
				l.Engagements[kind].N[account.Read] = in.N[account.Read]
			}
			j.account(l, again)
			first = next
		}
	}
	refused := account.New()
	refused.Origin = account.Origin{Step: account.StepRejected, First: n * agingRecords, Last: n * agingRecords, MaxTime: at}
	refused.Views.N[account.Read], refused.Views.N[account.Dead] = 1, 1
	j.account(refused, again)
}

// bucket accounts for one that was joined.
func (j *agingJob) bucket(n int64, again bool) {
	start := j.begin.Add(time.Duration(n) * agingBucket).UnixMilli()
	l := account.New("like")
	l.Origin = account.Origin{Step: account.StepJoined, Shards: 1, Time: start}
	l.Views.N[account.Samples], l.Views.N[account.Positives], l.Engagements["like"].N[account.Positives] = 8000, 20, 20
	l.Timeline[start] = &account.Interval{Samples: 8000, Positives: map[string]int64{"like": 20}}
	for i := range int64(20) {
		l.Engagements["like"].Delay.Record((i*i*i*977 + n) % agingWindow.Milliseconds())
	}
	j.account(l, again)
	tally := account.New("like")
	tally.Origin = account.Origin{Step: account.StepMerged, Shards: 1, Time: start}
	tally.Engagements["like"].N[account.Matched], tally.Engagements["like"].N[account.Orphans] = 8200, 100
	j.account(tally, again)
}

// size is what the topic holds, and what reading it leaves in memory.
func (j *agingJob) size() (lines, bytes int, heap int64) {
	for _, r := range j.records {
		lines, bytes = lines+1, bytes+len(r.Key)+len(r.Value)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.GC() // what pools hold goes with the second one
	runtime.ReadMemStats(&before)
	all := readAll(j.t, j.records)
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(all)
	return lines, bytes, int64(after.HeapAlloc) - int64(before.HeapAlloc)
}

// TestBooksOfAYear: after a year the topic of accounts holds as much as after a month, takes as much
// memory, and says what all accounts of the year say.
func TestBooksOfAYear(t *testing.T) {
	j := &agingJob{
		accountsTopic: &accountsTopic{t: t}, begin: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), want: account.New("like"),
		write: accountFn{Roles: []string{viewsRole, "like"}, Partitions: job.Partitions{Topics: source.Config{Topics: []source.Topic{{Name: "likes"}, {Name: "views"}}}.Ranked()}},
	}
	keeper := bookkeeperFn{Bucket: agingBucket.Milliseconds(), Longest: agingWindow.Milliseconds(), Lookback: 2 * agingWindow.Milliseconds()}
	const perHour, hours = int64(agingBucket / agingSlice), 365 * 24
	var early, lines, bytes int
	var earlyHeap, heap int64
	for hour := range int64(hours) {
		from := hour
		if hour%100 == 99 {
			from-- // the last hour once more
		}
		for ; from <= hour; from++ {
			again := from < hour
			for n := range perHour {
				j.slice(from*perHour+n, again)
			}
			if done := from - int64(agingWindow/agingBucket) - 1; done >= 0 {
				j.bucket(done, again)
			}
		}
		if hour%12 == 11 {
			records, err := readAll(t, j.records).change(keeper.settled(j.begin.Add(time.Duration(hour+1)*time.Hour).UnixMilli()), agingBucket)
			require.NoError(t, err)
			j.append(records...)
		}
		if hour%24 == 23 {
			j.compact(false)
		}
		if (hour+1)%(24*30) == 0 {
			lines, bytes, heap = j.size()
			t.Logf("%s: %d accounts written, %d lines of %d bytes in the topic, %d bytes of heap", j.begin.Add(time.Duration(hour)*time.Hour).Format(time.DateOnly), j.end, lines, bytes, heap)
			if early == 0 {
				early, earlyHeap = bytes, heap
			}
		}
	}
	require.Greater(t, j.end, int64(80_000))
	require.Less(t, lines, 300)
	require.Less(t, bytes, early+400<<10, "the timeline, in two books, grows by the logarithm of the time")
	require.Less(t, heap, earlyHeap+512<<10)

	got, err := readAll(t, j.records).sum(&spec.Spec{Bucket: agingBucket})
	require.NoError(t, err)
	require.EqualValues(t, hours*perHour*agingRecords, got.Engagements["like"].N[account.Read])
	j.want.Coarsen(agingBucket.Milliseconds())
	want := newAccounts()
	want.book.Sheet, err = j.want.MarshalJSON()
	require.NoError(t, err)
	sum, err := want.sum(&spec.Spec{Bucket: agingBucket})
	require.NoError(t, err)
	wantText, err := sum.Encode()
	require.NoError(t, err)
	gotText, err := got.Encode()
	require.NoError(t, err)
	require.Equal(t, string(wantText), string(gotText))
}
