package fileio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
)

// azStore is Azure Blob Storage; a bucket is a container of the one account that the environment names.
type azStore struct{}

// azEnv are the variables that say which account is meant, and by what right: those of Azure's command line.
var azEnv = []string{azConnection, azAccount, azKey, azSAS, azEndpoint}

const (
	azConnection = "AZURE_STORAGE_CONNECTION_STRING"
	azAccount    = "AZURE_STORAGE_ACCOUNT"
	azKey        = "AZURE_STORAGE_KEY"
	azSAS        = "AZURE_STORAGE_SAS_TOKEN"
	azEndpoint   = "AZURE_STORAGE_SERVICE_ENDPOINT"
)

// azClient is an account.
type azClient struct {
	*service.Client
	signs bool // by its key, and so may sign addresses
}

var azClients clients[azClient]

// client returns the client for what the variables say now.
func (azStore) client() (azClient, error) {
	var setting strings.Builder
	for _, name := range azEnv {
		setting.WriteString(azSetting(name) + "\x00")
	}
	c, err := azClients.get(setting.String(), azConnect)
	if err != nil {
		err = fmt.Errorf("settings for Azure Blob Storage: %w", err)
	}
	return c, err
}

// azSetting is the value of a variable, without the line break that files and consoles give it.
func azSetting(name string) string { return strings.TrimSpace(os.Getenv(name)) }

// azAddress tells whether requests can be sent to an address. The errors of those that cannot would have all of it in them, a signature, too.
func azAddress(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
}

// azNoAddress is of the variable that is why.
func azNoAddress(name string) error {
	return fmt.Errorf("%s: cannot stand in a URL, which begins with https:// or http://", name)
}

func azConnect() (azClient, error) {
	base := http.DefaultTransport.(*http.Transport).Clone()
	tune(base)
	base.DisableCompression = true // objects are read as they are stored
	o := &service.ClientOptions{ClientOptions: policy.ClientOptions{Transport: azTransport{transport{base}}}}
	if text := azSetting(azConnection); text != "" {
		c, err := service.NewClientFromConnectionString(text, o)
		if err != nil {
			return azClient{}, fmt.Errorf("%s: %w", azConnection, err)
		}
		if !azAddress(c.URL()) {
			return azClient{}, azNoAddress(azConnection)
		}
		return azClient{c, strings.Contains(text, "AccountKey=")}, nil
	}
	account, key, token := azSetting(azAccount), azSetting(azKey), strings.TrimPrefix(azSetting(azSAS), "?")
	from, endpoint := azEndpoint, strings.TrimSuffix(azSetting(azEndpoint), "/")+"/"
	if endpoint == "/" {
		from, endpoint = azAccount, "https://"+account+".blob.core.windows.net/"
	}
	switch {
	case account == "":
		return azClient{}, fmt.Errorf("there is no account: set %s, or %s with %s or %s", azConnection, azAccount, azKey, azSAS)
	case !azAddress(endpoint):
		return azClient{}, azNoAddress(from)
	case key != "":
		credential, err := service.NewSharedKeyCredential(account, key)
		if err != nil {
			return azClient{}, fmt.Errorf("%s: %w", azKey, err)
		}
		c, err := service.NewClientWithSharedKeyCredential(endpoint, credential, o)
		return azClient{c, true}, err
	case token != "" && !azAddress(endpoint+"?"+token):
		return azClient{}, azNoAddress(azSAS)
	case token != "":
		c, err := service.NewClientWithNoCredential(endpoint+"?"+token, o)
		return azClient{c, false}, err
	default:
		return azClient{}, fmt.Errorf("there are no credentials for account %s: set %s or %s", account, azKey, azSAS)
	}
}

// azTransport sends requests as they are. An http.Client would put their addresses, and what is signed in them, into its errors.
type azTransport struct{ http.RoundTripper }

// Do sends a body that is this attempt's alone: where the service answers before it has all of it, net/http may go on reading while the SDK
// (azcore 1.21, retryPolicy) is back at its beginning for the next attempt.
func (t azTransport) Do(r *http.Request) (*http.Response, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return t.RoundTrip(r)
	}
	body := bytes.NewBuffer(make([]byte, 0, max(0, r.ContentLength)+bytes.MinRead))
	if _, err := body.ReadFrom(r.Body); err != nil {
		return nil, err
	}
	own := r.WithContext(r.Context())
	own.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body.Bytes())), nil }
	own.Body, _ = own.GetBody()
	return t.RoundTrip(own)
}

// azObject is an object while something is done with it.
type azObject struct {
	*blockblob.Client
	path  string
	signs bool
	guard *guard
	ctx   context.Context
}

// object returns what an operation on a path needs; its guard is to be cancelled.
func (s azStore) object(ctx context.Context, path string, resumes bool) (*azObject, error) {
	bucket, name, err := objectOf(path)
	if err != nil {
		return nil, err
	}
	c, err := s.client()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	g, ctx := azGuard(ctx, resumes)
	return &azObject{Client: c.NewContainerClient(bucket).NewBlockBlobClient(name), path: path, signs: c.signs, guard: g, ctx: ctx}, nil
}

func (s azStore) stat(ctx context.Context, path string) (File, error) {
	o, err := s.object(ctx, path, false)
	if err != nil {
		return File{}, err
	}
	defer o.guard.cancel(nil)
	is, err := o.GetProperties(o.ctx, nil)
	if err == nil && azIsFolder(is.Metadata) {
		err = errAzFolder
	}
	if err != nil {
		return File{}, azError("stat", path, o.guard.explain(err))
	}
	return azFile(path, is.ContentLength, is.ETag), nil
}

func (s azStore) remove(ctx context.Context, path string) error { return s.drop(ctx, path, "") }

// drop removes an object that is of a version, if one is given.
func (s azStore) drop(ctx context.Context, path, version string) error {
	o, err := s.object(ctx, path, false)
	if err != nil {
		return err
	}
	defer o.guard.cancel(nil)
	var in *blob.DeleteOptions
	if version != "" {
		in = &blob.DeleteOptions{AccessConditions: azIfMatch(version)}
	}
	_, err = o.Delete(o.ctx, in)
	if version != "" && azNotMet(err) {
		return nil
	}
	return azError("remove", path, o.guard.explain(err))
}

// errAzFolder is fs.ErrNotExist to callers, as is a folder that has no object.
var errAzFolder = errors.New("it is a folder, not an object")

// azIsFolder tells whether what looks like an empty object stands for a folder: accounts with a hierarchical namespace have such, and
// Hadoop makes them on others.
func azIsFolder(metadata map[string]*string) bool {
	return strings.EqualFold(azNoted(metadata, "hdi_isfolder"), "true")
}

// azNoted is what an object's metadata have under a name; empty for nothing. Services write names in capitals or not.
func azNoted(metadata map[string]*string, name string) string {
	for noted, value := range metadata {
		if strings.EqualFold(noted, name) && value != nil {
			return *value
		}
	}
	return ""
}

// removeFolder removes what stands for a folder that has nothing in it.
func (s azStore) removeFolder(ctx context.Context, folder string) error {
	path := strings.TrimSuffix(folder, "/")
	if _, _, name := splitCloud(path); name == "" {
		return nil // the container
	}
	o, err := s.object(ctx, path, false)
	if err != nil {
		return err
	}
	defer o.guard.cancel(nil)
	is, err := o.GetProperties(o.ctx, nil)
	switch {
	case azStatus(err) == http.StatusNotFound:
		return nil
	case err != nil:
		return azError("remove", path, o.guard.explain(err))
	case !azIsFolder(is.Metadata):
		return nil
	}
	return s.drop(ctx, path, azVersion(is.ETag))
}

// list asks for 5000 names at a time.
func (s azStore) list(ctx context.Context, root, prefix string, flat bool, visit func(File) bool) error {
	c, err := s.client()
	if err != nil {
		return fmt.Errorf("%s: %w", root, err)
	}
	g, ctx := azGuard(ctx, false)
	defer g.cancel(nil)
	_, bucket, _ := splitCloud(root)
	pages := azPages(c.NewContainerClient(bucket), prefix, flat)
	for {
		objects, folders, more, err := pages(ctx)
		if err != nil {
			return azError("list", root+prefix, g.explain(err))
		}
		g.progressed()
		for _, object := range objects {
			file := azFile(root+*object.Name, object.Properties.ContentLength, object.Properties.ETag)
			if kind := object.Properties.ResourceType; kind != nil && *kind == "directory" || azIsFolder(object.Metadata) {
				if flat {
					continue
				}
				file = File{Path: strings.TrimSuffix(file.Path, "/") + "/"}
			}
			if !visit(file) {
				return nil
			}
		}
		for _, folder := range folders {
			if !visit(File{Path: root + *folder.Name}) {
				return nil
			}
		}
		if !more {
			return nil
		}
	}
}

// azPages returns what asks for the next page of a list, and says whether there are more.
func azPages(c *container.Client, prefix string, flat bool) func(context.Context) ([]*container.BlobItem, []*container.BlobPrefix, bool, error) {
	include := container.ListBlobsInclude{Metadata: true} // which says what stands for a folder
	if flat {
		pager := c.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Prefix: &prefix, Include: include})
		return func(ctx context.Context) ([]*container.BlobItem, []*container.BlobPrefix, bool, error) {
			page, err := pager.NextPage(ctx)
			if err != nil {
				return nil, nil, false, err
			}
			return page.Segment.BlobItems, nil, pager.More(), nil
		}
	}
	pager := c.NewListBlobsHierarchyPager("/", &container.ListBlobsHierarchyOptions{Prefix: &prefix, Include: include})
	return func(ctx context.Context) ([]*container.BlobItem, []*container.BlobPrefix, bool, error) {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return nil, nil, false, err
		}
		return page.Segment.BlobItems, page.Segment.BlobPrefixes, pager.More(), nil
	}
}

func azFile(path string, size *int64, etag *azcore.ETag) File {
	f := File{Path: path, ID: path, Version: azVersion(etag)}
	if size != nil {
		f.Size = *size
	}
	return f
}

// azVersion is an object's ETag without its quotes, which lists leave out.
func azVersion(etag *azcore.ETag) string {
	if etag == nil {
		return ""
	}
	return strings.Trim(string(*etag), `"`)
}

func azETag(version string) *azcore.ETag {
	etag := azcore.ETag(`"` + version + `"`)
	return &etag
}

func azIfMatch(version string) *blob.AccessConditions {
	return &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfMatch: azETag(version)}}
}

// azIfNew bounds what is written to there being nothing yet.
func azIfNew() *blob.AccessConditions {
	etag := azcore.ETagAny
	return &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfNoneMatch: &etag}}
}

func (s azStore) open(ctx context.Context, path string, offset int64) (io.ReadCloser, error) {
	o, err := s.object(ctx, path, true)
	if err != nil {
		return nil, err
	}
	var version string // that is read
	r := &resumingReader{
		path: path, guard: o.guard, ctx: o.ctx, at: offset, brokeOff: azHeals, status: azStatus, explain: azError,
		begin: func(at int64) (io.ReadCloser, error) {
			in := &blob.DownloadStreamOptions{Range: blob.HTTPRange{Offset: at}}
			if version != "" {
				in.AccessConditions = azIfMatch(version)
			}
			out, err := o.DownloadStream(o.ctx, in)
			if err != nil {
				return nil, err
			}
			if azIsFolder(out.Metadata) {
				_ = out.Body.Close()
				return nil, errAzFolder
			}
			version = azVersion(out.ETag)
			return out.Body, nil
		},
	}
	return r.open()
}

// azCopyBlock is how much of an object the service copies in one request; a variable for tests.
var azCopyBlock int64 = 256 << 20

// copy has the service put an object together of the other one's bytes, which is there at once when it is whole.
func (s azStore) copy(ctx context.Context, from, to string) error {
	file, err := s.stat(ctx, from)
	if err != nil {
		return err
	}
	source, err := s.object(ctx, from, false)
	if err != nil {
		return err
	}
	defer source.guard.cancel(nil)
	address, err := source.readable()
	if err != nil {
		return azError("move", from, err)
	}
	o, err := s.object(ctx, to, false)
	if err != nil {
		return err
	}
	defer o.guard.cancel(nil)
	u := newAzUpload(o)
	for at := int64(0); at < file.Size; at += azCopyBlock {
		_, err := o.StageBlockFromURL(o.ctx, u.next(), address, &blockblob.StageBlockFromURLOptions{
			Range:                          blob.HTTPRange{Offset: at, Count: min(azCopyBlock, file.Size-at)},
			SourceModifiedAccessConditions: &blob.SourceModifiedAccessConditions{SourceIfMatch: azETag(file.Version)},
		})
		if azNotMet(err) {
			err = cloudReplaced(err)
		}
		if err != nil {
			return azError("move", from, o.guard.explain(err))
		}
		o.guard.progressed()
	}
	_, err = u.commit(false)
	return err
}

// azCopyWithin bounds the right by which the service reads what it copies.
const azCopyWithin = time.Hour

// readable is the object's address for the service itself, with a right to read it.
func (o *azObject) readable() (string, error) {
	if !o.signs {
		return o.URL(), nil // it has the right of the client in it
	}
	return o.GetSASURL(sas.BlobPermissions{Read: true}, time.Now().Add(azCopyWithin), nil)
}

// azAccountOf names the account that the variables say, for messages.
func azAccountOf() string {
	c, err := azStore{}.client()
	if err != nil {
		return ""
	}
	address, err := url.Parse(c.URL())
	if err != nil {
		return ""
	}
	account, _, _ := strings.Cut(address.Hostname(), ".")
	return account
}
