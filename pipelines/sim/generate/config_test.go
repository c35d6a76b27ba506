package generate

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestValidateTellsAllThatIsWrong(t *testing.T) {
	c := Default()
	require.NoError(t, c.Validate())
	c = Config{Start: time.Unix(0, 0), Zipf: 1, Order: "time", Codec: "zip", CorruptBlocks: -1, Disorder: time.Second, Late: 2, Early: 0.7, Edges: 0.7, Evolve: true, Users: 1 << 40}
	c.Kinds = []Kind{{Name: "like", Rate: 1, Window: time.Second, Median: time.Hour}, {Name: "like", Repeat: 1, Window: -1, Median: 1}}
	err := c.Validate()
	for _, part := range []string{
		"views: must be 1 to 10^11, got 0", "start, duration: event times must lie in 1970", "duration: must be at least 1ms",
		"users, items, zipf", "older schema holds them as int", "partitions: must be 1 to 10000", `order: must be none or file, got "time"`,
		"codec: must be one of [null deflate snappy zstandard]", "file-records", "evolve: every other partition", "corrupt-blocks",
		"disorder: must be less than out-of-orderness 0s", "late: must be a rate in [0, 1], got 2", "early, edges: together at most 1",
		"early: an engagement before its view counts only within the clock skew", "kinds: like is there twice",
		"kind like: median must be whole milliseconds, and no longer than the window 1s", "kind like: repeat must be in [0, 0.9]", "kind like: window must be whole milliseconds",
	} {
		assert.ErrorContains(t, err, part)
	}
}

func TestParseKinds(t *testing.T) {
	const window = 30 * time.Minute
	like := Kind{Name: "like", Rate: 0.1, Window: window, Median: 22 * time.Second, Sigma: 1.2}
	buy := Kind{Name: "buy", Rate: 0.005, Repeat: 0.5, Window: time.Second, Median: time.Second, Sigma: 2, Amount: 20}
	for _, test := range []struct {
		text string
		want []Kind
		err  string
	}{
		{text: "like:10%", want: []Kind{like}},
		{text: " like:0.1:  buy:0.5%:window=1s,sigma=2,repeat=50%,amount=20", want: []Kind{like, buy}},
		{text: like.String() + " " + buy.String(), want: []Kind{like, buy}},
		{text: "like", err: `kind "like": must be NAME:RATE`},
		{text: "like:110%", err: `rate: "110%" is no rate`},
		{text: "like:x:sigma=y,size=3", err: "size: no such option; there are window, median, sigma, repeat and amount"},
		{text: "Like:1%", err: `kind "Like": a name is`},
		{text: "a:1 b:2", err: `"2" is no rate`},
		{text: "like:1:median=1h", err: "kind like: median must be whole milliseconds, and no longer than the window 30m0s, got 1h0m0s"},
		{text: "like:1:amount=NaN", err: "amount must be in"},
	} {
		t.Run(test.text, func(t *testing.T) {
			got, err := ParseKinds(test.text, window)
			if test.err != "" {
				require.ErrorContains(t, err, test.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}
}

func FuzzKinds(f *testing.F) {
	for _, seed := range []string{"like:10%:median=22s,sigma=1.2 share:1%", "a:0.1:window=1h,repeat=9e-1,amount=3", "a:b:c=d", "::", "x:1:,,"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		kinds, err := ParseKinds(text, time.Minute)
		if err != nil {
			return
		}
		for _, k := range kinds {
			again, err := ParseKinds(k.String(), time.Hour)
			require.NoError(t, err, k)
			require.Equal(t, []Kind{k}, again)
		}
	})
}
