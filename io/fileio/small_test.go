package fileio

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestDated(t *testing.T) {
	for path, want := range map[string]string{
		"gs://b/views/dt=2026-01-02/hour=03/x.avro": "2026-01-02T03 2026-01-02T04",
		"views/dt=2026-01-02/x.avro":                "2026-01-02T00 2026-01-03T00",
		"views/date=2026-12-31/region=de/hour=23/x": "2026-12-31T23 2027-01-01T00",
		"day=2026-01-02/hour=7":                     "2026-01-02T07 2026-01-02T08",
		"DT=2026-01-02/HOUR=00":                     "2026-01-02T00 2026-01-02T01",
		"dt=2026-01-02/dt=2026-01-03/x":             "2026-01-02T00 2026-01-03T00",
		"dt=2026-01-02/hour=24/x":                   "2026-01-02T00 2026-01-03T00",
		"dt=2026-01-02/hour=-1/x":                   "2026-01-02T00 2026-01-03T00",
		"dt=2026-01-02/hour=007/x":                  "2026-01-02T00 2026-01-03T00",
		"hour=03/dt=2026-01-02/x":                   "2026-01-02T00 2026-01-03T00",
		"dt=2026-02-30/x":                           "",
		"dt=20260102/x":                             "",
		"hour=03/x":                                 "",
		"2026-01-02/x":                              "",
		"":                                          "",
	} {
		from, to, ok := Dated(path)
		got := ""
		if ok {
			got = from.Format("2006-01-02T15") + " " + to.Format("2006-01-02T15")
			assert.Equal(t, time.UTC, from.Location())
		}
		assert.Equal(t, want, got, path)
	}
}

// Below a folder, the local walk and the matching of whole paths must agree: one lists
// disks, the other buckets.
func TestWalkAgreesWithMatch(t *testing.T) {
	folder := t.TempDir()
	names := []string{"a/b/c", "a/b/_c", "a/_b/c", "a/c", "b", ".b", "b1/b/b", "c/a/b/c/a"}
	for _, name := range names {
		write(t, folder+"/"+name, "")
	}
	rapid.Check(t, func(rt *rapid.T) {
		part := rapid.SampledFrom([]string{"a", "b", "c", "*", "**", "?", "[ab]", "_*", ".b", "{a,b}", "{a/b,c}", "b*"})
		pattern := strings.Join(rapid.SliceOfN(part, 1, 4).Draw(rt, "parts"), "/")
		globs, err := parseGlob(folder + "/" + pattern)
		require.NoError(rt, err)
		want := map[string]bool{}
		for _, g := range globs {
			if _, parts := g.fixed(); len(parts) == 0 {
				return // it may be a folder
			}
			for _, name := range names {
				path := strings.Split(strings.TrimPrefix(folder, "/")+"/"+name, "/")
				if match(g.parts, path) || match(append(slices.Clone(g.parts), "**"), path) {
					want[folder+"/"+name] = true
				}
			}
		}
		files, err := List(t.Context(), folder+"/"+pattern)
		if len(want) == 0 {
			require.Error(rt, err)
			return
		}
		require.NoError(rt, err)
		for _, f := range files {
			require.True(rt, want[f.Path], "%s: %s", pattern, f.Path)
		}
		require.Len(rt, files, len(want), pattern)
	})
}
