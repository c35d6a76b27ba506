package main

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
)

// TestCopies: both ways copy the events up to their ends, each once, and nothing of what lies behind them.
func TestCopies(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	defer cluster.Close()
	b, err := openBroker(cluster.ListenAddrs()[0])
	require.NoError(t, err)
	defer b.client.Close()
	from := topicPair{"views", "engagements"}
	truths, err := b.publish(t.Context(), from, newTraffic(logStart, 500, time.Minute), 3000, 5000)
	require.NoError(t, err)
	for to, c := range map[string]struct {
		run   func(*copyJob) error
		until truth
	}{
		"copied":           {func(c *copyJob) error { return c.copy(t.Context()) }, truths[0]},
		"copied-whole":     {func(c *copyJob) error { return c.copy(t.Context()) }, truths[1]},
		"transacted":       {func(c *copyJob) error { return c.copyInTransactions(t.Context()) }, truths[0]},
		"transacted-whole": {func(c *copyJob) error { return c.copyInTransactions(t.Context()) }, truths[1]},
	} {
		require.NoError(t, b.create(t.Context(), to))
		job := newCopyJob(b.address, job{name: to, from: from, until: &c.until}, false)
		require.NoError(t, c.run(&job), to)
		require.NoError(t, b.verify(t.Context(), to, decodeCopy, c.until.copies()))
		c.until.copied++
		require.ErrorContains(t, b.verify(t.Context(), to, decodeCopy, c.until.copies()), to+": its ")
	}
}

// TestProgram: a program answers line by line, and ends when nobody tells it anything any more.
func TestProgram(t *testing.T) {
	dir := t.TempDir()
	start := func(script string) *program {
		p, err := startProgram(exec.CommandContext(t.Context(), "bash", "-c", script), dir, "program")
		require.NoError(t, err)
		return p
	}
	p := start("echo ready; while read -r line; do echo \"did $line\"; done; echo over >&2")
	require.NoError(t, p.expect(t.Context(), "ready", time.Minute))
	require.NoError(t, p.tell("this"))
	require.ErrorContains(t, p.expect(t.Context(), "did that", time.Minute), `"did that" was expected, got "did this"; see `)
	require.ErrorContains(t, p.expect(t.Context(), "more", time.Millisecond), `wait for "more": context deadline exceeded; see `)
	require.NoError(t, p.end())
	log, err := os.ReadFile(p.log.Name())
	require.NoError(t, err)
	require.Equal(t, "over\n", string(log))

	p = start("exit 3")
	require.ErrorContains(t, p.expect(t.Context(), "ready", time.Minute), `"ready" was expected, got ""`)
	require.ErrorContains(t, p.end(), "exit status 3")
}
