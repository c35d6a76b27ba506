package sink

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tributary/io/kafkaio/commitlog"
	"tributary/io/kafkaio/internal/kafkatest"
)

// TestSimulation plays histories of a sink with everything that may go wrong with it, each
// from a seed, in virtual time: processes die at any request, before or after it reaches the
// broker or with the request arriving when the successor is at work; they pause for longer
// than a transaction may last and wake up as zombies; the network drops, delays or cuts;
// brokers apply a produce and say that it failed; bundles are replayed, from earlier ones
// on, whole, cut otherwise or with other content; stray producers hold transactions open in
// the commit log.
//
// TRIBUTARY_SIMULATE=N plays N histories, TRIBUTARY_SEED=S the one of a seed, aloud. Goroutines
// are not scheduled by the seed, so a failure may take a few runs to come again.
func TestSimulation(t *testing.T) {
	histories, first := simulated, uint64(1)
	if n, err := strconv.Atoi(os.Getenv("TRIBUTARY_SIMULATE")); err == nil {
		histories, first = n, rand.Uint64()>>1
	}
	aloud := false
	if s, err := strconv.ParseUint(os.Getenv("TRIBUTARY_SEED"), 10, 64); err == nil {
		histories, first, aloud = 1, s, true
	}
	seen := map[string]int{}
	for seed := first; seed < first+uint64(histories) && !t.Failed(); seed++ {
		for what, n := range playHistory(t, seed, aloud) {
			seen[what] += n
		}
	}
	t.Logf("%d histories from seed %d: %v", histories, first, seen)
	if histories >= 500 {
		// A simulation in which nothing goes wrong shows nothing.
		for _, what := range []string{"crash", "late", "lost", "cut", "pause", "stray", "failed produce", "fenced", "skipped", "corrected", "replay", "in parts", "left in part"} {
			require.NotZero(t, seen[what], "%s never happened", what)
		}
	}
}

// playHistory plays the history of a seed and returns how often what happened in it.
func playHistory(t *testing.T, seed uint64, aloud bool) map[string]int {
	var h *history
	passed := false
	defer func() { // a failed check leaves by runtime.Goexit
		if passed && !aloud {
			return
		}
		for _, line := range h.trace {
			t.Log(line)
		}
		t.Logf("TRIBUTARY_SEED=%d plays this history again", seed)
	}()
	synctest.Test(t, func(t *testing.T) {
		h = newHistory(t, seed)
		h.play()
	})
	passed = !t.Failed()
	return h.seen
}

const simShards = 2

// history is one run of the simulation.
type history struct {
	*writeRig
	t       *testing.T
	rand    *rand.Rand
	cluster *kfake.Cluster
	began   time.Time
	// bundles are the work: in each the groups of some shards, in order.
	bundles [][]work
	// faults is how many more things may go wrong.
	faults int

	mu       sync.Mutex
	trace    []string
	seen     map[string]int
	acks     []commitlog.Committed
	stranded sync.WaitGroup
}

// work is a group to write, with the content that the next attempt gives it.
type work struct {
	shard   int32
	id      int64
	size    int
	variant int
}

func newHistory(t *testing.T, seed uint64) *history {
	h := &history{t: t, rand: rand.New(rand.NewPCG(seed, seed)), seen: map[string]int{}, began: time.Now()}
	var network kfake.VirtualNetwork
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(9092), kfake.ListenFn(network.Listen))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	h.cluster = cluster
	h.writeRig = rigOn(t, simShards, cluster.ListenAddrs(), network.DialContext)
	h.w.TransactionTimeout = 10 * time.Second
	h.faults = 1 + h.rand.IntN(5)
	largest := 4
	if h.rand.IntN(2) == 0 { // groups are written in parts of some records
		h.w.TransactionBytes, largest = int64(8+h.rand.IntN(40)), 10
	}
	for i := range 2 + h.rand.IntN(3) {
		var bundle []work
		for n := range 1 + h.rand.IntN(3) {
			bundle = append(bundle, work{shard: int32(h.rand.IntN(simShards)), id: int64(10*i + n), size: h.rand.IntN(largest)})
		}
		h.bundles = append(h.bundles, bundle)
	}
	return h
}

func (h *history) note(what, format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if what != "" {
		h.seen[what]++
	}
	h.trace = append(h.trace, fmt.Sprintf("%8s  ", time.Since(h.began))+fmt.Sprintf(format, args...))
}

// play runs the bundles to their end, with faults, then once more without, and checks.
func (h *history) play() {
	p := h.start()
	for i, checkpoint := 0, 0; i < len(h.bundles); {
		fresh := h.disturb(p, i)
		err := h.run(p, i, fresh)
		switch {
		case err == nil:
			if i++; h.rand.IntN(2) == 0 {
				checkpoint = i
			}
			continue
		case errors.Is(err, errAbandoned):
			h.note("", "the runner gives process %d up", p.number)
		default:
			h.note("", "bundle %d failed: %v", i, err)
			if h.rand.IntN(2) == 0 {
				p.wire.Kill()
			}
		}
		// A process that survives may be given the shards again.
		if p.wire.IsDead() || fresh || h.rand.IntN(2) == 0 {
			p = h.start()
		}
		i = h.replay(checkpoint, i)
	}
	h.stranded.Wait() // zombies do what they still can
	p = h.start()
	for i := range h.bundles {
		require.NoError(h.t, h.run(p, i, false), "bundle %d, undisturbed", i)
	}
	time.Sleep(2 * h.w.TransactionTimeout) // what is still open is aborted by then
	h.check()
}

// replay goes back to a bundle between the checkpoint and the failed one. Rarely a bundle
// does not come out the same.
func (h *history) replay(checkpoint, failed int) int {
	from := checkpoint + h.rand.IntN(failed-checkpoint+1)
	h.note("replay", "replay from bundle %d", from)
	for _, bundle := range h.bundles[from : failed+1] {
		for i := range bundle {
			if h.rand.IntN(12) == 0 {
				bundle[i].variant++
			}
		}
	}
	return from
}

var errAbandoned = errors.New("left to itself")

// run writes the groups of a bundle, shards side by side, as writeFn does. If the runner
// gives the process up, the bundle goes on without anybody waiting for it.
func (h *history) run(p *simProcess, i int, abandon bool) error {
	groups := map[int32][]*group{}
	for _, w := range h.bundles[i] {
		groups[w.shard] = append(groups[w.shard], makeGroup(h.t, w.shard, w.id, w.size, w.variant))
	}
	patience := 5 * time.Minute
	if abandon {
		patience = time.Duration(1+h.rand.IntN(8)) * time.Second
	}
	done := make(chan error, len(groups))
	for shard, g := range groups {
		h.stranded.Go(func() {
			acks, err := p.write(context.Background(), shard, g)
			h.mu.Lock()
			h.acks = append(h.acks, acks...)
			for _, a := range acks {
				if a.Skipped {
					h.seen["skipped"]++
				} else if a.Version > 1 {
					h.seen["corrected"]++
				}
			}
			if errors.Is(err, ErrFenced) {
				h.seen["fenced"]++
			}
			h.mu.Unlock()
			h.note("", "process %d, bundle %d, shard %d: %v %v", p.number, i, shard, acks, err)
			done <- err
		})
	}
	timeout := time.After(patience)
	var errs []error
	for range groups {
		select {
		case err := <-done:
			errs = append(errs, err)
		case <-timeout:
			return errAbandoned
		}
	}
	return errors.Join(errs...)
}

// simProcess is a writer process of the simulation.
type simProcess struct {
	*process
	number int
}

func (h *history) start() *simProcess {
	h.seen["process"]++
	p := &simProcess{process: h.process(), number: h.seen["process"]}
	h.note("", "process %d starts", p.number)
	return p
}

// requests are what a writer sends, other than to find its way.
var requests = []kmsg.Key{kmsg.InitProducerID, kmsg.Fetch, kmsg.ListOffsets, kmsg.Produce, kmsg.Produce, kmsg.EndTxn, kmsg.EndTxn, kmsg.EndTxn}

// disturb may arrange for something to go wrong in the next bundle. It says whether the
// runner will give the process up while it is at it.
func (h *history) disturb(p *simProcess, bundle int) (abandon bool) {
	p.wire.SetFault(nil)
	if h.faults == 0 || h.rand.IntN(4) == 0 {
		return false
	}
	h.faults--
	key := requests[h.rand.IntN(len(requests))]
	name, f := "", kafkatest.Fate{}
	seconds := time.Duration(1+h.rand.IntN(30)) * time.Second
	switch h.rand.IntN(8) {
	case 0:
		name, f = "crash", kafkatest.Fate{Die: true, Lose: h.rand.IntN(2) == 0}
	case 1:
		name, f = "late", kafkatest.Fate{Late: seconds / 4}
	case 2:
		name, f = "lost", kafkatest.Fate{Lose: true}
	case 3, 4:
		name, f = "cut", kafkatest.Fate{Cut: seconds, Lose: h.rand.IntN(2) == 0}
	case 5:
		name, f = "pause", kafkatest.Fate{Hold: seconds}
		abandon = h.rand.IntN(2) == 0
	case 6:
		h.stray(int32(h.rand.IntN(simShards)), seconds/2)
		return false
	case 7:
		// The first two are applied all the same, the others are not.
		failures := []*kerr.Error{kerr.RequestTimedOut, kerr.NotEnoughReplicasAfterAppend, kerr.MessageTooLarge, kerr.UnknownServerError, kerr.NotLeaderForPartition}
		f := kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: failures[h.rand.IntN(len(failures))], Topic: h.w.Topic, Count: 1 + h.rand.IntN(2)}
		h.note("failed produce", "bundle %d: a produce fails: %v", bundle, f.Err)
		h.cluster.Fault(f)
		return false
	}
	nth := 1 + h.rand.IntN(2)
	if h.w.TransactionBytes < DefaultTransactionBytes {
		nth = 1 + h.rand.IntN(8) // between any two transactions of a group
	}
	h.note("", "bundle %d: %s at %s number %d: %+v", bundle, name, key.Name(), nth, f)
	var mu sync.Mutex
	p.wire.SetFault(func(k kmsg.Key) kafkatest.Fate {
		mu.Lock()
		defer mu.Unlock()
		if k != key {
			return kafkatest.Fate{}
		}
		if nth--; nth != 0 {
			return kafkatest.Fate{}
		}
		h.note(name, "process %d: %s", p.number, name)
		return f
	})
	return abandon
}

// stray holds a transaction of another producer open in a commit log partition. It is aborted.
func (h *history) stray(shard int32, open time.Duration) {
	h.note("stray", "a stray transaction in the commit log of shard %d, for %s", shard, open)
	client := h.Client(kgo.TransactionalID("stray"), kgo.TransactionTimeout(open), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	defer client.Close()
	require.NoError(h.t, client.BeginTransaction())
	err := client.ProduceSync(context.Background(), &kgo.Record{Topic: h.w.CommitLog, Partition: shard, Key: []byte("stray"), Value: []byte{0}}).FirstErr()
	if err != nil {
		h.note("", "the stray failed: %v", err)
	}
}
