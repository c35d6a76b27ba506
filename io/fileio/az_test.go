package fileio

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/io/fileio/fileiotest"
)

// TestAzureFaults holds a server, which takes some seconds to start, for tests of what goes wrong.
func TestAzureFaults(t *testing.T) {
	connection := fileiotest.StartAzure(t)
	for name, test := range map[string]func(t *testing.T, connection string){
		"healing": testAzureHealing, "never healing": testAzureNeverHealing, "late": testAzureLate, "stall": testAzureStall, "replaced": testAzureReplaced,
		"upload": testAzureUpload, "writers at once": testAzureWritersAtOnce, "checksums": testAzureChecksums, "move in blocks": testAzureMoveInBlocks,
		"lists": testAzureLists, "folders": testAzureFolders, "stored": testAzureStored, "rights": testAzureRights,
	} {
		t.Run(name, func(t *testing.T) {
			fileiotest.SetAzure(t, connection)
			require.NoError(t, RemoveAll(t.Context(), "az://bucket/"))
			test(t, connection)
		})
	}
}

// newAzureFront starts a front of the server, and makes it what az:// means. Kinds of requests are their methods, with what is asked:
// PUT blockid.
func newAzureFront(t *testing.T, connection string) *front {
	before, endpoint, _ := strings.Cut(strings.TrimSuffix(connection, ";"), "BlobEndpoint=")
	server, err := url.Parse(endpoint)
	require.NoError(t, err)
	f, address := newFront(t, "http://"+server.Host, "blockid", "comp")
	fileiotest.SetAzure(t, before+"BlobEndpoint="+address+server.Path)
	return f
}

// The kinds of requests by which objects come in blocks, and are listed.
const (
	putBlock  = "PUT blockid comp"
	putBlocks = "PUT comp"
	getList   = "GET comp"
)

// useSignature makes az:// reach the container by a signature instead of the account's key, and returns the secret part of it.
func useSignature(t *testing.T, may sas.ContainerPermissions, until time.Duration) string {
	t.Helper()
	c, err := azStore{}.client()
	require.NoError(t, err)
	signed, err := c.NewContainerClient("bucket").GetSASURL(may, time.Now().Add(until), nil)
	require.NoError(t, err)
	endpoint, token, _ := strings.Cut(signed, "bucket?")
	fileiotest.SetAzure(t, "")
	t.Setenv(azAccount, "tributary")
	t.Setenv(azEndpoint, endpoint)
	t.Setenv(azSAS, "?"+token)
	parameters, err := url.ParseQuery(token)
	require.NoError(t, err)
	require.NotEmpty(t, parameters.Get("sig"))
	return parameters.Get("sig")
}

var azMayAll = sas.ContainerPermissions{Read: true, Write: true, Delete: true, List: true, Create: true}

// serverBusy answers as the service does to too many requests.
func serverBusy(w http.ResponseWriter) {
	w.Header().Set("X-Ms-Error-Code", "ServerBusy")
	w.Header().Set("Retry-After", "3600")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = w.Write([]byte("<?xml version=\"1.0\"?><Error><Code>ServerBusy</Code><Message>The server is busy.\nRequestId:1</Message></Error>"))
}

func testAzureHealing(t *testing.T, connection string) {
	f := newAzureFront(t, connection)
	big := bytes.Repeat([]byte("0123456789"), 2*chunkSize/10+1)
	for name, fault := range map[string]faultFunc{
		"server busy": func(_ string, n int, w http.ResponseWriter, _ *http.Request) bool {
			if n <= 3 {
				serverBusy(w)
			}
			return n <= 3
		},
		"server errors":     failing(4, 500, 502, 503, 429),
		"connection resets": failing(2, 0),
		"answers that break off": func(_ string, n int, w http.ResponseWriter, r *http.Request) bool {
			return n <= 2 && f.cutAnswer(w, r, 100, func() {})
		},
		"answers that are lost": func(_ string, n int, w http.ResponseWriter, r *http.Request) bool {
			if n == 1 && r.Method != http.MethodGet {
				f.Handler.ServeHTTP(discard{}, r)
				reset(w)
				return true
			}
			return false
		},
	} {
		t.Run(name, func(t *testing.T) {
			f.inject(fault)
			everyOperation(t, quick(t, time.Minute), "az://bucket/a", big)
			require.Greater(t, f.count(putBlock), 2)
			require.Greater(t, f.count(putBlocks), 0)
		})
	}
}

func testAzureNeverHealing(t *testing.T, connection string) {
	f := newAzureFront(t, connection)
	secret := useSignature(t, azMayAll, time.Hour)
	for want, fault := range map[string]faultFunc{
		"503 ServerBusy": func(_ string, _ int, w http.ResponseWriter, _ *http.Request) bool {
			serverBusy(w)
			return true
		},
		"connection reset|EOF|closed network connection": failing(1e9, 0),
	} {
		f.inject(fault)
		ctx := quick(t, 60*time.Millisecond)
		for doing, do := range operations(t, ctx, "az://bucket") {
			err := do()
			require.ErrorContains(t, err, "az://bucket/", doing)
			require.ErrorContains(t, err, "gave up after", doing)
			require.Regexp(t, want, err.Error(), doing)
			require.NotErrorIs(t, err, fs.ErrNotExist, doing)
			require.NotContains(t, err.Error(), secret, doing)
			require.NotContains(t, err.Error(), url.QueryEscape(secret), doing)
		}
	}
}

// testAzureLate: an answer that does not begin in time is not waited for, and the request made again.
func testAzureLate(t *testing.T, connection string) {
	within := answerWithin
	t.Cleanup(func() { answerWithin = within })
	answerWithin = 500 * time.Millisecond // which the server needs for none of these
	f := newAzureFront(t, connection)     // of another address, and so with a client of its own
	f.inject(func(_ string, n int, _ http.ResponseWriter, r *http.Request) bool {
		if n > 1 {
			return false
		}
		f.Handler.ServeHTTP(discard{}, r)
		<-r.Context().Done()
		return true
	})
	everyOperation(t, quick(t, time.Minute), "az://bucket/a", []byte("small, too"))
	for _, kind := range []string{"PUT", "GET", "HEAD", "DELETE", getList} {
		require.Greater(t, f.count(kind), 1, kind)
	}

	f.inject(func(_ string, _ int, _ http.ResponseWriter, r *http.Request) bool {
		<-r.Context().Done()
		return true
	})
	_, err := Stat(quick(t, time.Millisecond), "az://bucket/x")
	require.ErrorContains(t, err, "stat az://bucket/x: gave up after 2 attempts in 1ms without progress: ")
	require.ErrorContains(t, err, "timeout awaiting response headers")
	ctx, cancel := context.WithTimeout(quick(t, time.Minute), 10*time.Millisecond)
	defer cancel()
	_, err = Stat(ctx, "az://bucket/x")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotContains(t, err.Error(), "gave up", "the caller's time is its own")
}

// testAzureStall: an answer that brings nothing for long is taken for dead.
func testAzureStall(t *testing.T, connection string) {
	f := newAzureFront(t, connection)
	content := bytes.Repeat([]byte("0123456789"), 1000)
	require.NoError(t, WriteFile(t.Context(), "az://bucket/x", content))
	f.inject(func(kind string, n int, w http.ResponseWriter, r *http.Request) bool {
		if kind != "GET" || n > 2 {
			return false
		}
		answer := httptest.NewRecorder()
		f.Handler.ServeHTTP(answer, r)
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes()[:3000])
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		return true
	})
	got, err := ReadFile(quick(t, time.Minute), "az://bucket/x")
	require.NoError(t, err)
	require.True(t, bytes.Equal(content, got))
	require.Equal(t, 3, f.count("GET"))
}

// testAzureReplaced: two versions are never mixed.
func testAzureReplaced(t *testing.T, connection string) {
	f := newAzureFront(t, connection)
	ctx := quick(t, time.Minute)
	require.NoError(t, WriteFile(ctx, "az://bucket/x", bytes.Repeat([]byte("a"), 10_000)))
	f.inject(func(kind string, n int, w http.ResponseWriter, r *http.Request) bool {
		if kind != "GET" || n > 1 {
			return false
		}
		return f.cutAnswer(w, r, 5000, func() {
			assert.NoError(t, WriteFile(ctx, "az://bucket/x", bytes.Repeat([]byte("b"), 10_000)))
		})
	})
	got, err := ReadFile(ctx, "az://bucket/x")
	require.ErrorContains(t, err, "read at byte 5000 of az://bucket/x: it was replaced or removed while it was read")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.Equal(t, bytes.Repeat([]byte("a"), 5000), got)
}

// testAzureUpload: what comes in blocks is there when it is whole, and replaces nothing that it may not.
func testAzureUpload(t *testing.T, connection string) {
	f := newAzureFront(t, connection)
	ctx := quick(t, time.Second)
	big := make([]byte, 2*chunkSize+7)

	f.inject(func(kind string, n int, w http.ResponseWriter, r *http.Request) bool {
		if kind != putBlocks || n > 1 {
			return false
		}
		f.Handler.ServeHTTP(discard{}, r) // it is done, and the answer is lost
		serverBusy(w)
		return true
	})
	require.NoError(t, WriteNew(ctx, "az://bucket/x", big))
	require.Equal(t, 2, f.count(putBlocks))
	require.Zero(t, f.count("GET"), "it is known by its mark, and not read again")
	is, err := Stat(ctx, "az://bucket/x")
	require.NoError(t, err)
	require.Equal(t, int64(len(big)), is.Size)

	f.inject(nil)
	require.NoError(t, WriteNew(ctx, "az://bucket/x", big), "the same is there")
	big[0]++
	require.ErrorIs(t, WriteNew(ctx, "az://bucket/x", big), fs.ErrExist)
	require.ErrorIs(t, WriteNew(ctx, "az://bucket/x", big[:9]), fs.ErrExist)

	f.inject(func(kind string, n int, w http.ResponseWriter, _ *http.Request) bool {
		if kind == putBlock && n%2 == 0 {
			w.WriteHeader(http.StatusForbidden)
			return true
		}
		return false
	})
	err = WriteFile(ctx, "az://bucket/x", big)
	require.ErrorIs(t, err, fs.ErrPermission)
	require.ErrorContains(t, err, "write az://bucket/x: the credentials in use have no access to container bucket: 403")
	require.Error(t, WriteFile(ctx, "az://bucket/new", big))
	f.inject(nil)
	all, err := List(ctx, "az://bucket/**")
	require.NoError(t, err)
	require.Equal(t, []File{is}, all, "blocks of an object that did not come to be are not seen")
}

// testAzureWritersAtOnce: the blocks of two writers are not mixed. Who commits first has written, and the other is told.
func testAzureWritersAtOnce(t *testing.T, _ string) {
	ctx := quick(t, time.Second)
	for _, onlyNew := range []bool{false, true} {
		path := fmt.Sprint("az://bucket/", onlyNew)
		var writers [2]*Writer
		var contents [2][]byte
		for i := range writers {
			var err error
			writers[i], err = create(ctx, path, onlyNew)
			require.NoError(t, err)
			contents[i] = bytes.Repeat([]byte{byte(i)}, 2*chunkSize)
			_, err = writers[i].Write(contents[i])
			require.NoError(t, err)
		}
		require.NoError(t, writers[0].Commit())
		err := writers[1].Commit()
		require.ErrorContains(t, err, "write "+path+": ")
		if onlyNew {
			require.ErrorIs(t, err, fs.ErrExist)
		} else {
			require.ErrorContains(t, err, "another writer has written it meanwhile: 400 InvalidBlockList")
		}
		got, err := ReadFile(ctx, path)
		require.NoError(t, err)
		require.True(t, bytes.Equal(contents[0], got))
	}
}

// testAzureChecksums: bytes that change on their way are refused.
func testAzureChecksums(t *testing.T, connection string) {
	f := newAzureFront(t, connection)
	for name, size := range map[string]int{"small": 100, "in blocks": 2 * chunkSize} {
		f.inject(func(_ string, _ int, _ http.ResponseWriter, r *http.Request) bool {
			if r.ContentLength >= 100 && r.ContentLength%100 == 0 || r.ContentLength == chunkSize {
				r.Body = struct {
					io.Reader
					io.Closer
				}{io.MultiReader(strings.NewReader("!"), io.LimitReader(r.Body, r.ContentLength-1)), r.Body}
			}
			return false
		})
		err := WriteFile(quick(t, time.Second), "az://bucket/x", make([]byte, size))
		require.ErrorContains(t, err, "write az://bucket/x: 400 Crc64Mismatch", name)
		_, err = Stat(t.Context(), "az://bucket/x")
		require.ErrorIs(t, err, fs.ErrNotExist)
	}
}

// testAzureMoveInBlocks moves what is too large for one request, by the key and by a signature.
func testAzureMoveInBlocks(t *testing.T, _ string) {
	block := azCopyBlock
	t.Cleanup(func() { azCopyBlock = block })
	azCopyBlock = 5 << 20
	ctx := quick(t, time.Second)
	content := bytes.Repeat([]byte("0123456789abcde"), 1<<20)
	for _, by := range []string{"key", "signature"} {
		if by == "signature" {
			useSignature(t, azMayAll, time.Hour)
		}
		require.NoError(t, WriteFile(ctx, "az://bucket/a b", content))
		require.NoError(t, Move(ctx, "az://bucket/a b", "az://bucket/c"), by)
		got, err := ReadFile(ctx, "az://bucket/c")
		require.NoError(t, err)
		require.True(t, bytes.Equal(content, got))
	}
}

// testAzureLists: a list of many pages, of which some have to be asked for again, and without the folders that some accounts list.
func testAzureLists(t *testing.T, connection string) {
	f := newAzureFront(t, connection)
	useSignature(t, azMayAll, time.Hour) // the front could not change what a key has signed
	ctx := quick(t, time.Minute)
	var want []string
	for i := range 10 {
		want = append(want, fmt.Sprintf("az://bucket/f/%d/x", i))
		require.NoError(t, WriteFile(ctx, want[i], make([]byte, i)))
	}
	f.inject(func(kind string, n int, w http.ResponseWriter, r *http.Request) bool {
		if kind != getList {
			return false
		}
		query := r.URL.Query()
		query.Set("maxresults", "3")
		r.URL.RawQuery = query.Encode()
		switch n % 4 {
		case 1:
			return f.cutAnswer(w, r, 200, func() {})
		case 2:
			serverBusy(w)
			return true
		}
		answer := httptest.NewRecorder()
		f.Handler.ServeHTTP(answer, r)
		const folder = `<Blob><Name>f/folder</Name><Properties><Etag>0x1</Etag><Content-Length>0</Content-Length><ResourceType>directory</ResourceType></Properties></Blob>`
		_, _ = w.Write(bytes.Replace(answer.Body.Bytes(), []byte("<Blobs>"), []byte("<Blobs>"+folder), 1))
		return true
	})
	files, err := List(ctx, "az://bucket/f/**")
	require.NoError(t, err)
	var got []string
	for i, file := range files {
		got = append(got, file.Path)
		require.EqualValues(t, i, file.Size)
	}
	require.Equal(t, want, got)
	require.Greater(t, f.count(getList), 7)
}

// testAzureFolders: an object that stands for a folder is no file, and goes with the folder.
func testAzureFolders(t *testing.T, connection string) {
	f := newAzureFront(t, connection)
	ctx := quick(t, time.Minute)
	c, err := azStore{}.client()
	require.NoError(t, err)
	container, yes := c.NewContainerClient("bucket"), "True"
	for _, name := range []string{"a", "a/sub", "a/sub/none"} {
		_, err := container.NewBlockBlobClient(name).Upload(ctx, streaming.NopCloser(bytes.NewReader(nil)),
			&blockblob.UploadOptions{Metadata: map[string]*string{"Hdi_IsFolder": &yes}})
		require.NoError(t, err)
	}
	for _, path := range []string{"az://bucket/a/sub/x", "az://bucket/ab"} {
		require.NoError(t, WriteFile(ctx, path, []byte("x")))
	}
	is, err := Stat(ctx, "az://bucket/a/sub/x")
	require.NoError(t, err)
	for _, pattern := range []string{"a", "a/", "a/**", "a/*", "a/sub", "a/sub/*"} {
		files, err := List(ctx, "az://bucket/"+pattern)
		require.NoError(t, err, pattern)
		require.Equal(t, []File{is}, files, pattern)
	}
	names, err := cloud{azStore{}}.names(ctx, "az://bucket/a/")
	require.NoError(t, err)
	require.Equal(t, []string{"sub/"}, names)
	_, err = List(ctx, "az://bucket/a/sub/none")
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = Stat(ctx, "az://bucket/a/sub")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.EqualError(t, err, "stat az://bucket/a/sub: it is a folder, not an object")
	_, err = Open(ctx, "az://bucket/a/sub")
	require.EqualError(t, err, "open az://bucket/a/sub: it is a folder, not an object")
	require.ErrorIs(t, err, fs.ErrNotExist)

	// Accounts with folders list an empty one as others do what begins with a name, and remove none that is not empty.
	removals := make(chan string, 10)
	empty := regexp.MustCompile(`(?s)<Blob><Name>(a/sub/none)</Name>.*?</Blob>`)
	f.inject(func(kind string, _ int, w http.ResponseWriter, r *http.Request) bool {
		if kind == "DELETE" {
			_, name, _ := strings.Cut(r.URL.Path, "/bucket/")
			removals <- name
		}
		if kind != getList {
			return false
		}
		answer := httptest.NewRecorder()
		f.Handler.ServeHTTP(answer, r)
		_, _ = w.Write(empty.ReplaceAll(answer.Body.Bytes(), []byte("<BlobPrefix><Name>$1/</Name></BlobPrefix>")))
		return true
	})
	require.NoError(t, RemoveAll(ctx, "az://bucket/a"))
	f.inject(nil)
	close(removals)
	var removed []string
	for name := range removals {
		removed = append(removed, name)
	}
	require.Equal(t, []string{"a/sub/none", "a/sub/x", "a/sub", "a"}, removed)
	page, err := container.NewListBlobsFlatPager(nil).NextPage(ctx)
	require.NoError(t, err)
	require.Len(t, page.Segment.BlobItems, 1)
	require.Equal(t, "ab", *page.Segment.BlobItems[0].Name)
}

// testAzureStored: objects are read as they are stored, from any byte on, whatever they are said to be encoded as.
func testAzureStored(t *testing.T, _ string) {
	c, err := azStore{}.client()
	require.NoError(t, err)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err = w.Write(make([]byte, 1000))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	encoding := "gzip"
	_, err = c.NewContainerClient("bucket").NewBlockBlobClient("x").Upload(t.Context(), streaming.NopCloser(bytes.NewReader(packed.Bytes())),
		&blockblob.UploadOptions{HTTPHeaders: &blob.HTTPHeaders{BlobContentEncoding: &encoding}})
	require.NoError(t, err)
	for _, offset := range []int{0, 5} {
		r, err := OpenAt(t.Context(), "az://bucket/x", int64(offset))
		require.NoError(t, err)
		got, err := io.ReadAll(r)
		require.NoError(t, err)
		require.NoError(t, r.Close())
		require.Equal(t, packed.Bytes()[offset:], got)
	}
}

// testAzureRights: what is in the way is said, once, and without a secret.
func testAzureRights(t *testing.T, connection string) {
	ctx := t.Context() // with the waits as they are by default
	require.NoError(t, WriteFile(ctx, "az://bucket/x", nil))
	_, err := List(ctx, "az://no-bucket/*")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "list az://no-bucket/: there is no container no-bucket: 404 ContainerNotFound: The specified container does not exist.")
	_, err = Open(ctx, "az://bucket/y")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.EqualError(t, err, "open az://bucket/y: 404 BlobNotFound: The specified blob does not exist.")

	refused := func(err error, secret string) {
		t.Helper()
		require.ErrorIs(t, err, fs.ErrPermission)
		require.Regexp(t, `^[a-z]+ az://bucket/\S*: the credentials in use have no access to container bucket: 403 Auth[A-Za-z]+`, err.Error())
		require.NotContains(t, err.Error(), secret)
		require.NotContains(t, err.Error(), "\n")
	}
	secret := useSignature(t, sas.ContainerPermissions{Read: true}, time.Hour)
	_, err = ReadFile(ctx, "az://bucket/x")
	require.NoError(t, err)
	refused(WriteFile(ctx, "az://bucket/x", nil), secret)
	refused(Remove(ctx, "az://bucket/x"), secret)
	refused(Writable(ctx, "az://bucket/folder"), secret)
	_, err = List(ctx, "az://bucket/*")
	refused(err, secret)
	fileiotest.SetAzure(t, connection)
	secret = useSignature(t, azMayAll, -time.Hour)
	_, err = Stat(ctx, "az://bucket/x")
	refused(err, secret)
	const wrong = "d3Jvbmc="
	fileiotest.SetAzure(t, strings.Replace(connection, "AccountKey=dHJpYnV0YXJ5", "AccountKey="+wrong, 1))
	_, err = Open(ctx, "az://bucket/x")
	refused(err, wrong)
}

// TestAzureSettings: what is missing is told.
func TestAzureSettings(t *testing.T) {
	for _, c := range []struct {
		set  map[string]string
		want string
	}{
		{nil, "there is no account: set AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT with AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN"},
		{map[string]string{azAccount: "shop"}, "there are no credentials for account shop: set AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN"},
		{map[string]string{azAccount: "shop", azKey: "se:cret"}, "AZURE_STORAGE_KEY: decode account key: illegal base64 data at input byte 2"},
		{map[string]string{azConnection: "se:cret"}, "AZURE_STORAGE_CONNECTION_STRING: connection string"},
		{map[string]string{azConnection: "AccountKey=se:cret"}, "AZURE_STORAGE_CONNECTION_STRING: connection string needs either AccountName or BlobEndpoint"},
		{map[string]string{azAccount: "shop", azSAS: "sv=1\n&sig=se:cret"}, "AZURE_STORAGE_SAS_TOKEN: cannot stand in a URL"},
		{map[string]string{azAccount: "shop", azSAS: "sv=1&sig=se:cret\x7f"}, "AZURE_STORAGE_SAS_TOKEN: cannot stand in a URL"},
		{map[string]string{azAccount: "a shop", azSAS: "sig=se:cret"}, "AZURE_STORAGE_ACCOUNT: cannot stand in a URL"},
		{map[string]string{azAccount: "shop", azKey: "a2V5", azEndpoint: "127.0.0.1:1/se:cret"}, "AZURE_STORAGE_SERVICE_ENDPOINT: cannot stand in a URL"},
		{map[string]string{azAccount: "shop", azKey: "a2V5", azEndpoint: "shop.blob.core.windows.net"}, "AZURE_STORAGE_SERVICE_ENDPOINT: cannot stand in a URL"},
		{map[string]string{azAccount: "shop", azKey: "a2V5", azEndpoint: "localhost:1"}, "AZURE_STORAGE_SERVICE_ENDPOINT: cannot stand in a URL"},
		{map[string]string{azAccount: "shop", azKey: "a2V5", azEndpoint: "ftp://shop"}, "AZURE_STORAGE_SERVICE_ENDPOINT: cannot stand in a URL"},
		{map[string]string{azAccount: "shop", azKey: "a2V5", azEndpoint: "https://"}, "AZURE_STORAGE_SERVICE_ENDPOINT: cannot stand in a URL"},
		{map[string]string{azConnection: "SharedAccessSignature=sig=se:cret\n;AccountName=shop"}, "AZURE_STORAGE_CONNECTION_STRING: cannot stand in a URL"},
		{map[string]string{azConnection: "BlobEndpoint=shop;SharedAccessSignature=sig=se:cret"}, "AZURE_STORAGE_CONNECTION_STRING: cannot stand in a URL"},
	} {
		fileiotest.SetAzure(t, "")
		for name, value := range c.set {
			t.Setenv(name, value)
		}
		_, err := Open(t.Context(), "az://bucket/x")
		require.ErrorContains(t, err, "az://bucket/x: settings for Azure Blob Storage: "+c.want)
		require.NotContains(t, err.Error(), "se:cret")
	}

	// Files and consoles give values a line break at their ends.
	for _, set := range []map[string]string{
		{azAccount: "shop", azSAS: "?sig=secret"},
		{azAccount: "shop", azSAS: "sig=secret", azEndpoint: "https://shop.blob.core.windows.net/"},
		{azConnection: "AccountName=shop;SharedAccessSignature=sig=secret"},
	} {
		fileiotest.SetAzure(t, "")
		for name, value := range set {
			t.Setenv(name, " "+value+"\r\n")
		}
		c, err := azStore{}.client()
		require.NoError(t, err)
		require.Equal(t, "https://shop.blob.core.windows.net/?sig=secret", c.URL())
	}
	for _, set := range []map[string]string{
		{azAccount: "shop", azKey: "a2V5"}, {azConnection: "AccountName=shop;AccountKey=a2V5"}, {azConnection: "AccountKey=a2V5;AccountName=shop"},
	} {
		fileiotest.SetAzure(t, "")
		for name, value := range set {
			t.Setenv(name, " "+value+"\n")
		}
		c, err := azStore{}.client()
		require.NoError(t, err)
		require.True(t, c.signs)
		require.Equal(t, "https://shop.blob.core.windows.net/", c.URL())
	}
}

// TestAzureNoAddress: a path that gives no URL is told without the signature that the URL would have.
func TestAzureNoAddress(t *testing.T) {
	fileiotest.SetAzure(t, "AccountName=shop;SharedAccessSignature=sig=secret")
	for doing, do := range operations(t, t.Context(), "az://100%") {
		err := do()
		require.ErrorContains(t, err, " az://100%/", doing)
		require.ErrorContains(t, err, "invalid URL escape", doing)
		require.NotContains(t, err.Error(), "secret", doing)
	}
	require.NotContains(t, WriteNew(t.Context(), "az://100%/x", nil).Error(), "secret")
}

// TestAzureNoAccount: an account is a name in the DNS, and one that is not there is not waited for.
func TestAzureNoAccount(t *testing.T) {
	fileiotest.SetAzure(t, "AccountName=nobody;AccountKey=d3Jvbmc=")
	err := error(&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "nobody.blob.core.windows.net", IsNotFound: true}})
	require.False(t, azTryAgain(nil, err))
	require.True(t, azTryAgain(nil, &net.DNSError{IsTemporary: true}))
	_, late := (&net.Dialer{Timeout: 1}).Dial("tcp", "127.0.0.1:1")
	require.ErrorContains(t, late, "i/o timeout")
	require.True(t, azTryAgain(nil, late))
	err = azError("open", "az://bucket/x", err)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.EqualError(t, err, "open az://bucket/x: there is no storage account nobody for container bucket: dial: lookup nobody.blob.core.windows.net: no such host")
}
