package batch

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/pipelines/reading/readback"
	"tributary/transforms/account"
)

// compress writes each file beside itself in two frames, as pyarrow does it by the libraries zstd and lz4.
const compress = `
import os, sys
import pyarrow

for path in sys.argv[1:]:
    with open(path, "rb") as file:
        content = file.read()
    for ending, codec in ("zst", "zstd"), ("lz4", "lz4"):
        for part in content[: len(content) // 3], content[len(content) // 3 :]:
            with open(f"{path}.{ending}", "ab") as out:
                with pyarrow.CompressedOutputStream(out, codec) as packed:
                    packed.write(part)
`

// TestOthersCompress: what pyarrow has compressed gives the bytes of the plain files.
func TestOthersCompress(t *testing.T) {
	log := newShop(900)
	for _, ending := range []string{"jsonl", "csv"} {
		dir := t.TempDir()
		log.write(t, dir, ending)
		plain, err := filepath.Glob(dir + "/*/part-*." + ending)
		require.NoError(t, err)
		require.Len(t, plain, 4)
		readback.Python(t, compress, nil, plain...)
		for _, path := range plain {
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			for _, codec := range []string{".zst", ".lz4"} {
				packed, err := os.ReadFile(path + codec)
				require.NoError(t, err)
				require.Less(t, len(packed), len(text)*2/3, "it is compressed")
			}
		}
		for _, schema := range []bool{false, true} {
			views, likes := "", ""
			if schema {
				views, likes = ", schema: view.avsc", ", schema: like.avsc"
			}
			var want map[string]string
			for _, codec := range []string{"", ".zst", ".lz4"} {
				s := shopSpec(t, dir, ending+codec, views, likes)
				s = to(s, t.TempDir())
				r := join(t, s, Options{})
				require.EqualValues(t, 900, r.Accounts.Views.N[account.Samples])
				got := contents(t, s.Outputs.Samples.Path)
				if codec == "" {
					want = got
				}
				require.Equal(t, want, got, "%s%s", ending, codec)
			}
		}
	}
}
