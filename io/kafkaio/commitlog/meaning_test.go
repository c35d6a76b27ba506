package commitlog

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMeansSince: what was kept of another meaning stays known for that when it is complete, and with it no more told of.
func TestMeansSince(t *testing.T) {
	header := func(meaning string) *Header {
		begin := int64(NoID)
		return &Header{Job: "j", Step: 10, Shards: 1, CommittedBefore: NoID, Meaning: map[string]string{"a": meaning}, MeaningSince: &begin}
	}
	take := func(l *Log, want *Header) *Header {
		next, kept, err := Next("log", want, []*Log{l})
		require.NoError(t, err)
		next.Kept = kept[0]
		return next
	}
	first := header("1")
	first.FencingEpoch = 1
	l := &Log{Header: first, Entries: map[int64]Entry{100: {Version: 1}, 110: {Version: 1}, 120: {Version: 1}}, Through: 100, Completes: true}
	l.Header = take(l, header("2"))
	require.EqualValues(t, 130, l.Header.MeansSince())
	l.Through, l.Entries[130] = 130, Entry{Version: 1}
	l.Header = take(l, header("2"))
	require.Empty(t, l.Header.Kept)
	require.EqualValues(t, 130, l.Header.MeansSince())

	// Logs of releases that did not say, with and without a header.
	l.Header.MeaningSince, l.Header.Meaning = nil, nil
	l.Header = take(l, header("2"))
	require.EqualValues(t, 140, l.Header.MeansSince())
	l.Header = nil
	require.EqualValues(t, 140, take(l, header("2")).MeansSince())
}
