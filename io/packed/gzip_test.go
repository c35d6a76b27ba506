package packed

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func gzipped(t *testing.T, contents ...string) []byte {
	var out bytes.Buffer
	for _, content := range contents {
		w := gzip.NewWriter(&out)
		_, err := io.WriteString(w, content)
		require.NoError(t, err)
		require.NoError(t, w.Close())
	}
	return out.Bytes()
}

func TestGzip(t *testing.T) {
	whole := gzipped(t, strings.Repeat("hello ", 1000), "world")
	damaged := bytes.Clone(whole)
	damaged[len(damaged)-6] ^= 1 // in the last member's checksum
	for _, c := range []struct {
		name, path, want, wantErr string
		content                   []byte
		is                        error
		other                     bool
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
		{name: "not gzip", path: "x.gz", content: []byte(`{"a": 1, "b": 2}`), wantErr: "x.gz: not gzip, though its name ends in .gz: gzip: invalid header", is: gzip.ErrHeader, other: true},
		{
			name: "damaged", path: "x.gz", content: damaged, want: strings.Repeat("hello ", 1000) + "world",
			wantErr: "x.gz: gzip is damaged after 6005 bytes of content: gzip: invalid checksum", is: gzip.ErrChecksum,
		},
		{name: "zeros after it", path: "x.gz", content: append(gzipped(t, "a"), make([]byte, 100_000)...), want: "a"},
		{name: "zeros between members", path: "x.gz", content: slices.Concat(gzipped(t, "a"), make([]byte, 5), gzipped(t, "b"), make([]byte, 1)), want: "ab"},
		{
			name: "garbage after zeros", path: "x.gz", content: append(gzipped(t, "a"), 0, 0, 7), want: "a",
			wantErr: "x.gz: gzip is cut off after 1 bytes of content: unexpected EOF", is: io.ErrUnexpectedEOF,
		},
		{name: "nothing but zeros", path: "x.gz", content: make([]byte, 20), wantErr: "x.gz: not gzip, though its name ends in .gz: gzip: invalid header", is: gzip.ErrHeader, other: true},
		{
			name: "garbage after it", path: "x.gz", content: append(gzipped(t, "a"), "0123456789"...), want: "a",
			wantErr: "x.gz: gzip is damaged after 1 bytes of content: gzip: invalid header", is: gzip.ErrHeader,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := io.ReadAll(NewReader(c.path, bytes.NewReader(c.content)))
			assert.Equal(t, c.want, string(got))
			if c.wantErr == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, c.wantErr)
			require.ErrorIs(t, err, c.is)
			var other *OtherError
			require.Equal(t, c.other, errors.As(err, &other))
		})
	}
	fault := errors.New("fault")
	_, err := io.ReadAll(NewReader("x.gz", io.MultiReader(bytes.NewReader(whole[:40]), iotest.ErrReader(fault))))
	require.ErrorIs(t, err, fault)
}

func TestEndingOfWhatHasNoName(t *testing.T) {
	files, err := filepath.Glob("testdata/*")
	require.NoError(t, err)
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		if want := Endings(); slices.Contains(want, filepath.Ext(file)) {
			require.Equal(t, strings.TrimSuffix(filepath.Ext(file), "d"), Ending(content), file)
		}
	}
	for _, c := range []struct{ name, start, want string }{
		{"gzip", string(gzipped(t, "a")), ".gz"},
		{"gzip, no more than its mark", "\x1f\x8b", ".gz"},
		{"half of its mark", "\x1f", ""},
		{"zstd", "\x28\xb5\x2f\xfd\x04", ".zst"},
		{"a frame without content", "\x5f\x2a\x4d\x18\x00\x10\x00\x00", ".zst"},
		{"two of them before lz4", "\x5f\x2a\x4d\x18\x01\x00\x00\x00x\x50\x2a\x4d\x18\x00\x00\x00\x00\x04\x22\x4d\x18", ".lz4"},
		{"the mark of one and no more", "\x5f\x2a\x4d\x18\x00\x10\x00", ""},
		{"lz4", "\x04\x22\x4d\x18", ".lz4"},
		{"lz4 of before", "\x02\x21\x4c\x18", ".lz4"},
		{"JSON", `{"id": 1}`, ""},
		{"a table", "id,ts", ""},
		{"nothing", "", ""},
	} {
		require.Equal(t, c.want, Ending([]byte(c.start)), c.name)
	}
}

func TestReaderOfNamesWhatItReads(t *testing.T) {
	whole := gzipped(t, "hello")
	_, err := io.ReadAll(NewReaderOf("stdin", "/tmp/copy.gz", bytes.NewReader(whole[:len(whole)-3])))
	require.EqualError(t, err, "stdin: gzip is cut off after 5 bytes of content: unexpected EOF")
}
