package chaos

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestStreamAtSize joins many views with all kinds of faults in the records, from topics on
// Flink: the samples are the batch's, byte for byte and each once, and those are the truth.
func TestStreamAtSize(t *testing.T) {
	c := hard(t, *views, 20*time.Minute, "like:30%:window=2m,median=40s,repeat=30% buy:5%:window=3m,amount=20")
	c.OutOfOrderness, c.ClockSkew, c.Disorder = 30*time.Second, 2*time.Second, 20*time.Second
	in, err := NewInput(t.Context(), c, AsMade)
	require.NoError(t, err)
	require.Greater(t, in.mature(), len(in.Samples)/2)
	s := newSystem(t, in, IntoTopic, "one")
	publisher, err := NewPublisher(s.Stream)
	require.NoError(t, err)
	t.Cleanup(publisher.Close)
	publisher.Rush()
	require.NoError(t, publisher.Run(t.Context(), 1))
	begun := time.Now()
	require.NoError(t, s.RunToEnd(t.Context(), "--drain"))
	took := time.Since(begun)
	require.NoError(t, AuditTopics(t.Context(), s.Stream, true), "logs in %s, %s and below %s", s.Flink.Data, s.Releases[0].Workers[0].Data, s.Dir)
	t.Logf("%d records, %d samples in %.0f s, the start and the end of the job included", publisher.Count(), len(in.Samples), took.Seconds())
}
