package fileio

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/klauspost/compress/gzip"
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

func packed(t *testing.T, contents ...string) []byte {
	var out bytes.Buffer
	for _, content := range contents {
		w := gzip.NewWriter(&out)
		_, err := io.WriteString(w, content)
		require.NoError(t, err)
		require.NoError(t, w.Close())
	}
	return out.Bytes()
}

func TestDecompress(t *testing.T) {
	whole := packed(t, strings.Repeat("hello ", 1000), "world")
	damaged := bytes.Clone(whole)
	damaged[len(damaged)-6] ^= 1 // in the last member's checksum
	for _, c := range []struct {
		name, path, want, wantErr string
		content                   []byte
		is                        error
	}{
		{name: "plain", path: "x.json", content: []byte("abc"), want: "abc"},
		{name: "several members", path: "x.json.gz", content: whole, want: strings.Repeat("hello ", 1000) + "world"},
		{
			name: "cut off in a member", path: "x.gz", content: whole[:len(whole)-9], want: strings.Repeat("hello ", 1000) + "world",
			wantErr: "x.gz: gzip is cut off after 6005 bytes of content: unexpected EOF", is: io.ErrUnexpectedEOF,
		},
		{
			name: "cut off in the next header", path: "x.gz", content: whole[:len(whole)-26], want: strings.Repeat("hello ", 1000),
			wantErr: "x.gz: gzip is cut off after 6000 bytes of content: unexpected EOF", is: io.ErrUnexpectedEOF,
		},
		{name: "empty", path: "x.gz", wantErr: "x.gz: gzip is cut off after 0 bytes of content: unexpected EOF", is: io.ErrUnexpectedEOF},
		{name: "cut off in the header", path: "x.gz", content: whole[:5], wantErr: "x.gz: gzip is cut off after 0 bytes of content: unexpected EOF", is: io.ErrUnexpectedEOF},
		{name: "not gzip", path: "x.gz", content: []byte(`{"a": 1, "b": 2}`), wantErr: "x.gz: not gzip, though its name ends in .gz: gzip: invalid header", is: gzip.ErrHeader},
		{
			name: "damaged", path: "x.gz", content: damaged, want: strings.Repeat("hello ", 1000) + "world",
			wantErr: "x.gz: gzip is damaged after 6005 bytes of content: gzip: invalid checksum", is: gzip.ErrChecksum,
		},
		{name: "zeros after it", path: "x.gz", content: append(packed(t, "a"), make([]byte, 100_000)...), want: "a"},
		{name: "zeros between members", path: "x.gz", content: slices.Concat(packed(t, "a"), make([]byte, 5), packed(t, "b"), make([]byte, 1)), want: "ab"},
		{
			name: "garbage after zeros", path: "x.gz", content: append(packed(t, "a"), 0, 0, 7), want: "a",
			wantErr: "x.gz: gzip is cut off after 1 bytes of content: unexpected EOF", is: io.ErrUnexpectedEOF,
		},
		{name: "nothing but zeros", path: "x.gz", content: make([]byte, 20), wantErr: "x.gz: not gzip, though its name ends in .gz: gzip: invalid header", is: gzip.ErrHeader},
		{
			name: "garbage after it", path: "x.gz", content: append(packed(t, "a"), "0123456789"...), want: "a",
			wantErr: "x.gz: gzip is damaged after 1 bytes of content: gzip: invalid header", is: gzip.ErrHeader,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := io.ReadAll(Decompress(c.path, bytes.NewReader(c.content)))
			assert.Equal(t, c.want, string(got))
			if c.wantErr == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, c.wantErr)
			require.ErrorIs(t, err, c.is)
		})
	}
	fault := errors.New("fault")
	_, err := io.ReadAll(Decompress("x.gz", io.MultiReader(bytes.NewReader(whole[:40]), iotest.ErrReader(fault))))
	require.ErrorIs(t, err, fault)
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
