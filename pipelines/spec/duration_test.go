package spec

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/io/record"
)

func TestParseDuration(t *testing.T) {
	for _, c := range []struct {
		text string
		want time.Duration
	}{
		{"0s", 0},
		{"10s", 10 * time.Second},
		{"1d12h", 36 * time.Hour},
		{"1.5h", 90 * time.Minute},
		{"0.1s", 100 * time.Millisecond},
		{"250ms", 250 * time.Millisecond},
		{"1m1ms", time.Minute + time.Millisecond},
		{"366d", 366 * day},
		{"0.7d", 1008 * time.Minute},
	} {
		got, err := ParseDuration(c.text)
		require.NoError(t, err, c.text)
		assert.Equal(t, c.want, got, c.text)
	}
	for _, text := range []string{"", "10", "10 s", "-1s", "1w", "1us", "s", "1.s", ".5s", "1e3s", "0.5ms", "1.0001s", "366d1ms", "99999999999999999999d", "1S", "+1s"} {
		_, err := ParseDuration(text)
		assert.Error(t, err, text)
	}
}

func TestFormatDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 30 * time.Minute: "30m", 36 * time.Hour: "1d12h", 90 * time.Second: "1m30s", 1500 * time.Millisecond: "1s500ms", -time.Second: "-1s",
	} {
		assert.Equal(t, want, FormatDuration(d))
	}
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(0, int64(longestDuration/time.Millisecond)).Draw(t, "ms")) * time.Millisecond
		got, err := ParseDuration(FormatDuration(d))
		if err != nil || got != d {
			t.Fatalf("%d: %s is read as %d, %v", d, FormatDuration(d), got, err)
		}
	})
}

func TestGuessDuration(t *testing.T) {
	for text, want := range map[string]string{
		"30 minutes": "30m", "30 Min": "30m", "2w": "14d", "1 day and 2 hours": "1d2h", "1h, 30m": "1h30m", "1h,30m": "1h30m", "90 min": "90m", "1 D": "1d",
		"1,5h": "1.5h", "1,25 hours": "1.25h", "1,5h 30m": "1.5h30m", "0,25d": "0.25d", "0": "0s", "0.0": "0s",
		"P1D": "1d", "PT30M": "30m", "P1DT12H": "1d12h", "p2w": "14d", "PT1.5H": "1.5h", "P1M": "", "P1Y": "", "P": "",
		// Of more than one meaning.
		"90": "", "1.5": "", "-5m": "", "1,500ms": "", "1 30m": "", "1 000 ms": "", "5M": "", "1:30": "",
		"5 parsecs": "", "soon": "", "": "", "500us": "", "1.5w": "", "400 days": "",
	} {
		assert.Equal(t, want, guessDuration(text), text)
	}
}

func TestNearest(t *testing.T) {
	keys := rootSection.names()
	for word, want := range map[string]string{
		"veiws": "views", "view": "views", "Views": "views", "engagement": "engagements", "outOfOrderness": "out_of_orderness", "clock-skew": "clock_skew",
		"buckets": "bucket", "allowed_lateness": "out_of_orderness", "output": "outputs", "colour": "", "x": "", "": "",
	} {
		assert.Equal(t, want, Nearest(word, keys), word)
	}
	assert.Equal(t, "view-1", Nearest("view-2", []string{"view-1", "other"}))
	assert.Empty(t, Nearest("v2", []string{"v1", "other"}), "half of it is different")
}

// TestSynonymsAreWordsOfTheSpec: a suggestion that is not allowed anywhere would send
// people the wrong way.
func TestSynonymsAreWordsOfTheSpec(t *testing.T) {
	words := map[string]bool{}
	var collect func(s *section)
	collect = func(s *section) {
		for _, k := range s.keys {
			words[k.name] = true
			for _, inner := range k.value.about().inner {
				collect(inner)
			}
		}
	}
	collect(rootSection)
	for _, list := range [][]string{
		texts(Formats), texts(Counts), plainLabels(), fieldLabels(), texts(Codecs[Avro]), texts(Codecs[JSON]),
		{string(OrderFile), string(OrderNone)},
		texts(record.Units), texts(TopicCodecs), secretSection.names(),
		{string(OutOfRangeFails), string(OutOfRangeSkips)},
	} {
		for _, word := range list {
			words[word] = true
		}
	}
	for word, means := range synonyms {
		assert.True(t, words[means], "%s is said to mean %s", word, means)
	}
}

// TestNearestKeepsTheMeaning: what is spelt almost like a word of ours, and is something
// else, has no nearest.
func TestNearestKeepsTheMeaning(t *testing.T) {
	labels := slices.Concat(plainLabels(), fieldLabels())
	for word, allowed := range map[string][]string{
		"tsv": texts(Formats), "bson": texts(Formats), "avsc": texts(Formats), "mean": labels, "list": labels, "mix": labels,
		"zip": texts(Codecs[JSON]), "bzip2": texts(Codecs[JSON]), "lzo": texts(TopicCodecs), "at-most-once": {string(ExactlyOnce), string(AtLeastOnce)},
		"scram-sha-1": texts(Mechanisms), "field": {string(OrderNone), string(OrderFile)}, "window_before": kindSection.names(),
	} {
		assert.Empty(t, Nearest(word, allowed), word)
	}
	for word, want := range map[string]string{"sum": "sum", "time_to": "time_to_first", "Sum": "sum", "summ": "sum", "cnt": "", "samples_path": ""} {
		assert.Equal(t, want, Nearest(word, labels), word)
	}
	assert.Equal(t, "samples", Nearest("samples_path", outputsSection.names()))
	assert.Equal(t, " ts", Nearest("ts", []string{"view_id", " ts"}))
}

func TestNearestUnit(t *testing.T) {
	for word, want := range map[string]record.Unit{
		"micros": record.UnitEpochMicros, "epoch_us": record.UnitEpochMicros, "µs": record.UnitEpochMicros, "timestamp-microseconds": record.UnitEpochMicros,
		"ms": record.UnitEpochMs, "milliseconds": record.UnitEpochMs, "epoch-ms": record.UnitEpochMs, "epoch-milis": record.UnitEpochMs,
		"ns": record.UnitEpochNanos, "unix_nano": record.UnitEpochNanos, "s": record.UnitSeconds, "unix": record.UnitSeconds, "epoch_s": record.UnitSeconds,
		"timestamp-seconds": record.UnitSeconds, "ISO8601": record.UnitRFC3339, "iso": record.UnitRFC3339,
		"epoch": "", "minutes": "", "days": "", "auto": "", "timestamp": "",
	} {
		assert.Equal(t, string(want), nearestUnit(word), word)
	}
}

func TestNumbersInYAML(t *testing.T) {
	for text, want := range map[string]float64{"1e-3": 0.001, ".5": 0.5, "1.0e-1": 0.1, "5e-1": 0.5, "+0.5": 0.5, "1E-2": 0.01, "1": 1, "1.": 1} {
		s, err := Parse("spec.yaml", []byte(completed("negatives: {keep: "+text+"}")))
		require.NoError(t, err, text)
		assert.InDelta(t, want, s.Keep, 1e-12, text)
	}
	list := problemsOf(t, completed(`negatives: {keep: "1e-3"}`))
	require.Len(t, list, 1)
	assert.Equal(t, "negatives: {keep: 0.001}", list[0].Fix)

	s, err := Parse("spec.yaml", []byte(completed("tests: [{name: x, views: [{view_id: v1, ts: 2026-01-01T10:00:00Z}], samples: [{view_id: v1, weight: 1e1, sampling_rate: 1e-1}]}]")))
	require.NoError(t, err)
	assert.InDelta(t, 10, s.Tests[0].Samples[0]["weight"], 0)
}
