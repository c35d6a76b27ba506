package kafkaio

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/io/event"
)

// TestResumeFromMarks writes marks while reading, and goes on from them as a new job.
func TestResumeFromMarks(t *testing.T) {
	b := newBroker(t)
	topic, marks := b.topic(2), b.topic(1, "cleanup.policy", "compact")
	r := b.reading(topic)
	r.Stop, r.Marks = Stop{}, &MarksTopic{Topic: marks}
	s := newSession(t, r, 0)
	now := time.Now()
	s.reader.now = func() time.Time { return now }
	for i := range int64(4) {
		base := 1_000 * (i + 1)
		b.produce(topic, 0, at(base), at(base+500))
		b.produce(topic, 1, at(base+200))
		s.until(func() bool { return s.at.Partitions[0].Next == 2*i+2 && s.at.Partitions[1].Next == i+1 })
		now = now.Add(notesEvery)
		s.reader.note(t.Context(), s.at)
		<-s.reader.notes.done
	}
	// The topic is compacted in the end: of one stretch of offsets the last mark stays.
	found, err := ReadMarks(t.Context(), b.cluster, marks)
	require.NoError(t, err)
	slices.SortFunc(found, func(x, y Mark) int { return cmp.Or(cmp.Compare(x.Offset, y.Offset), cmp.Compare(x.MaxTime, y.MaxTime)) })
	first, second := Partition{Topic: topic}, Partition{Topic: topic, Partition: 1}
	require.Equal(t, []Mark{
		{second, Position{1, 1_200}},
		{first, Position{2, 1_500}},
		{second, Position{2, 2_200}},
		{second, Position{3, 3_200}},
		{first, Position{4, 2_500}},
		{second, Position{4, 4_200}},
		{first, Position{6, 3_500}},
		{first, Position{8, 4_500}},
	}, found)

	r.Start = Start{At: AtOffsets, Offsets: Resume(found, 3_000)}
	r.Stop = Stop{At: StopAtEnd}
	again := newSession(t, r, 0)
	again.finish()
	var want []read
	for _, rec := range b.log(topic) {
		if rec.Partition == 0 && rec.Offset >= 4 || rec.Partition == 1 && rec.Offset >= 2 {
			want = append(want, rec)
		}
	}
	require.Equal(t, want, sorted(records(t, again.batches)), "with the same largest times before them")
}

// TestResume: nothing at or after the time is left out, and no more is read than the marks
// allow.
func TestResume(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := rapid.SliceOfN(rapid.Int64Range(0, 100), 0, 30).Draw(t, "times")
		p := Partition{Topic: "t"}
		var marks []Mark
		largest := int64(event.NoTime)
		best := int64(0)
		before := rapid.Int64Range(0, 110).Draw(t, "before")
		for offset, ms := range log {
			if rapid.Bool().Draw(t, "marked") {
				marks = append(marks, Mark{p, Position{int64(offset), largest}})
				if largest < before {
					best = int64(offset)
				}
			}
			largest = max(largest, ms)
		}
		marks = rapid.Permutation(marks).Draw(t, "order")
		from := Resume(marks, before)[p]
		require.Equal(t, best, from.Offset)
		for offset, ms := range log {
			if ms >= before {
				require.LessOrEqual(t, from.Offset, int64(offset))
			}
		}
	})
}

func TestReadMarksOfNothing(t *testing.T) {
	b := newBroker(t)
	found, err := ReadMarks(t.Context(), b.cluster, b.topic(1))
	require.NoError(t, err)
	require.Empty(t, found)
	topic := b.topic(1)
	b.produce(topic, 0, "no mark")
	_, err = ReadMarks(t.Context(), b.cluster, topic)
	require.ErrorContains(t, err, "marks in topic "+topic+": partition 0, offset 0: ")
	_, err = ReadMarks(t.Context(), b.cluster, "no-such-topic")
	require.ErrorContains(t, err, "marks in topic no-such-topic: ")
}

// TestRaisedMakesNoMark: what was raised after an idle partition came back is no fact about
// the log.
func TestRaisedMakesNoMark(t *testing.T) {
	r := &reader{topics: []*topic{{Topic: Topic{Name: "t"}}}}
	at := restriction{Partitions: []position{
		{Next: 1, MaxTime: 5}, {Partition: 1, Next: 2, MaxTime: 6, Raised: true}, {Partition: 2, MaxTime: event.NoTime},
	}}
	for i, p := range at.Partitions {
		r.parts = append(r.parts, &partition{batcher: batcher{topic: r.topics[0], index: i, after: p}})
	}
	require.Equal(t, []Mark{{Partition{Topic: "t"}, Position{1, 5}}}, r.marksOf(at))
}
