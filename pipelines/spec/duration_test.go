package spec

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/io/event"
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
		"30 minutes": "30m", "30 Min": "30m", "90": "90s", "1.5": "1.5s", "2w": "14d", "1 day and 2 hours": "1d2h", "1h, 30m": "1h30m",
		"-5m": "5m", "5 parsecs": "", "soon": "", "": "", "500us": "", "1.5w": "", "400 days": "",
	} {
		assert.Equal(t, want, guessDuration(text), text)
	}
}

func TestNearest(t *testing.T) {
	keys := rootShape.keys
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
		for _, key := range s.keys {
			words[key] = true
		}
		for _, inner := range s.inner {
			collect(inner)
		}
	}
	collect(rootShape)
	for _, list := range [][]string{
		texts(Formats), texts(Attributions), texts(PlainLabels), texts(FieldLabels), texts(Codecs[Avro]), texts(Codecs[JSON]),
		{string(OrderFile), string(OrderNone)},
		texts(event.Units), texts(TopicCodecs), secretShape.keys,
		{string(TruncationFails), string(TruncationSkips)},
	} {
		for _, word := range list {
			words[word] = true
		}
	}
	for word, means := range synonyms {
		assert.True(t, words[means], "%s is said to mean %s", word, means)
	}
}
