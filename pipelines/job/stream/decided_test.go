package stream

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/source"
	"tributary/transforms/account"
)

// TestLateForWhatIsDecided: what comes in a partition that was added while the job was stopped, and
// belongs into buckets that are complete, is late and told so, whether it is read once or, by a
// run that goes on again, twice. What belongs later is joined.
func TestLateForWhatIsDecided(t *testing.T) {
	s := newSmall(t, "", "")
	s.publish("views", view("a", 0, ""), view("b", 300*time.Second, ""), view("c", 301*time.Second, ""))
	s.publish("likes", like("a", time.Second), like("b", 301*time.Second), like("b", 302*time.Second))
	join := func(run string, resume Resume, drain bool) *Plan {
		opt := quick(run, resume)
		opt.Stop, opt.Drain = source.Stop{At: source.StopAtEnd}, drain
		plan, err := New(t.Context(), s.spec, opt)
		require.NoError(t, err)
		s.runPlan(plan)
		return plan
	}
	require.Equal(t, start.Add(3*time.Minute), join("first", Fresh, false).End().Through)
	require.Equal(t, []string{"a+"}, s.samples())

	admin := kadm.NewClient(s.client)
	_, err := admin.CreatePartitions(t.Context(), 1, "views", "likes")
	require.NoError(t, err)
	writer, err := kgo.NewClient(kgo.SeedBrokers(s.brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, err)
	defer writer.Close()
	put := func(topic string, values ...[]byte) {
		for _, v := range values {
			require.NoError(t, writer.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Partition: 1, Value: v}).FirstErr())
		}
	}
	put("views", view("late", 10*time.Second, ""), view("new", 190*time.Second, ""))
	put("likes", like("a", 2*time.Second), like("new", 191*time.Second))

	for range 2 {
		join(t.Name(), FromLog, false)
		late := map[string]bool{}
		for _, r := range s.rejected("samples.late") {
			require.Equal(t, "late", string(r.Reason))
			require.True(t, r.AfterIdle)
			late[string(r.Record)] = true
		}
		require.Len(t, late, 2)
		require.True(t, late[string(view("late", 10*time.Second, ""))])
		require.True(t, late[string(like("a", 2*time.Second))])
		report, err := Report(t.Context(), s.spec)
		require.NoError(t, err)
		require.NoError(t, report.Accounts.Check())
		require.EqualValues(t, 5, report.Accounts.Views.N[account.Read])
		require.EqualValues(t, 1, report.Accounts.Views.N[account.LateAfterIdle])
		require.EqualValues(t, 1, report.Accounts.Engagements["like"].N[account.LateAfterIdle])
	}
	join("last", FromLog, true)
	require.Equal(t, []string{"a+", "b+", "c", "new+"}, s.samples())
	report, err := Report(t.Context(), s.spec)
	require.NoError(t, err)
	require.NoError(t, report.Accounts.Check())
	require.Zero(t, report.Accounts.Views.N[account.Open])
	require.EqualValues(t, 1, report.Accounts.Views.N[account.Late])
}

// TestLateForAStageThatIsDecided: so it is where only an early stage has complete buckets. What is late for it is said by the next.
func TestLateForAStageThatIsDecided(t *testing.T) {
	s := newSmall(t, "", "}\nstages: [10s]\n#")
	s.publish("views", view("a", 0, ""), view("b", 40*time.Second, ""), view("c", 41*time.Second, ""))
	s.publish("likes", like("b", 41*time.Second), like("b", 42*time.Second))
	join := func(run string, resume Resume, drain bool) {
		opt := quick(run, resume)
		opt.Stop, opt.Drain = source.Stop{At: source.StopAtEnd}, drain
		plan, err := New(t.Context(), s.spec, opt)
		require.NoError(t, err)
		s.runPlan(plan)
		if resume == FromLog && !drain {
			require.True(t, plan.Resumed().Since.IsZero(), "the last stage has decided nothing")
		}
	}
	join("first", Fresh, false)
	require.Equal(t, []string{"a"}, s.samples())

	_, err := kadm.NewClient(s.client).CreatePartitions(t.Context(), 1, "views", "likes")
	require.NoError(t, err)
	writer, err := kgo.NewClient(kgo.SeedBrokers(s.brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, err)
	defer writer.Close()
	require.NoError(t, writer.ProduceSync(t.Context(), &kgo.Record{Topic: "views", Partition: 1, Value: view("late", 10*time.Second, "")}).FirstErr())

	join("again", FromLog, false)
	join("last", FromLog, true)
	report, err := Report(t.Context(), s.spec)
	require.NoError(t, err)
	require.NoError(t, report.Accounts.Check())
	early := report.Accounts.Stages["10s"].N
	require.EqualValues(t, 1, early[account.Late])
	require.Zero(t, early[account.Open])
	require.Zero(t, report.Accounts.Views.N[account.Late])
	require.Equal(t, []string{"a", "b+", "c", "late"}, s.samples())
}
