package source

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/internal/kafkatest"
	"tributary/io/kafkaio/timeindex"
	"tributary/io/record"
)

// TestResumeFromTimeIndex writes entries while reading, and goes on from them as a new job.
func TestResumeFromTimeIndex(t *testing.T) {
	b := kafkatest.NewBroker(t)
	topic, entries := b.Topic(2), b.Topic(3, "cleanup.policy", "compact")
	r := readingOf(b, topic)
	r.Stop, r.TimeIndex = Stop{}, &timeindex.Topic{Topic: entries}
	s := newSession(t, r, 0)
	require.NoError(t, s.config.NoteBegin(t.Context(), s.at))
	const minute = 60_000
	for i := range int64(4) {
		base := minute * (i + 1)
		b.Produce(topic, 0, kafkatest.At(base), kafkatest.At(base+500))
		b.Produce(topic, 1, kafkatest.At(base+200))
		s.until(func() bool { return s.at.Partitions[0].Next == 2*i+2 && s.at.Partitions[1].Next == i+1 })
		s.note()
		s.note() // within a minute, one is enough
	}
	found, err := timeindex.Read(t.Context(), cluster.Config{Brokers: b.Brokers}, entries)
	require.NoError(t, err)
	first, second := cluster.Partition{Topic: topic}, cluster.Partition{Topic: topic, Partition: 1}
	want := []timeindex.Entry{
		{Partition: first, Position: positionAt(0, record.NoTime), Begin: true},
		{Partition: second, Position: positionAt(0, record.NoTime), Begin: true},
	}
	for i := range int64(4) {
		want = append(want,
			timeindex.Entry{Partition: first, Position: timeindex.Position{Offset: 2*i + 2, Clock: record.Clock{Largest: minute*(i+1) + 500, Second: minute * (i + 1)}}},
			timeindex.Entry{Partition: second, Position: timeindex.Position{Offset: i + 1, Clock: record.Clock{Largest: minute*(i+1) + 200, Second: minute*max(i, 1) + 200}}})
	}
	require.ElementsMatch(t, want, distinct(found))

	r.Start, err = r.StartFromLog(t.Context(), 3*minute, timeindex.Cuts{})
	require.NoError(t, err)
	require.Equal(t, Start{At: AtOffsets, Offsets: map[cluster.Partition]timeindex.Position{first: want[4].Position, second: want[5].Position}}, r.Start)
	r.Stop = Stop{At: StopAtEnd}
	again := newSession(t, r, 0)
	require.NoError(t, again.config.NoteBegin(t.Context(), again.at), "it began where the first one did")
	again.finish()
	var rest []kafkatest.Read
	for _, rec := range kafkatest.LogOf(b, topic) {
		if rec.Partition == 0 && rec.Offset >= 4 || rec.Partition == 1 && rec.Offset >= 2 {
			rest = append(rest, rec)
		}
	}
	require.Equal(t, rest, kafkatest.Sorted(kafkatest.Records(t, again.batches)), "with the same largest times before them")
	after, err := timeindex.Read(t.Context(), cluster.Config{Brokers: b.Brokers}, entries)
	require.NoError(t, err)
	require.ElementsMatch(t, found, after)
}

// note writes down where the session is, and waits until that is done.
func (s *session) note() {
	s.reader.Note(s.t.Context(), s.at)
	if s.reader.notes.done != nil {
		<-s.reader.notes.done
	}
}

// distinct takes the entries of all tiers for one, and forgets when they were written.
func distinct(entries []timeindex.Entry) []timeindex.Entry {
	seen := map[timeindex.Entry]bool{}
	var out []timeindex.Entry
	for _, m := range entries {
		m.Written, m.TopicID = 0, kadm.TopicID{}
		if !seen[m] {
			seen[m] = true
			out = append(out, m)
		}
	}
	return out
}

// TestEntriesOfAnotherStart: what was noted before the reading began anew, elsewhere in the
// log, is about other largest times.
func TestEntriesOfAnotherStart(t *testing.T) {
	p := cluster.Partition{Topic: "t"}
	entries := []timeindex.Entry{
		{Partition: p, Position: positionAt(9, 90), Written: 1},
		{Partition: p, Position: positionAt(5, record.NoTime), Begin: true, Written: 2},
		{Partition: p, Position: positionAt(3, record.NoTime), Begin: true, Written: 1},
	}
	require.Equal(t, map[cluster.Partition]timeindex.Position{p: positionAt(5, record.NoTime)}, timeindex.Resume(entries, timeindex.Cuts{}, 100))
	entries = append(entries, timeindex.Entry{Partition: p, Position: positionAt(7, 80), Written: 3})
	require.Equal(t, map[cluster.Partition]timeindex.Position{p: positionAt(7, 80)}, timeindex.Resume(entries, timeindex.Cuts{}, 100))

	stale := []timeindex.Entry{{Partition: p, Position: positionAt(6, 70), Written: 1}, {Partition: p, Position: positionAt(8, 100), Written: 3}}
	require.Equal(t, map[cluster.Partition]timeindex.Position{p: positionAt(7, 80)}, timeindex.Resume(entries, timeindex.Cuts{Entries: stale}, 100), "no cut serves")
	cuts := timeindex.Cuts{Entries: append(stale, timeindex.Entry{Partition: p, Position: positionAt(6, 70), Written: 3})}
	cuts.At = func(_ cluster.Partition, offset int64) bool { return offset != 7 }
	require.Equal(t, map[cluster.Partition]timeindex.Position{p: positionAt(6, 70)}, timeindex.Resume(entries, cuts, 100), "an entry amid what is accounted for in one does not serve")
}

// TestRaisedIsNotNoted: what was raised after an idle partition came back is no fact about
// the log.
func TestRaisedIsNotNoted(t *testing.T) {
	r := &Reader{topics: []*topic{{Topic: Topic{Name: "t"}}}}
	id := kadm.TopicID{7}
	at := Restriction{IDs: []kadm.TopicID{id}, Partitions: []position{
		{Next: 1, Clock: kafkatest.ClockAt(5)},
		{Partition: 1, Next: 2, Clock: kafkatest.ClockAt(6), Raised: true, LogClock: kafkatest.ClockAt(4)},
		{Partition: 2, Clock: kafkatest.ClockAt(record.NoTime)},
		{Partition: 3, Next: 2, Clock: kafkatest.ClockAt(6), Raised: true, LogClock: kafkatest.ClockAt(record.NoTime)},
	}}
	for i, p := range at.Partitions {
		r.parts = append(r.parts, &partition{batcher: batcher{topic: r.topics[0], index: i, after: p}})
	}
	want := []timeindex.Entry{
		{Partition: cluster.Partition{Topic: "t"}, Position: positionAt(1, 5), TopicID: id},
		{Partition: cluster.Partition{Topic: "t", Partition: 1}, Position: positionAt(2, 4), TopicID: id},
	}
	require.Equal(t, want, r.dueEntries(at))
	require.Empty(t, r.dueEntries(at), "the event time has not gone on")
}

// TestStartFromLog: what is no longer there is an error that says what is needed.
func TestStartFromLog(t *testing.T) {
	t.Setenv("TRIBUTARY_KAFKA", "") // brokers differ in when they forget the ends of a topic
	b := kafkatest.NewBroker(t)
	topic, entries := b.Topic(3), b.Topic(1, "cleanup.policy", "compact")
	r := readingOf(b, topic)
	r.TimeIndex = &timeindex.Topic{Topic: entries}
	for p := range int32(3) {
		b.Produce(topic, p, kafkatest.At(60_000), kafkatest.At(120_000), kafkatest.At(180_000), kafkatest.At(240_000))
	}
	s := newSession(t, r, 0)
	require.NoError(t, s.config.NoteBegin(t.Context(), s.at))
	require.NoError(t, s.slice())
	s.at.Partitions[0].Next, s.at.Partitions[0].Clock = 2, kafkatest.ClockAt(120_000)
	s.at.Partitions[1].Clock, s.at.Partitions[2].Clock = record.NoClock, record.NoClock
	s.note()
	first := cluster.Partition{Topic: topic}
	start := func(before int64) (map[cluster.Partition]timeindex.Position, error) {
		got, err := r.StartFromLog(t.Context(), before, timeindex.Cuts{})
		return got.Offsets, err
	}
	begin := positionAt(0, record.NoTime)
	second, third := cluster.Partition{Topic: topic, Partition: 1}, cluster.Partition{Topic: topic, Partition: 2}
	got, err := start(150_000)
	require.NoError(t, err)
	require.Equal(t, map[cluster.Partition]timeindex.Position{first: positionAt(2, 120_000), second: begin, third: begin}, got)
	got, err = start(record.NoTime)
	require.NoError(t, err)
	require.Equal(t, map[cluster.Partition]timeindex.Position{first: begin, second: begin, third: begin}, got)

	b.Truncate(topic, 0, 3)
	b.Truncate(topic, 2, 1)
	_, err = start(150_000)
	require.ErrorIs(t, err, ErrTruncated)
	require.ErrorContains(t, err, "records from event time 1970-01-01T00:02:30Z on are needed\n"+
		topic+"/0: offset 2 is needed, behind event time 1970-01-01T00:02:00Z, and its log begins at 3\n"+
		topic+"/2: offset 0 is needed, where the job began, and its log begins at 1")
	noMarks := r
	noMarks.TimeIndex = nil
	_, err = noMarks.StartFromLog(t.Context(), 150_000, timeindex.Cuts{})
	require.ErrorContains(t, err, topic+"/2: no entry of the time index says where to begin, so offset 0 is needed, and its log begins at 1")
	r.OnTruncation = SkipTruncated
	got, err = start(150_000)
	require.NoError(t, err)
	require.Equal(t, map[cluster.Partition]timeindex.Position{first: positionAt(2, 120_000), second: begin, third: begin}, got, "the reader skips and counts")

	s.reader.parts[0].noted = false
	s.at.Partitions[0].Next, s.at.Partitions[0].Clock = 4, kafkatest.ClockAt(140_000)
	s.note()
	got, err = start(150_000)
	require.NoError(t, err, "all that the log holds was read")
	require.Equal(t, positionAt(4, 140_000), got[first])

	s.reader.parts[0].noted = false
	s.at.Partitions[0].Next = 9
	s.note()
	_, err = start(150_000)
	require.ErrorContains(t, err, topic+"/0: its time index goes to offset 9, and the log ends at 4: the topic was made anew")
}

// TestStartFromLogOfAnotherTopic: offsets of a topic that was deleted and made anew mean other
// records. The newest mark says which one it is.
func TestStartFromLogOfAnotherTopic(t *testing.T) {
	t.Setenv("TRIBUTARY_KAFKA", "") // as above
	b := kafkatest.NewBroker(t)
	topic, entries := b.Topic(1), b.Topic(1, "cleanup.policy", "compact")
	b.Produce(topic, 0, kafkatest.At(60_000), kafkatest.At(120_000))
	r := readingOf(b, topic)
	r.TimeIndex = &timeindex.Topic{Topic: entries}
	p := cluster.Partition{Topic: topic}
	topics, err := b.Admin.ListTopics(t.Context(), topic)
	require.NoError(t, err)
	own := topics[topic].ID
	require.NotZero(t, own)
	mark := func(id kadm.TopicID) {
		require.NoError(t, timeindex.Write(t.Context(), b.Client, entries, []timeindex.Entry{{Partition: p, Position: positionAt(1, 60_000), TopicID: id}}))
	}
	mark(kadm.TopicID{9})
	_, err = r.StartFromLog(t.Context(), 100_000, timeindex.Cuts{})
	require.ErrorContains(t, err, topic+"/0: its time index is of a topic with another id: the topic was made anew")
	mark(own)
	start, err := r.StartFromLog(t.Context(), 100_000, timeindex.Cuts{})
	require.NoError(t, err)
	require.Equal(t, map[cluster.Partition]timeindex.Position{p: positionAt(1, 60_000)}, start.Offsets)
	mark(kadm.TopicID{9})
	_, err = r.StartFromLog(t.Context(), 100_000, timeindex.Cuts{})
	require.ErrorContains(t, err, "another id")
	mark(kadm.TopicID{})
	_, err = r.StartFromLog(t.Context(), 100_000, timeindex.Cuts{})
	require.NoError(t, err, "an earlier release did not note it")
}

// TestManyMissing: an error about a thousand partitions is still one to read.
func TestManyMissing(t *testing.T) {
	missing := make([]error, 1000)
	for i := range missing {
		missing[i] = truncation(cluster.Partition{Topic: "t", Partition: int32(i)}, timeindex.Position{}, false, 1)
	}
	text := tooShort(missing, record.NoTime).Error()
	require.Contains(t, text, "all records are needed\nt/0: ")
	require.Contains(t, text, "\nt/7: ")
	require.True(t, strings.HasSuffix(text, "\nand 992 more partitions"), text)
}
