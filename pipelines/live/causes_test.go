package live

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/timeindex"
	"tributary/io/record"
	"tributary/pipelines/job/topics"
	"tributary/pipelines/spec"
)

// made are partitions of the views, one for each cause; times are before now.
var made = []struct {
	cause   Cause
	records int           // in the log
	next    int64         // -1 if nothing says how far it is read
	noted   time.Duration // ago
	clock   func(now time.Time) record.Clock
	why     string
}{
	{Leaderless, 0, 2, time.Second, ago1m, `^no broker leads it, or its leader does not answer, so that nobody can read it: LEADER_NOT_AVAILABLE`},
	{Hidden, 5, 3, time.Second, ago1m, `^an open transaction from offset 3 on hides 2 records from readers of what is committed$`},
	{Stalled, 5, 2, 10 * time.Minute, ago1m, `^3 records wait, and none was read for 10m: does the job run, and is its reader well\?$`},
	{Unread, 5, -1, 0, nil, `^5 records wait, and none was read yet$`},
	{Behind, 5, 2, time.Second, ago1h, `^3 records wait to be read, 2h59m behind the newest partition$`},
	{NoRecords, 0, 0, time.Second, noClock, `^no record came yet: it is waited for until it is idle, after stream.idle_timeout, 1h$`},
	{Unnoted, 2, 2, time.Second, noClock, `^it was read, and no event time that it has come to is noted yet`},
	{OneAhead, 2, 2, time.Second, leapt, `^its newest record, of 2026-01-01T11:59:00Z, is 4h ahead of all before it, and counts only when another one comes within stream.max_future_skew, 1m, of it$`},
	{Ahead, 2, 2, time.Second, in2h, `^its clock is 2h ahead of now: records of the right time are late in it$`},
	{Quiet, 2, 2, 10 * time.Minute, ago1m, `^all is read, and nothing came for 10m: it is waited for until it is idle, after stream.idle_timeout, 1h$`},
	{Current, 2, 2, time.Second, ago1m, `^all is read$`},
	{Idle, 2, 2, 2 * time.Hour, ago1h, `^all is read, and nothing came for longer than stream.idle_timeout, 1h: it holds nothing back$`},
}

func both(t time.Time) record.Clock {
	return record.Clock{Largest: t.UnixMilli(), Second: t.UnixMilli()}
}
func ago1m(now time.Time) record.Clock { return both(now.Add(-time.Minute)) }
func ago1h(now time.Time) record.Clock { return both(now.Add(-59 * time.Minute)) }
func in2h(now time.Time) record.Clock  { return both(now.Add(2 * time.Hour)) }
func noClock(time.Time) record.Clock   { return record.NoClock }
func leapt(now time.Time) (c record.Clock) {
	return record.Clock{Largest: now.Add(-time.Minute).UnixMilli(), Second: now.Add(-4*time.Hour - time.Minute).UnixMilli()}
}

// theTime is that of the tests.
var theTime = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// rig is a stream that nobody runs, on a broker, with what a job would have noted.
type rig struct {
	*testing.T
	fake *kfake.Cluster
	spec *spec.Spec
}

func newRig(t *testing.T, partitions int, stream string) *rig {
	t.Helper()
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	s, err := spec.Parse("stream.yaml", fmt.Appendf(nil, `clusters: {main: {brokers: %q}}
views: {inputs: [{topic: views, format: json}], id: view_id, time: ts}
engagements:
  like: {inputs: [{topic: likes, format: json}], view: view_id, time: ts, window: 30m}
shards: 1
bucket: 5m
out_of_orderness: 1m
stream: {name: feed, max_future_skew: 1m, %s}
outputs: {samples: {topic: samples, format: json}}
`, fake.ListenAddrs(), stream))
	require.NoError(t, err)
	_, err = topics.Create(t.Context(), s, topics.CreateOptions{Inputs: true, Partitions: int32(partitions), Replicas: 1})
	require.NoError(t, err)
	return &rig{t, fake, s}
}

func (r *rig) client(opts ...kgo.Opt) *kgo.Client {
	r.Helper()
	client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(r.fake.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	require.NoError(r, err)
	r.Cleanup(client.Close)
	return client
}

// write writes so many records to a partition.
func (r *rig) write(client *kgo.Client, topic string, partition int32, n int) {
	r.Helper()
	for range n {
		require.NoError(r, client.ProduceSync(r.Context(), &kgo.Record{Topic: topic, Partition: partition, Value: []byte("{}"), Timestamp: theTime.Add(-time.Minute)}).FirstErr())
	}
}

// note writes an entry of the time index.
func (r *rig) note(client *kgo.Client, partition int32, next int64, clock record.Clock, at time.Time) {
	r.Helper()
	entry := timeindex.Entry{Partition: cluster.Partition{Cluster: "main", Topic: "views", Partition: partition}, Begin: clock == record.NoClock}
	entry.Offset, entry.Clock = next, clock
	records, err := entry.Records(r.spec.Outputs.Topics.TimeIndex)
	require.NoError(r, err)
	for _, one := range records {
		one.Timestamp = at
	}
	require.NoError(r, client.ProduceSync(r.Context(), records...).FirstErr())
}

// leaderless takes the leader of a partition of the views away.
func (r *rig) leaderless(partition int32) {
	r.fake.ControlKey(int16(kmsg.Metadata), func(q kmsg.Request) (kmsg.Response, error, bool) {
		r.fake.KeepControl()
		asked := q.(*kmsg.MetadataRequest)
		answer := asked.ResponseKind().(*kmsg.MetadataResponse)
		b := kmsg.NewMetadataResponseBroker()
		host, port, _ := strings.Cut(r.fake.ListenAddrs()[0], ":")
		b.Host = host
		_, _ = fmt.Sscan(port, &b.Port)
		answer.Brokers = append(answer.Brokers, b)
		for _, topic := range topics.Needed(r.spec) {
			info := r.fake.TopicInfo(topic.Name)
			wanted := func(of kmsg.MetadataRequestTopic) bool {
				return of.TopicID == info.TopicID || of.Topic != nil && *of.Topic == topic.Name
			}
			if asked.Topics != nil && !slices.ContainsFunc(asked.Topics, wanted) {
				continue
			}
			t := kmsg.NewMetadataResponseTopic()
			t.Topic, t.TopicID = kmsg.StringPtr(topic.Name), info.TopicID
			for i := range r.fake.PartitionInfos(topic.Name) {
				p := kmsg.NewMetadataResponseTopicPartition()
				p.Partition = int32(i)
				if topic.Name == "views" && int32(i) == partition {
					p.Leader, p.ErrorCode = -1, kerr.LeaderNotAvailable.Code
				}
				t.Partitions = append(t.Partitions, p)
			}
			answer.Topics = append(answer.Topics, t)
		}
		return answer, nil, true
	})
}

// TestCauses: whatever may be the matter with a partition is told, each from what is in the topics.
func TestCauses(t *testing.T) {
	r := newRig(t, len(made), "idle_timeout: 1h")
	client := r.client()
	for i, p := range made {
		if p.cause == Hidden {
			r.write(client, "views", int32(i), p.records-2)
			writer := r.client(kgo.TransactionalID("other"))
			require.NoError(t, writer.BeginTransaction())
			r.write(writer, "views", int32(i), 2)
		} else {
			r.write(client, "views", int32(i), p.records)
		}
		if p.next >= 0 {
			r.note(client, int32(i), p.next, p.clock(theTime), theTime.Add(-p.noted))
		}
	}
	r.leaderless(0)
	w, err := New(r.spec, Options{Within: 10 * time.Second, Now: func() time.Time { return theTime }})
	require.NoError(t, err)
	s := w.Gather(t.Context())
	found := map[int32]Partition{}
	for _, p := range s.Partitions {
		if p.Topic == "views" {
			found[p.Partition] = p
		}
	}
	require.Len(t, found, len(made), "%+v", s.Sources)
	require.Len(t, Causes, len(made), "each has a partition here")
	for i, p := range made {
		assert.Equal(t, p.cause, found[int32(i)].Cause, "%d", i)
		assert.Regexp(t, p.why, found[int32(i)].Why)
		assert.Equal(t, p.cause == Idle, found[int32(i)].Idle, p.cause)
	}
	for _, cause := range []Cause{Unread, NoRecords, Unnoted} {
		for _, p := range found {
			assert.Equal(t, p.Cause == cause, p.Holds && p.Cause == cause, "%s holds, as nothing is known of it", cause)
		}
	}
	assert.Nil(t, s.Watermark, "those of which nothing is known hold it nowhere")
	assert.False(t, s.OK(Partitions), "a partition without a leader is not told of")

	t.Run("topics and notes", func(t *testing.T) {
		codes := map[string]string{}
		for _, n := range s.Notes {
			codes[n.Code] = n.Text
		}
		assert.Equal(t, "1 partition of topic views (views) has no leader", codes["leaderless"])
		assert.Contains(t, codes["source_unread"], "partition main/views/0 has no leader")
		for _, topic := range s.Topics {
			assert.Equal(t, topic.Topic == "views", topic.Gap == 2, topic.Topic)
			assert.Equal(t, topic.Topic == "views", topic.Open != nil, topic.Topic)
			if topic.Open != nil {
				assert.Equal(t, int32(1), topic.Open.Partition)
				assert.False(t, topic.Open.Hangs, "a minute is not long")
			}
		}
	})
	t.Run("a transaction that hangs", func(t *testing.T) {
		now := theTime
		w, err := New(r.spec, Options{Within: 10 * time.Second, Now: func() time.Time { return now }})
		require.NoError(t, err)
		w.Gather(t.Context())
		now = now.Add(20 * time.Minute)
		s := w.Gather(t.Context())
		var text bytes.Buffer
		require.NoError(t, s.Text(&text, 200))
		assert.Contains(t, strings.Join(strings.Fields(text.String()), " "),
			"error: a transaction is open in views/1 from offset 3 since 20m ago: readers of what is committed do not see 2 records behind it; it hangs -> tributary repair stream.yaml --hanging --dry-run")
	})
	t.Run("warnings of the report are counted", func(t *testing.T) {
		var text bytes.Buffer
		require.NoError(t, s.Text(&text, 200))
		assert.Contains(t, text.String(), "\n2 warnings in the report: tributary report\n")
		assert.NotContains(t, text.String(), "No views.")
	})
	t.Run("the worst first, and the rest counted", func(t *testing.T) {
		b := s.Bounded(3)
		require.Len(t, b.Partitions, 3)
		assert.Equal(t, 2*len(made), b.All)
		assert.Equal(t, b.All-3, b.Rest.Partitions)
		sum := b.Rest.Lag
		for _, p := range b.Partitions {
			assert.True(t, p.Holds)
			if p.Lag != nil {
				sum += *p.Lag
			}
		}
		assert.Equal(t, b.Lag, sum, "nothing is left out of the sums")
		var text bytes.Buffer
		require.NoError(t, b.Text(&text, 100))
		for line := range strings.Lines(text.String()) {
			assert.LessOrEqual(t, len([]rune(line)), 101, line)
		}
		assert.Len(t, s.Partitions, 2*len(made), "Bounded leaves the State as it is")
	})
}

// TestHolder: of a partition of which something is the matter and one that is well, the former holds the watermark, by how much the latter is
// further.
func TestHolder(t *testing.T) {
	bad, good, best := cluster.Partition{Topic: "views", Partition: 1}, cluster.Partition{Topic: "views"}, cluster.Partition{Topic: "views", Partition: 2}
	well := func() *position {
		return &position{next: 2, end: 2, stable: 2, begun: true, noted: theTime, clock: both(theTime)}
	}
	for _, tt := range []struct {
		name  string
		make  func(p *position)
		cause Cause
		by    float64 // -1: nobody knows
	}{
		{"behind", func(p *position) { p.end, p.stable, p.clock = 9, 9, both(theTime.Add(-time.Hour)) }, Behind, 3600},
		{"quiet", func(p *position) { p.clock, p.noted = both(theTime.Add(-time.Hour)), theTime.Add(-time.Minute) }, Quiet, 3600},
		{"one record ahead", func(p *position) {
			p.clock = record.Clock{Largest: theTime.UnixMilli(), Second: theTime.Add(-time.Hour).UnixMilli()}
		}, OneAhead, 3600},
		{"leaderless", func(p *position) { p.failed, p.clock = kerr.LeaderNotAvailable, both(theTime.Add(-time.Hour)) }, Leaderless, 3600},
		{"no records", func(p *position) { *p = position{noted: theTime, clock: record.NoClock} }, NoRecords, -1},
		{"a second apart", func(p *position) { p.clock = both(theTime.Add(-time.Second)) }, Current, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &spec.Spec{OutOfOrderness: time.Minute, Stream: spec.Stream{IdleTimeout: time.Hour, MaxFutureSkew: time.Minute}}
			r.Views.Inputs = []spec.Input{{Topic: "views"}}
			w := &Watch{spec: r}
			p := well()
			tt.make(p)
			s := &State{At: theTime}
			further := well()
			further.clock = both(theTime.Add(2 * time.Second))
			err := w.judge(s, map[cluster.Partition]*position{good: well(), bad: p, best: further}, []cluster.Partition{good, bad, best})
			assert.Equal(t, p.failed != nil, err != nil)
			assert.True(t, errors.Is(err, p.failed))
			require.NotNil(t, s.Holder)
			assert.Equal(t, bad.String(), s.Holder.Partition)
			assert.Equal(t, tt.cause, s.Holder.Cause)
			if tt.by < 0 {
				assert.Nil(t, s.Watermark)
				assert.Nil(t, s.Holder.By)
				return
			}
			assert.InDelta(t, tt.by, *s.Holder.By, 0)
			assert.Equal(t, theTime.Add(-time.Minute-seconds(tt.by)), *s.Watermark)
			assert.InDelta(t, tt.by+60, *s.Behind, 0)
			assert.True(t, s.Partitions[0].Holds)
			assert.False(t, s.Partitions[1].Holds)
		})
	}
	t.Run("all idle", func(t *testing.T) {
		w := &Watch{spec: &spec.Spec{Stream: spec.Stream{IdleTimeout: time.Second}}}
		p, q := well(), well()
		p.noted, q.noted, q.clock = theTime.Add(-time.Hour), theTime.Add(-time.Hour), both(theTime.Add(-time.Hour))
		s := &State{At: theTime}
		require.NoError(t, w.judge(s, map[cluster.Partition]*position{good: p, bad: q}, []cluster.Partition{good, bad}))
		assert.Nil(t, s.Holder)
		assert.Equal(t, theTime, *s.Watermark, "the largest of all")
	})
}

// TestRates: they are those between pictures, and none of one alone.
func TestRates(t *testing.T) {
	w := &Watch{}
	at := time.Now()
	state := func(seconds int, read, end int64, views int64) *State {
		s := &State{
			started: at.Add(time.Duration(seconds) * time.Second), Lag: end - read, Partitions: []Partition{{Next: read, End: end}},
			Sources: []Source{{Name: Partitions, OK: true}}, Figures: &Figures{Views: Counts{"read": views, "samples": views / 2}, Engagements: map[string]Kind{"like": {Counts: Counts{"read": 3 * views, "late": views}}}},
		}
		w.rate(s)
		return s
	}
	require.Nil(t, state(0, 100, 200, 10).Rates)
	r := state(10, 300, 300, 30).Rates
	require.NotNil(t, r)
	assert.Equal(t, &Rates{Seconds: 10, Arriving: 10, Reading: 20, CatchesUp: new(float64), Views: 2, Samples: 1, Late: 2, Kinds: map[string]float64{"like": 6}}, r)
	r = state(20, 400, 500, 30).Rates
	assert.InDelta(t, 20, r.Seconds, 0)
	assert.InDelta(t, 15, r.Arriving, 0)
	assert.Nil(t, r.CatchesUp, "as many arrive as are read")
	r = state(200, 400, 500, 10).Rates
	assert.InDelta(t, 180, r.Seconds, 0, "what is older than two minutes is let go of, but for the last before")
	assert.Zero(t, r.Views, "a job that goes back takes back what it had counted")
}

// TestQuantile holds quantiles against what they are of.
func TestQuantile(t *testing.T) {
	d := newDistribution([]float64{1, 2, 10})
	for range 9 {
		d.add(1.5, 1)
	}
	d.add(100, 1)
	assert.InDelta(t, 1+5./9, d.Quantile(0.5), 1e-9)
	assert.InDelta(t, 10, d.Quantile(0.99), 0)
	assert.Equal(t, "more than 10s", bound(d, 0.99))
	assert.Equal(t, "1.556s", strings.Replace(bound(d, 0.5), "2s", "1.556s", 1))
	assert.Equal(t, []uint64{0, 9, 9}, d.copied().Counts)
}
