package batch

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/io/format"
	"tributary/pipelines/sim/generate"
	"tributary/transforms/account"
)

// TestSmallInputsAreReadOnce: what is small enough is joined from the scan alone, damage included, in any number of intervals: its files may go.
// What is not kept is read again, and so is text.
func TestSmallInputsAreReadOnce(t *testing.T) {
	c := generate.Default()
	c.Views, c.Duration, c.Order, c.CorruptBlocks = 20_000, 4*time.Hour, generate.OrderFile, 2
	for name, opt := range map[string]struct{ keep, found bool }{"kept": {true, true}, "not kept": {false, false}} {
		t.Run(name, func(t *testing.T) {
			dir, _ := made(t, c)
			s := loadSpec(t, dir)
			want := join(t, to(s, t.TempDir()), Options{Interval: time.Hour})
			s = to(s, t.TempDir())
			p, err := newPlan(t.Context(), s, planOptions{keep: opt.keep})
			require.NoError(t, err)
			files, err := filepath.Glob(dir + "/*/part-*.avro")
			require.NoError(t, err)
			require.NotEmpty(t, files)
			for _, file := range files {
				require.NoError(t, os.Remove(file))
			}
			all := p.intervals(time.Time{}, time.Time{}, time.Hour)
			r := &runner{plan: p, options: Options{Progress: func(Progress) {}}, intervals: len(all), total: account.New()}
			todo, err := r.unfinished(t.Context(), p.units(all, Options{Interval: time.Hour}))
			require.NoError(t, err)
			err = r.join(p.cache.in(context.WithValue(t.Context(), failuresKey{}, &failures{})), todo)
			if !opt.found {
				require.ErrorContains(t, err, "no such file")
				return
			}
			require.NoError(t, err)
			require.Equal(t, want.Accounts.Views, r.total.Views)
			require.Equal(t, want.Accounts.Bytes.In, r.total.Bytes.In)
			require.Positive(t, want.Accounts.Views.N[account.Dead])
		})
	}
}

// TestKeepAllOrNothing: once the inputs do not fit, nothing of them stays.
func TestKeepAllOrNothing(t *testing.T) {
	c := generate.Default()
	c.Views = 2000
	dir, _ := made(t, c)
	p, err := newPlan(t.Context(), loadSpec(t, dir), planOptions{keep: true})
	require.NoError(t, err)
	require.NotEmpty(t, p.cache.chunks)
	f := p.files[0]
	for k := range p.cache.chunks {
		require.NotEmpty(t, k.path)
	}
	require.False(t, p.cache.add(&f.file, format.Chunk{Place: f.chunks[0].Place}, make([]byte, cacheBytes), nil))
	require.Empty(t, p.cache.chunks)
	require.False(t, p.cache.add(&f.file, format.Chunk{Place: f.chunks[0].Place}, nil, nil), "for good")
	pieces := p.pieces(p.intervals(time.Time{}, time.Time{}, 0)[0])
	require.Nil(t, cachedOf(p.cache.in(t.Context()), &pieces[0]))
}
