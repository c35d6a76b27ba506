package packed_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	own "tributary/io/iotest"
	"tributary/io/packed"
)

func unpack(path string, content []byte) (string, error) {
	got, err := io.ReadAll(packed.NewReader(path, bytes.NewReader(content)))
	return string(got), err
}

// rows is the content of the files in testdata.
func rows() string {
	var text strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&text, `{"view_id":"v%d","text":"the same in every row, but for its number"}`+"\n", i)
	}
	return text.String()
}

func TestCut(t *testing.T) {
	for name, want := range map[string][2]string{
		"x.jsonl": {"x.jsonl", ""}, "a.gz/x.csv": {"a.gz/x.csv", ""}, "gs://b/x.csv.gz": {"gs://b/x.csv", "gzip"}, "x.zst": {"x", "zstd"},
		"x.csv.zstd": {"x.csv", "zstd"}, "x.lz4": {"x", "lz4"}, "zst": {"zst", ""}, "x.gz.zst": {"x.gz", "zstd"},
	} {
		plain, codec := packed.Cut(name)
		require.Equal(t, want, [2]string{plain, codec}, name)
		require.Equal(t, codec != "", packed.Is(name), name)
	}
	require.Equal(t, []string{".gz", ".zst", ".zstd", ".lz4"}, packed.Endings())
}

// TestFilesOfOthers reads what the commands zstd 1.5.4 and lz4 1.9.4 have written: with and without checksums and
// sizes, in blocks that need those before them (-BD), in several frames, and with frames to be skipped.
func TestFilesOfOthers(t *testing.T) {
	for _, name := range []string{
		"file.zst", "unchecked.zstd", "long.zst", "frames.zst", "skipped.zst",
		"file.lz4", "unchecked.lz4", "dependent.lz4", "sized.lz4", "frames.lz4", "skipped.lz4",
	} {
		content, err := os.ReadFile("testdata/" + name)
		require.NoError(t, err)
		got, err := unpack(name, content)
		require.NoError(t, err, name)
		require.Equal(t, rows(), got, name)
	}
}

// TestNotRead: what the commands write that is refused.
func TestNotRead(t *testing.T) {
	for name, want := range map[string]string{
		"window.zst":     "window.zst: zstd has a window of more than 128 MiB, or is damaged, after 0 bytes of content: window size exceeded", // --long=28
		"dictionary.zst": "dictionary.zst: zstd is damaged after 0 bytes of content: ",                                                        // -D
		"legacy.lz4":     "legacy.lz4: not lz4, though its name ends in .lz4: it is in lz4's legacy form, which has no end: compress it without -l",
	} {
		content, err := os.ReadFile("testdata/" + name)
		require.NoError(t, err)
		got, err := unpack(name, content)
		require.Empty(t, got, name)
		require.ErrorContains(t, err, want, name)
	}
}

// TestEveryCut: a file of two frames that is cut anywhere but between them is told to be cut off, and what came before the
// cut is read.
func TestEveryCut(t *testing.T) {
	for _, ending := range packed.Endings() {
		first, second := rows()[:3000], rows()[3000:3500]
		one := own.Pack(t, ending, []byte(first))
		whole := append(bytes.Clone(one), own.Pack(t, ending, []byte(second))...)
		for cut := range len(whole) {
			got, err := unpack("x"+ending, whole[:cut])
			require.True(t, strings.HasPrefix(first+second, got), "%s: cut at %d", ending, cut)
			if cut == len(one) {
				require.NoError(t, err)
				require.Equal(t, first, got)
				continue
			}
			require.ErrorIs(t, err, io.ErrUnexpectedEOF, "%s: cut at %d of %d", ending, cut, len(whole))
			require.ErrorContains(t, err, fmt.Sprintf("x%s: ", ending))
			require.ErrorContains(t, err, fmt.Sprintf(" is cut off after %d bytes of content: ", len(got)))
		}
	}
}

// TestEveryFlip: in a file with checksums no byte can be another, unless the content is the same.
func TestEveryFlip(t *testing.T) {
	for _, name := range []string{"file.zst", "frames.zst", "sized.lz4"} {
		whole, err := os.ReadFile("testdata/" + name)
		require.NoError(t, err)
		step := max(1, len(whole)/300)
		for at := 0; at < len(whole); at += step {
			flipped := bytes.Clone(whole)
			flipped[at] ^= 1 << (at % 8)
			got, err := unpack(name, flipped)
			if err == nil {
				require.Equal(t, rows(), got, "%s: byte %d", name, at)
				continue
			}
			require.ErrorContains(t, err, name+": ")
		}
	}
}

func TestDamaged(t *testing.T) {
	for _, c := range []struct {
		name, path, content, want, wantErr string
		other                              bool
	}{
		{name: "text", path: "x.zst", content: `{"a": 1}`, wantErr: `x.zst: not zstd, though its name ends in .zst: it begins with "{\"a\""`, other: true},
		{name: "text", path: "x.lz4", content: `{"a": 1}`, wantErr: `x.lz4: not lz4, though its name ends in .lz4: it begins with "{\"a\""`, other: true},
		{name: "a byte", path: "x.zstd", content: "{", wantErr: `x.zstd: not zstd, though its name ends in .zstd: it begins with "{"`, other: true},
		{name: "gzip", path: "x.lz4", content: string(own.Pack(t, "x.gz", []byte("a"))), wantErr: `it begins with "\x1f\x8b\b\x00"`, other: true},
		{name: "empty", path: "x.zst", wantErr: "x.zst: zstd is cut off after 0 bytes of content: unexpected EOF"},
		{name: "empty", path: "x.lz4", wantErr: "x.lz4: lz4 is cut off after 0 bytes of content: unexpected EOF"},
		{name: "no content", path: "x.zst", content: string(own.Pack(t, "x.zst", nil)) + "\x50\x2a\x4d\x18\x01\x00\x00\x00x"},
		{name: "no content", path: "x.lz4", content: string(own.Pack(t, "x.lz4", nil))},
		{name: "garbage behind", path: "x.zst", content: string(own.Pack(t, "x.zst", []byte("a"))) + "garbage", want: "a", wantErr: "x.zst: zstd is damaged after 1 bytes of content: "},
		{name: "garbage behind", path: "x.lz4", content: string(own.Pack(t, "x.lz4", []byte("a"))) + "garbage", want: "a", wantErr: "x.lz4: lz4 is damaged after 1 bytes of content: "},
	} {
		t.Run(c.path+" "+c.name, func(t *testing.T) {
			got, err := unpack(c.path, []byte(c.content))
			require.Equal(t, c.want, got)
			if c.wantErr == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.wantErr)
			var other *packed.OtherError
			require.Equal(t, c.other, errors.As(err, &other))
		})
	}
}

// TestFaultsOfReading are told from damage, wherever they come.
func TestFaultsOfReading(t *testing.T) {
	fault := errors.New("fault")
	for _, ending := range packed.Endings() {
		whole := own.Pack(t, ending, []byte(rows()))
		for _, at := range []int{0, 1, 3, 5, len(whole) / 2, len(whole)} {
			r := packed.NewReader("x"+ending, io.MultiReader(bytes.NewReader(whole[:at]), iotest.ErrReader(fault)))
			got, err := io.ReadAll(r)
			require.ErrorIs(t, err, fault, "%s at %d", ending, at)
			require.ErrorContains(t, err, fmt.Sprintf("x%s: after %d bytes of content: fault", ending, len(got)))
			_, again := r.Read(make([]byte, 1))
			require.Equal(t, err, again, "it stays")
		}
	}
}

// TestMemory: what a few bytes say does not make it hold more than the bounds of NewReader.
func TestMemory(t *testing.T) {
	frame := func(descriptor ...byte) string { return "\x28\xb5\x2f\xfd" + string(descriptor) }
	const block = "\x03\x00\x00x" // the last block: no bytes of x
	for name, c := range map[string]struct {
		path, content string
		most          uint64
	}{
		"a window of 1 TiB":               {"x.zst", frame(0, 30<<3) + block, 4 << 20},
		"a frame of 2^62 bytes":           {"x.zst", frame(0xe0, 0, 0, 0, 0, 0, 0, 0, 0x40) + block, 4 << 20},
		"a window of 128 MiB":             {"x.zst", frame(0, 17<<3) + block, 130 << 20},
		"a second frame with 128 MiB":     {"x.zst", string(own.Pack(t, "x.zst", []byte("a"))) + frame(0, 17<<3) + block, 140 << 20},
		"a frame to be skipped of 4 GiB":  {"x.zst", "\x50\x2a\x4d\x18\xff\xff\xff\xff", 4 << 20},
		"a block of 2 GiB":                {"x.lz4", string(own.Pack(t, "x.lz4", []byte("a"))[:7]) + "\xff\xff\xff\x7f", 20 << 20},
		"lz4, to be skipped of 4 GiB":     {"x.lz4", "\x50\x2a\x4d\x18\xff\xff\xff\xff", 4 << 20},
		"zeros, a thousandfold, of zstd":  {"x.zst", string(own.Pack(t, "x.zst", make([]byte, 64<<20))), 40 << 20},
		"zeros, a hundredfold, of lz4":    {"x.lz4", string(own.Pack(t, "x.lz4", make([]byte, 64<<20))), 40 << 20},
		"zeros, several times, of frames": {"x.zst", strings.Repeat(string(own.Pack(t, "x.zst", make([]byte, 1<<20))), 100), 40 << 20},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := io.Copy(io.Discard, packed.NewReader(c.path, strings.NewReader(c.content)))
		runtime.ReadMemStats(&after)
		t.Logf("%s: %d KiB, %v", name, (after.TotalAlloc-before.TotalAlloc)>>10, err)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, c.most, name)
	}
}

// TestNothingStays: a reader that is not read to its end leaves no goroutines.
func TestNothingStays(t *testing.T) {
	before := runtime.NumGoroutine()
	for _, ending := range packed.Endings() {
		content := own.Pack(t, ending, bytes.Repeat([]byte(rows()), 20))
		for range 10 {
			_, err := packed.NewReader("x"+ending, bytes.NewReader(content)).Read(make([]byte, 10))
			require.NoError(t, err)
		}
	}
	require.LessOrEqual(t, runtime.NumGoroutine(), before)
}

// FuzzUnpack: no bytes make it panic, and an error names the file; what is compressed is unpacked as it was.
func FuzzUnpack(f *testing.F) {
	for _, name := range []string{"frames.zst", "skipped.zst", "window.zst", "frames.lz4", "dependent.lz4", "legacy.lz4"} {
		content, err := os.ReadFile("testdata/" + name)
		require.NoError(f, err)
		f.Add(content)
	}
	for _, ending := range packed.Endings() {
		f.Add(own.Pack(f, ending, []byte("abcabcabcabcabcabc")))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		for _, ending := range packed.Endings() {
			_, err := io.Copy(io.Discard, io.LimitReader(packed.NewReader("x"+ending, bytes.NewReader(content)), 8<<20))
			if err != nil {
				require.ErrorContains(t, err, "x"+ending+": ")
			}
			got, err := unpack("x"+ending, own.Pack(t, ending, content))
			require.NoError(t, err)
			require.Equal(t, string(content), got)
		}
	})
}

// BenchmarkUnpack measures plain bytes a second.
func BenchmarkUnpack(b *testing.B) {
	text := []byte(strings.Repeat(rows(), 100))
	for _, ending := range []string{".gz", ".zst", ".lz4"} {
		content := own.Pack(b, ending, text)
		b.Run(ending, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := io.Copy(io.Discard, packed.NewReader(ending, bytes.NewReader(content))); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
