package chaos

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"tributary/io/record"
)

// TestPublishedIsTheInput publishes in step with event time, through a broker that drops
// requests: the topics hold the input, and the audit of an input that is not all there says so.
func TestPublishedIsTheInput(t *testing.T) {
	c := hard(t, 2000, time.Minute, "like:30%:window=12s,median=5s,repeat=30%")
	c.OutOfOrderness, c.ClockSkew, c.Disorder = 5*time.Second, 2*time.Second, 4*time.Second
	in, err := NewInput(t.Context(), c, AsMade)
	require.NoError(t, err)
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(fake.Close)
	s, err := NewStream(t.Context(), in, fake.ListenAddrs()[0], "published", IntoTopic)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	p, err := NewPublisher(s)
	require.NoError(t, err)
	t.Cleanup(p.Close)
	assert.EqualValues(t, record.NoTime, p.Reached())
	require.ErrorContains(t, s.auditInput(t.Context()), "records that were published")
	require.NoError(t, p.Run(t.Context(), 100))
	assert.EqualValues(t, math.MaxInt64, p.Reached())
	require.NoError(t, s.auditInput(t.Context()))
	require.ErrorContains(t, s.auditSamples(t.Context(), false), "samples are missing")

	in.Logs[0].Records = in.Logs[0].Records[1:]
	require.ErrorContains(t, s.auditInput(t.Context()), "is not the record")
}
