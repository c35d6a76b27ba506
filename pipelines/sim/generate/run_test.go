package generate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/io/format/avro"
)

// made runs c in a folder of its own and returns the folder.
func made(t *testing.T, c Config) (string, Truth) {
	t.Helper()
	c.Out = t.TempDir()
	truth, err := Run(t.Context(), c, nil)
	require.NoError(t, err)
	return c.Out, truth
}

// contents returns all files below dir by their relative paths.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		name, relErr := filepath.Rel(dir, path)
		found[name] = string(content)
		return errors.Join(err, relErr)
	}))
	return found
}

// records decodes the files of a partition, one after another, with another library.
func records(t *testing.T, pattern string) (all []map[string]any) {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, paths, pattern)
	for _, path := range paths {
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		reader, err := goavro.NewOCFReader(bytes.NewReader(content))
		require.NoError(t, err, path)
		for reader.Scan() {
			r, err := reader.Read()
			require.NoError(t, err, path)
			all = append(all, r.(map[string]any))
		}
		require.NoError(t, reader.Err(), path)
	}
	return all
}

func TestRunGivesTheSameBytesOnAnyNumberOfCores(t *testing.T) {
	c := everything()
	c.Views = 2*chunkViews + 1000
	var want map[string]string
	for _, cores := range []int{1, 2, 5} {
		before := runtime.GOMAXPROCS(cores)
		dir, _ := made(t, c)
		runtime.GOMAXPROCS(before)
		got := contents(t, dir)
		if want == nil {
			want = got
		}
		require.Len(t, got, len(want))
		for name := range want {
			require.True(t, want[name] == got[name], "%s differs on %d cores", name, cores)
		}
	}
	c.Seed++
	dir, _ := made(t, c)
	assert.NotEqual(t, want["views/part-00000-00000.avro"], contents(t, dir)["views/part-00000-00000.avro"], "the seed changes nothing")
}

func TestFilesHoldWhatEventsSays(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"ordered":  func(*Config) {},
		"rolled":   func(c *Config) { c.Order, c.FileRecords = OrderNone, 700 },
		"evolved":  func(c *Config) { c.Evolve, c.ViewTime = true, true },
		"no nulls": func(c *Config) { c.Malformed, c.Codec = 0, "null" },
		"chunks":   func(c *Config) { c.Views, c.Codec = chunkViews+5000, "deflate" },
	} {
		t.Run(name, func(t *testing.T) {
			c := everything()
			change(&c)
			dir, truth := made(t, c)
			partitions, samples, want, err := Events(c)
			require.NoError(t, err)
			assert.Equal(t, want, truth)
			for _, p := range partitions {
				checkPartition(t, c, dir, p)
			}
			rows := records(t, dir+"/truth/*.avro")
			require.Len(t, rows, len(samples))
			for i := range rows {
				checkRow(t, &samples[i], rows[i])
			}
		})
	}
}

func checkPartition(t *testing.T, c Config, dir string, p Partition) {
	t.Helper()
	stream := engagementsDir
	if p.Views {
		stream = viewsDir
	}
	got := records(t, filepath.Join(dir, stream, "part-0000"+string(rune('0'+p.Number))+"-*.avro"))
	require.Len(t, got, len(p.Events))
	older := c.Evolve && p.Number%2 == 1
	malformed := 0
	for i, e := range p.Events {
		r := got[i]
		id, idOK := plain(r["view_id"], "string").(string)
		at, atOK := plain(r["ts"], "long.timestamp-millis").(time.Time)
		if e.Malformed {
			malformed++
			require.True(t, !idOK || !atOK || at.UnixMilli() < 0 || at.Year() > 2199, "%v is sound", r)
			continue
		}
		require.Equal(t, e.ViewID, id)
		require.Equal(t, e.Time, at.UnixMilli())
		_, hasSurface := r["surface"]
		_, hasViewTime := r["view_ts"]
		switch {
		case p.Views:
			require.EqualValues(t, e.Pos, r["pos"])
			require.Len(t, r["features"], features)
			require.Equal(t, !older, hasSurface)
		case older:
			require.EqualValues(t, float32(e.Amount), r["amount"])
		default:
			require.Equal(t, e.Amount, r["amount"])
		}
		if !p.Views {
			require.Equal(t, e.EventID, r["event_id"])
			require.Equal(t, e.Kind, r["kind"])
			require.Equal(t, c.ViewTime, hasViewTime)
		}
		if hasViewTime {
			require.Equal(t, e.ViewTime, r["view_ts"].(time.Time).UnixMilli())
		}
	}
	assert.Equal(t, c.Malformed > 0, malformed > 0)
}

// plain takes a value out of goavro's form of a union.
func plain(v any, branch string) any {
	if union, ok := v.(map[string]any); ok {
		return union[branch]
	}
	return v
}

func checkRow(t *testing.T, s *Sample, r map[string]any) {
	t.Helper()
	require.Equal(t, s.ViewID, r["view_id"])
	require.Equal(t, s.ViewTime, r["view_time"].(time.Time).UnixMilli())
	require.Equal(t, s.Positive, r["positive"])
	require.EqualValues(t, s.Pos, r["pos"])
	for kind, v := range r["labels"].(map[string]any) {
		label, want := v.(map[string]any), s.Labels[kind]
		require.Equal(t, want.Count, label["count"])
		require.Equal(t, want.Sum, label["sum_amount"])
		if want.Count == 0 {
			require.Nil(t, label["delay_ms"])
		} else {
			require.Equal(t, want.DelayMs, plain(label["delay_ms"], "long"))
		}
	}
}

func TestRatesAreNearWhatWasAsked(t *testing.T) {
	c := everything()
	c.Views, c.Order = 40_000, OrderNone
	_, samples, truth, err := Events(c)
	require.NoError(t, err)
	near := func(want float64, part, whole int64, what string) {
		t.Helper()
		// Four standard deviations.
		assert.InDelta(t, want, float64(part)/float64(whole), 4*math.Sqrt(want*(1-want)/float64(whole)), what)
	}
	views := truth.Views.Samples
	near(c.Duplicates*(1-c.Late), truth.Views.Duplicates, views, "duplicates of views")
	near(0.5, truth.Views.DuplicatesDiffering, truth.Views.Duplicates, "differing ones")
	near(c.Malformed, truth.Views.Dead, views, "malformed views")
	like := truth.Engagements["like"]
	made := like.Matched + like.Outside
	assert.InEpsilon(t, 0.3/(1-0.3), float64(made)/float64(views), 0.05, "likes: 30 %, and after each another one at 30 %")
	near(c.Orphans, like.Orphans, made, "orphans")
	near(c.Malformed, like.Dead, made, "malformed likes")

	delays, all := 0, 0
	for _, s := range samples {
		if l := s.Labels["share"]; l.Count == 1 && l.DelayMs > 0 {
			all++
			if l.DelayMs <= 10_000 {
				delays++
			}
		}
	}
	assert.InDelta(t, 0.5, float64(delays)/float64(all), 0.1, "share of delays up to the median")
}

func TestViewsFollowTheTimeOfDay(t *testing.T) {
	c := Default()
	c.Views, c.Duration, c.Diurnal, c.Kinds = 48_000, 48*time.Hour, 0.8, c.Kinds[:1]
	_, samples, _, err := Events(c)
	require.NoError(t, err)
	byHour := map[int]float64{}
	for i, s := range samples {
		at := time.UnixMilli(s.ViewTime).UTC()
		byHour[at.Hour()]++
		require.False(t, at.Before(c.Start) || at.After(c.Start.Add(c.Duration)))
		require.True(t, i == 0 || samples[i-1].ViewTime <= s.ViewTime)
	}
	// 2000 views an hour of the day on average.
	assert.InDelta(t, 2000*1.8, byHour[18], 60)
	assert.InDelta(t, 2000*0.2, byHour[6], 60)
}

func TestUsersAreZipfDistributed(t *testing.T) {
	c := Default()
	c.Views, c.Partitions, c.Users, c.Items, c.Zipf = 20_000, 1, 1000, 1, 2
	dir, _ := made(t, c)
	byUser := map[int64]int{}
	for _, r := range records(t, dir+"/views/*.avro") {
		byUser[r["user_id"].(int64)]++
		require.Zero(t, r["post_id"])
	}
	// User k comes with a frequency of (10+k)^-2.
	assert.InDelta(t, 4, float64(byUser[0])/float64(byUser[10]), 0.8)
	for user := range byUser {
		require.Less(t, user, c.Users)
	}
}

func TestCorruptBlocksCannotBeRead(t *testing.T) {
	for _, codec := range Codecs {
		c := everything()
		c.CorruptBlocks, c.Codec, c.Malformed = 4, codec, 0
		dir, truth := made(t, c)
		assert.EqualValues(t, 4*corruptRecords, truth.Views.Dead)
		assert.Equal(t, truth.Views.Read, truth.Views.Samples+truth.Views.Duplicates+truth.Views.Late+truth.Views.Dead)

		// Two of the four are in the first partition, which is sound but for them.
		r, err := avro.NewReader(strings.NewReader(contents(t, dir)["views/part-00000-00000.avro"]))
		require.NoError(t, err)
		for i := range 3 {
			block, err := r.Next()
			require.NoError(t, err)
			plain, err := block.Records(nil)
			if codec == "null" {
				err = nil
				if plain[0] == 0xff {
					err = errors.New("the first number does not end")
				}
			}
			assert.Equal(t, i < 2, err != nil, "%s: block %d: %v", codec, i, err)
			assert.Equal(t, i < 2, block.Count == corruptRecords)
		}
	}
}

func TestRunReplacesOnlyWhatItMade(t *testing.T) {
	c := everything()
	c.Out = t.TempDir()
	_, err := Run(t.Context(), c, nil)
	require.NoError(t, err)
	c.Partitions, c.Spec = 2, false
	_, err = Run(t.Context(), c, nil)
	require.NoError(t, err)
	left := contents(t, c.Out)
	assert.NotContains(t, left, "views/part-00002-00000.avro")
	assert.NotContains(t, left, "spec.yaml")
	assert.Len(t, left, 2*2+3)

	c.Out = t.TempDir()
	require.NoError(t, os.Mkdir(c.Out+"/views", 0o755))
	require.NoError(t, os.WriteFile(c.Out+"/views/mine.avro", nil, 0o644))
	_, err = Run(t.Context(), c, nil)
	assert.ErrorContains(t, err, "files that were not generated, like "+c.Out+"/views/mine.avro")
	assert.Len(t, contents(t, c.Out), 1)
}

func TestRunStopsWhenCancelled(t *testing.T) {
	c := everything()
	c.Views, c.Out = 10_000_000, t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Run(ctx, c, func(int64) { cancel() })
	require.ErrorIs(t, err, context.Canceled)
	left := contents(t, c.Out)
	assert.Len(t, left, 2, "only schema and spec are complete")
}

func TestTruthIsWrittenBeside(t *testing.T) {
	dir, truth := made(t, everything())
	var read Truth
	require.NoError(t, json.Unmarshal([]byte(contents(t, dir)["truth.json"]), &read))
	assert.Equal(t, truth, read)
	assert.Equal(t, truth.Views.Read+truth.Engagements["like"].Read+truth.Engagements["share"].Read+truth.Engagements["buy"].Read, truth.Events())
}

// TestMemoryIsFlat would need many times the memory for four times the views, if any part
// of what is made were kept.
func TestMemoryIsFlat(t *testing.T) {
	peak := func(views int64) (most uint64) {
		c := Default()
		c.Views, c.Duration, c.Codec, c.Out = views, time.Duration(views)*20*time.Millisecond, "null", t.TempDir()
		calls := 0
		_, err := Run(t.Context(), c, func(int64) {
			if calls++; calls%4 == 0 {
				var m runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
			}
		})
		require.NoError(t, err)
		return most
	}
	assert.Less(t, peak(800_000), 3*peak(200_000)/2)
}
