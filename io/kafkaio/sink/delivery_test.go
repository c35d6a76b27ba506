package sink

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestLongBundle: a client stays for as long as a bundle sends by it, and no longer than it has to.
func TestLongBundle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newVirtualRig(t, 1)
		from := newSenders(kgo.Dialer(r.Dial))
		d := &Delivery{w: Config{Cluster: r.w.Cluster, Topic: r.w.Topic}, from: from}
		for range 10 {
			_, err := d.Send(t.Context(), Message{Value: []byte("v")})
			require.NoError(t, err)
			time.Sleep(restTime / 4)
		}
		require.NoError(t, d.Wait(t.Context()))
		require.Len(t, r.CommittedRecords(r.w.Topic), 10)
		all := func(senderKey) bool { return true }
		require.Equal(t, 1, from.Count(all))
		time.Sleep(restTime)
		require.Zero(t, from.Count(all), "nobody has used it for as long as that")
	})
}
