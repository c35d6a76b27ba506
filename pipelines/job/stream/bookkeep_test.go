package stream

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/sink"
	"tributary/io/kafkaio/source"
	"tributary/io/record"
	"tributary/pipelines/spec"
	"tributary/transforms/account"
)

// ofRecords are the records of the topic of accounts, compacted, and those of them that are accounts,
// never mind what was removed.
func (s *small) ofRecords() (compacted, accounts []*kgo.Record) {
	s.t.Helper()
	topic := &accountsTopic{t: s.t}
	require.NoError(s.t, cluster.ReadAll(s.t.Context(), cluster.Config{Brokers: s.brokers}, "samples.accounts", func(r *kgo.Record) error {
		topic.records = append(topic.records, r)
		if r.Value != nil && !isPage(string(r.Key)) {
			accounts = append(accounts, r)
		}
		return nil
	}))
	topic.compact(false)
	return topic.records, accounts
}

// TestJobKeepsBooks: while a job runs, and goes on from the log, its accounts are put together, and
// the report says what all of them say that were ever written.
func TestJobKeepsBooks(t *testing.T) {
	for _, delivery := range []spec.Delivery{spec.ExactlyOnce, spec.AtLeastOnce} {
		t.Run(string(delivery), func(t *testing.T) {
			s := newSmall(t, "", ", delivery: "+string(delivery))
			published := 0
			publish := func(views int) {
				var records []*kgo.Record
				for range views {
					id, after := fmt.Sprint("v", published), time.Duration(published)*100*time.Millisecond
					records = append(records, &kgo.Record{Topic: "views", Value: view(id, after, "")})
					if published%10 == 0 {
						records = append(records, &kgo.Record{Topic: "likes", Value: like(id, after+time.Second)}, &kgo.Record{Topic: "likes", Value: like("nobody", after)})
					}
					if published%50 == 0 {
						records = append(records, &kgo.Record{Topic: "views"}, &kgo.Record{Topic: "likes", Value: []byte("poison")})
					}
					published++
				}
				require.NoError(t, s.client.ProduceSync(t.Context(), records...).FirstErr())
			}
			join := func(run string, resume Resume) {
				opt := quick(run, resume)
				opt.Stop = source.Stop{At: source.StopAtEnd}
				plan, err := New(t.Context(), s.spec, opt)
				require.NoError(t, err)
				s.runPlan(plan)
			}
			said := func() (all *accounts, kept, ever int) {
				compacted, accounts := s.ofRecords()
				sum, err := readAll(t, accounts).sum(s.spec)
				require.NoError(t, err)
				r, err := Report(t.Context(), s.spec)
				require.NoError(t, err)
				require.Equal(t, sum, r.Accounts)
				require.NoError(t, r.Accounts.Check())
				require.EqualValues(t, published, r.Accounts.Views.N[account.Read])
				require.EqualValues(t, (published+49)/50, r.Accounts.Views.N[account.Tombstones])
				all = readAll(t, compacted)
				for log, offset := range all.book.Offsets {
					require.Equal(t, record.ChapterStart(record.Chapter(offset)), offset, log)
				}
				return all, len(compacted), len(accounts)
			}
			publish(20_000)
			join("first", Fresh)
			all, _, _ := said()
			require.EqualValues(t, record.ChapterStart(2), all.book.Offsets["read/views/main/views/0"])
			require.EqualValues(t, record.ChapterStart(2), all.book.Offsets["refused/views/main/views/0"])
			require.Greater(t, all.book.Buckets, start.UnixMilli())
			if delivery == spec.AtLeastOnce {
				return
			}
			publish(20_000)
			join("second", FromLog)
			all, _, _ = said()
			require.EqualValues(t, record.ChapterStart(4), all.book.Offsets["read/views/main/views/0"])
			// The next look removes what the book holds.
			w := sink.Config{Cluster: cluster.Config{Brokers: s.brokers}, Topic: "samples.accounts"}
			require.NoError(t, keepBook(t.Context(), w, "small", settled{}, time.Minute))
			all, kept, ever := said()
			require.Empty(t, all.held)
			require.Equal(t, kept, len(all.byKey)+2, "two books of a page")
			require.Less(t, kept, ever/4)
		})
	}
}
