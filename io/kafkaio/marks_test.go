package kafkaio

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"pgregory.net/rapid"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/internal/kafkatest"
	"tributary/io/record"
)

// TestResumeFromMarks writes marks while reading, and goes on from them as a new job.
func TestResumeFromMarks(t *testing.T) {
	b := kafkatest.NewBroker(t)
	topic, marks := b.Topic(2), b.Topic(3, "cleanup.policy", "compact")
	r := readingOf(b, topic)
	r.Stop, r.Marks = Stop{}, &MarksTopic{Topic: marks}
	s := newSession(t, r, 0)
	require.NoError(t, s.reading.noteBegin(t.Context(), s.at))
	const minute = 60_000
	for i := range int64(4) {
		base := minute * (i + 1)
		b.Produce(topic, 0, at(base), at(base+500))
		b.Produce(topic, 1, at(base+200))
		s.until(func() bool { return s.at.Partitions[0].Next == 2*i+2 && s.at.Partitions[1].Next == i+1 })
		s.note()
		s.note() // within a minute, one is enough
	}
	found, err := ReadMarks(t.Context(), cluster.Config{Brokers: b.Brokers}, marks)
	require.NoError(t, err)
	first, second := cluster.Partition{Topic: topic}, cluster.Partition{Topic: topic, Partition: 1}
	want := []Mark{
		{Partition: first, Position: positionAt(0, record.NoTime), Begin: true},
		{Partition: second, Position: positionAt(0, record.NoTime), Begin: true},
	}
	for i := range int64(4) {
		want = append(want,
			Mark{Partition: first, Position: Position{2*i + 2, record.Clock{Largest: minute*(i+1) + 500, Second: minute * (i + 1)}}},
			Mark{Partition: second, Position: Position{i + 1, record.Clock{Largest: minute*(i+1) + 200, Second: minute*max(i, 1) + 200}}})
	}
	require.ElementsMatch(t, want, distinct(found))

	r.Start, err = r.StartFromLog(t.Context(), 3*minute, nil)
	require.NoError(t, err)
	require.Equal(t, Start{At: AtOffsets, Offsets: map[cluster.Partition]Position{first: want[4].Position, second: want[5].Position}}, r.Start)
	r.Stop = Stop{At: StopAtEnd}
	again := newSession(t, r, 0)
	require.NoError(t, again.reading.noteBegin(t.Context(), again.at), "it began where the first one did")
	again.finish()
	var rest []read
	for _, rec := range logOf(b, topic) {
		if rec.Partition == 0 && rec.Offset >= 4 || rec.Partition == 1 && rec.Offset >= 2 {
			rest = append(rest, rec)
		}
	}
	require.Equal(t, rest, sorted(records(t, again.batches)), "with the same largest times before them")
	after, err := ReadMarks(t.Context(), cluster.Config{Brokers: b.Brokers}, marks)
	require.NoError(t, err)
	require.ElementsMatch(t, found, after)
}

// note writes down where the session is, and waits until that is done.
func (s *session) note() {
	s.reader.note(s.t.Context(), s.at)
	if s.reader.notes.done != nil {
		<-s.reader.notes.done
	}
}

// distinct takes the marks of all rings for one, and forgets when they were written.
func distinct(marks []Mark) []Mark {
	seen := map[Mark]bool{}
	var out []Mark
	for _, m := range marks {
		m.Written, m.TopicID = 0, kadm.TopicID{}
		if !seen[m] {
			seen[m] = true
			out = append(out, m)
		}
	}
	return out
}

// TestMarksOfAnotherStart: what was noted before the reading began anew, elsewhere in the
// log, is about other largest times.
func TestMarksOfAnotherStart(t *testing.T) {
	p := cluster.Partition{Topic: "t"}
	marks := []Mark{
		{Partition: p, Position: positionAt(9, 90), Written: 1},
		{Partition: p, Position: positionAt(5, record.NoTime), Begin: true, Written: 2},
		{Partition: p, Position: positionAt(3, record.NoTime), Begin: true, Written: 1},
	}
	require.Equal(t, map[cluster.Partition]Position{p: positionAt(5, record.NoTime)}, Resume(marks, nil, 100))
	marks = append(marks, Mark{Partition: p, Position: positionAt(7, 80), Written: 3})
	require.Equal(t, map[cluster.Partition]Position{p: positionAt(7, 80)}, Resume(marks, nil, 100))

	stale := []Mark{{Partition: p, Position: positionAt(6, 70), Written: 1}, {Partition: p, Position: positionAt(8, 100), Written: 3}}
	require.Equal(t, map[cluster.Partition]Position{p: positionAt(7, 80)}, Resume(marks, stale, 100), "no cut serves")
	cuts := append(stale, Mark{Partition: p, Position: positionAt(6, 70), Written: 3})
	require.Equal(t, map[cluster.Partition]Position{p: positionAt(6, 70)}, Resume(marks, cuts, 100), "a cut comes first")
}

// TestRingsAreBounded: compaction keeps marks near any event time that a job may go back
// to, and their number does not grow.
func TestRingsAreBounded(t *testing.T) {
	p := cluster.Partition{Topic: "t"}
	kept := map[string]Mark{}
	end := int64(60 * 24 * 60) // minutes, of sixty days
	for minute := range end + 1 {
		m := Mark{Partition: p, Position: Position{Offset: minute, Clock: clockAt(minute * 60_000)}}
		records, err := m.records("marks")
		require.NoError(t, err)
		for _, r := range records {
			kept[string(r.Key)], err = parseMark(r)
			require.NoError(t, err)
		}
	}
	require.Len(t, kept, 1024)
	for _, tt := range []struct{ back, within int64 }{{1, 1}, {500, 1}, {600, 60}, {500 * 60, 60}, {60 * 24 * 60, 0}} {
		from, ok := Resume(slices.Collect(maps.Values(kept)), nil, (end-tt.back)*60_000)[p]
		require.Equal(t, tt.within > 0, ok, "%d minutes back", tt.back)
		require.True(t, !ok || from.Offset >= end-tt.back-1-tt.within, "%d minutes back: %d of %d", tt.back, from.Offset, end)
	}
}

// TestResume: nothing at or after the time is left out, and no more is read than the marks
// allow.
func TestResume(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := rapid.SliceOfN(rapid.Int64Range(0, 100), 0, 30).Draw(t, "times")
		p := cluster.Partition{Topic: "t"}
		var marks []Mark
		largest := int64(record.NoTime)
		best := int64(0)
		before := rapid.Int64Range(0, 110).Draw(t, "before")
		for offset, ms := range log {
			if rapid.Bool().Draw(t, "marked") {
				marks = append(marks, Mark{Partition: p, Position: positionAt(int64(offset), largest)})
				if largest < before {
					best = int64(offset)
				}
			}
			largest = max(largest, ms)
		}
		marks = rapid.Permutation(marks).Draw(t, "order")
		from := Resume(marks, nil, before)[p]
		require.Equal(t, best, from.Offset)
		for offset, ms := range log {
			if ms >= before {
				require.LessOrEqual(t, from.Offset, int64(offset))
			}
		}
	})
}

func TestReadMarksOfNothing(t *testing.T) {
	b := kafkatest.NewBroker(t)
	found, err := ReadMarks(t.Context(), cluster.Config{Brokers: b.Brokers}, b.Topic(1))
	require.NoError(t, err)
	require.Empty(t, found)
	topic := b.Topic(1)
	b.Produce(topic, 0, "no mark")
	_, err = ReadMarks(t.Context(), cluster.Config{Brokers: b.Brokers}, topic)
	require.ErrorContains(t, err, "marks in topic "+topic+": ")
	require.ErrorContains(t, err, "read "+topic+"/0@0: a mark: ")
	_, err = ReadMarks(t.Context(), cluster.Config{Brokers: b.Brokers}, "no-such-topic")
	require.ErrorContains(t, err, "marks in topic no-such-topic: ")
}

// TestRaisedIsNotMarked: what was raised after an idle partition came back is no fact about
// the log.
func TestRaisedIsNotMarked(t *testing.T) {
	r := &reader{topics: []*topic{{Topic: Topic{Name: "t"}}}}
	id := kadm.TopicID{7}
	at := restriction{IDs: []kadm.TopicID{id}, Partitions: []position{
		{Next: 1, Clock: clockAt(5)},
		{Partition: 1, Next: 2, Clock: clockAt(6), Raised: true, LogClock: clockAt(4)},
		{Partition: 2, Clock: clockAt(record.NoTime)},
		{Partition: 3, Next: 2, Clock: clockAt(6), Raised: true, LogClock: clockAt(record.NoTime)},
	}}
	for i, p := range at.Partitions {
		r.parts = append(r.parts, &partition{batcher: batcher{topic: r.topics[0], index: i, after: p}})
	}
	want := []Mark{
		{Partition: cluster.Partition{Topic: "t"}, Position: positionAt(1, 5), TopicID: id},
		{Partition: cluster.Partition{Topic: "t", Partition: 1}, Position: positionAt(2, 4), TopicID: id},
	}
	require.Equal(t, want, r.dueMarks(at))
	require.Empty(t, r.dueMarks(at), "the event time has not gone on")
}

// TestStartFromLog: what is no longer there is an error that says what is needed.
func TestStartFromLog(t *testing.T) {
	t.Setenv("TRIBUTARY_KAFKA", "") // brokers differ in when they forget the ends of a topic
	b := kafkatest.NewBroker(t)
	topic, marks := b.Topic(3), b.Topic(1, "cleanup.policy", "compact")
	r := readingOf(b, topic)
	r.Marks = &MarksTopic{Topic: marks}
	for p := range int32(3) {
		b.Produce(topic, p, at(60_000), at(120_000), at(180_000), at(240_000))
	}
	s := newSession(t, r, 0)
	require.NoError(t, s.reading.noteBegin(t.Context(), s.at))
	require.NoError(t, s.slice())
	s.at.Partitions[0].Next, s.at.Partitions[0].Clock = 2, clockAt(120_000)
	s.at.Partitions[1].Clock, s.at.Partitions[2].Clock = record.NoClock, record.NoClock
	s.note()
	first := cluster.Partition{Topic: topic}
	start := func(before int64) (map[cluster.Partition]Position, error) {
		got, err := r.StartFromLog(t.Context(), before, nil)
		return got.Offsets, err
	}
	begin := positionAt(0, record.NoTime)
	second, third := cluster.Partition{Topic: topic, Partition: 1}, cluster.Partition{Topic: topic, Partition: 2}
	got, err := start(150_000)
	require.NoError(t, err)
	require.Equal(t, map[cluster.Partition]Position{first: positionAt(2, 120_000), second: begin, third: begin}, got)
	got, err = start(record.NoTime)
	require.NoError(t, err)
	require.Equal(t, map[cluster.Partition]Position{first: begin, second: begin, third: begin}, got)

	b.Truncate(topic, 0, 3)
	b.Truncate(topic, 2, 1)
	_, err = start(150_000)
	require.ErrorIs(t, err, ErrTruncated)
	require.ErrorContains(t, err, "records from event time 1970-01-01T00:02:30Z on are needed\n"+
		topic+"/0: offset 2 is needed, behind event time 1970-01-01T00:02:00Z, and its log begins at 3\n"+
		topic+"/2: offset 0 is needed, where the job began, and its log begins at 1")
	noMarks := r
	noMarks.Marks = nil
	_, err = noMarks.StartFromLog(t.Context(), 150_000, nil)
	require.ErrorContains(t, err, topic+"/2: no mark says where to begin, so offset 0 is needed, and its log begins at 1")
	r.OnTruncation = SkipTruncated
	got, err = start(150_000)
	require.NoError(t, err)
	require.Equal(t, map[cluster.Partition]Position{first: positionAt(2, 120_000), second: begin, third: begin}, got, "the reader skips and counts")

	s.reader.parts[0].marked = false
	s.at.Partitions[0].Next, s.at.Partitions[0].Clock = 4, clockAt(140_000)
	s.note()
	got, err = start(150_000)
	require.NoError(t, err, "all that the log holds was read")
	require.Equal(t, positionAt(4, 140_000), got[first])

	s.reader.parts[0].marked = false
	s.at.Partitions[0].Next = 9
	s.note()
	_, err = start(150_000)
	require.ErrorContains(t, err, topic+"/0: its marks go to offset 9, and the log ends at 4: the topic was made anew")
}

// TestStartFromLogOfAnotherTopic: offsets of a topic that was deleted and made anew mean other
// records. The newest mark says which one it is.
func TestStartFromLogOfAnotherTopic(t *testing.T) {
	t.Setenv("TRIBUTARY_KAFKA", "") // as above
	b := kafkatest.NewBroker(t)
	topic, marks := b.Topic(1), b.Topic(1, "cleanup.policy", "compact")
	b.Produce(topic, 0, at(60_000), at(120_000))
	r := readingOf(b, topic)
	r.Marks = &MarksTopic{Topic: marks}
	p := cluster.Partition{Topic: topic}
	topics, err := b.Admin.ListTopics(t.Context(), topic)
	require.NoError(t, err)
	own := topics[topic].ID
	require.NotZero(t, own)
	mark := func(id kadm.TopicID) {
		require.NoError(t, writeMarks(t.Context(), b.Client, marks, []Mark{{Partition: p, Position: positionAt(1, 60_000), TopicID: id}}))
	}
	mark(kadm.TopicID{9})
	_, err = r.StartFromLog(t.Context(), 100_000, nil)
	require.ErrorContains(t, err, topic+"/0: its marks are of a topic with another id: the topic was made anew")
	mark(own)
	start, err := r.StartFromLog(t.Context(), 100_000, nil)
	require.NoError(t, err)
	require.Equal(t, map[cluster.Partition]Position{p: positionAt(1, 60_000)}, start.Offsets)
	mark(kadm.TopicID{9})
	_, err = r.StartFromLog(t.Context(), 100_000, nil)
	require.ErrorContains(t, err, "another id")
	mark(kadm.TopicID{})
	_, err = r.StartFromLog(t.Context(), 100_000, nil)
	require.NoError(t, err, "an earlier release did not note it")
}

// TestManyMissing: an error about a thousand partitions is still one to read.
func TestManyMissing(t *testing.T) {
	missing := make([]error, 1000)
	for i := range missing {
		missing[i] = truncation(cluster.Partition{Topic: "t", Partition: int32(i)}, Position{}, false, 1)
	}
	text := tooShort(missing, record.NoTime).Error()
	require.Contains(t, text, "all records are needed\nt/0: ")
	require.Contains(t, text, "\nt/7: ")
	require.True(t, strings.HasSuffix(text, "\nand 992 more partitions"), text)
}
