package batch

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/fileio"
	"tributary/io/fileio/fileiotest"
)

// objects returns what is stored below a folder of a bucket by relative name.
func objects(t *testing.T, folder string) map[string]string {
	t.Helper()
	files, err := fileio.List(t.Context(), folder+"/")
	require.NoError(t, err)
	found := map[string]string{}
	for _, f := range files {
		content, err := fileio.ReadFile(t.Context(), f.Path)
		require.NoError(t, err)
		found[strings.TrimPrefix(f.Path, folder+"/")] = string(content)
	}
	return found
}

func TestCloudIsLikeADisk(t *testing.T) {
	fileiotest.StartEmulator(t)
	likeADisk(t, "gs://bucket/made")
}

func TestS3IsLikeADisk(t *testing.T) {
	fileiotest.StartS3(t)
	likeADisk(t, "s3://bucket/made")
}

func TestAzureIsLikeADisk(t *testing.T) {
	fileiotest.StartAzure(t)
	likeADisk(t, "az://bucket/made")
}

// likeADisk joins from a bucket into a bucket, is stopped, goes on, and joins in other intervals; what is there
// then is what comes of the same on a disk.
func likeADisk(t *testing.T, bucket string) {
	dir, s := deterministic(t)
	for name, content := range contents(t, dir) {
		w, err := fileio.Create(t.Context(), bucket+"/"+name)
		require.NoError(t, err)
		_, err = w.Write([]byte(content))
		require.NoError(t, err)
		require.NoError(t, w.Commit())
	}
	text, err := os.ReadFile(dir + "/spec.yaml")
	require.NoError(t, err)
	inCloud := strings.NewReplacer("views/*", bucket+"/views/*", "engagements/*", bucket+"/engagements/*", "view.avsc", bucket+"/view.avsc", allOutputs[0], allOutputs[1]).Replace(string(text))
	remote := to(parse(t, t.TempDir(), inCloud), bucket+"/out")

	ctx, cancel := context.WithCancel(t.Context())
	_, err = Run(ctx, remote, Options{Interval: short, Progress: func(p Progress) {
		if p.Intervals >= 4 {
			cancel()
		}
	}})
	require.ErrorIs(t, err, context.Canceled)
	cancel()
	began := len(objects(t, bucket+"/out/ledger"))
	require.GreaterOrEqual(t, began, 4)

	r := join(t, remote, Options{Interval: short})
	require.Greater(t, r.Intervals, began)
	same := func(slices Options) {
		t.Helper()
		want := joined(t, s, slices)
		got := objects(t, bucket+"/out")
		for name, content := range got {
			got[name] = strings.ReplaceAll(content, bucket, dir)
		}
		requireSameFiles(t, want, got)
	}
	same(Options{Interval: short})
	require.Zero(t, join(t, remote, Options{Interval: short}).Events, "it is all finished")

	join(t, remote, Options{})
	same(Options{})

	w, err := fileio.Create(t.Context(), bucket+"/views/part-00000-00000.avro")
	require.NoError(t, err)
	_, err = w.Write([]byte("not Avro"))
	require.NoError(t, err)
	require.NoError(t, w.Commit())
	list := refused(t, remote)
	require.Equal(t, "T2008", list[0].Code)
	require.Contains(t, list[0].Message, bucket+"/views/part-00000-00000.avro")
}
