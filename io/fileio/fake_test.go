package fileio

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// fakeCloud serves as much of Cloud Storage as this package uses, from memory, with
// faults where a test wants them. It has one bucket, named bucket.
type fakeCloud struct {
	*httptest.Server
	// fault is called for each request, with how many there have been of its kind (get,
	// list, stat, delete, copy, insert, begin, chunk), from 1. If it answers, it returns true.
	fault func(kind string, n int, w http.ResponseWriter, r *http.Request) bool
	// pageSize of lists.
	pageSize int

	mu         sync.Mutex
	objects    map[string]object
	uploads    map[string]*bytes.Buffer
	conditions map[string]string // of uploads
	generation int64
	requests   map[string]int
	ranges     []string // the Range and generation of every get
}

type object struct {
	content    []byte
	generation int64
}

func newFakeCloud(t *testing.T) *fakeCloud {
	f := &fakeCloud{pageSize: 3, objects: map[string]object{}, uploads: map[string]*bytes.Buffer{}, conditions: map[string]string{}, requests: map[string]int{}, generation: 1000}
	f.Server = httptest.NewServer(f)
	t.Cleanup(func() {
		f.CloseClientConnections()
		f.Close()
	})
	t.Setenv("STORAGE_EMULATOR_HOST", strings.TrimPrefix(f.URL, "http://"))
	return f
}

// count returns how many requests of a kind there have been.
func (f *fakeCloud) count(kind string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.requests[kind]
}

func (f *fakeCloud) put(name string, content []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.generation++
	f.objects[name] = object{content, f.generation}
}

func (f *fakeCloud) get(name string) (object, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o, ok := f.objects[name]
	return o, ok
}

func (f *fakeCloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	kind, bucket, name := sortOut(r)
	f.mu.Lock()
	f.requests[kind]++
	n := f.requests[kind]
	if kind == "get" {
		f.ranges = append(f.ranges, r.Header.Get("Range")+"@"+r.URL.Query().Get("generation"))
	}
	f.mu.Unlock()
	if f.fault != nil && f.fault(kind, n, w, r) {
		return
	}
	if bucket != "bucket" {
		answer(w, http.StatusNotFound, "The specified bucket does not exist.")
		return
	}
	switch kind {
	case "list":
		f.list(w, r.URL.Query())
	case "get", "stat", "delete":
		f.one(kind, name, w, r)
	case "copy":
		f.copy(w, name)
	case "insert":
		f.insert(w, r)
	case "begin":
		w.Header().Set("Location", f.URL+"/upload/storage/v1/b/bucket/o?upload_id="+url.QueryEscape(r.URL.Query().Get("name")))
		f.mu.Lock()
		f.uploads[r.URL.Query().Get("name")] = &bytes.Buffer{}
		f.conditions[r.URL.Query().Get("name")] = r.URL.Query().Get("ifGenerationMatch")
		f.mu.Unlock()
	case "chunk":
		f.chunk(w, r)
	}
}

// sortOut says what a request is for.
func sortOut(r *http.Request) (kind, bucket, name string) {
	path := r.URL.EscapedPath()
	if rest, ok := strings.CutPrefix(path, "/upload/storage/v1/b/"); ok {
		bucket, _, _ = strings.Cut(rest, "/")
		switch {
		case r.URL.Query().Has("upload_id"):
			return "chunk", bucket, ""
		case r.URL.Query().Get("uploadType") == "resumable":
			return "begin", bucket, ""
		}
		return "insert", bucket, ""
	}
	if rest, ok := strings.CutPrefix(path, "/storage/v1/b/"); ok {
		bucket, rest, _ = strings.Cut(rest, "/o")
		name, _ = url.PathUnescape(strings.TrimPrefix(rest, "/"))
		switch {
		case name == "":
			return "list", bucket, ""
		case strings.Contains(name, "/rewriteTo/"):
			return "copy", bucket, name
		case r.Method == http.MethodDelete:
			return "delete", bucket, name
		}
		return "stat", bucket, name
	}
	bucket, name, _ = strings.Cut(strings.TrimPrefix(path, "/"), "/")
	name, _ = url.PathUnescape(name)
	return "get", bucket, name
}

func (f *fakeCloud) list(w http.ResponseWriter, q url.Values) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var page struct {
		Items    []map[string]string `json:"items,omitempty"`
		Prefixes []string            `json:"prefixes,omitempty"`
		Next     string              `json:"nextPageToken,omitempty"`
	}
	last := q.Get("pageToken")
	for _, name := range slices.Sorted(maps.Keys(f.objects)) {
		rest, ok := strings.CutPrefix(name, q.Get("prefix"))
		if !ok {
			continue
		}
		folder := ""
		if before, _, below := strings.Cut(rest, "/"); q.Get("delimiter") != "" && below {
			folder = q.Get("prefix") + before + "/"
		}
		if place := name + folder; name <= last || folder != "" && folder <= last || place == "" {
			continue
		}
		if len(page.Items)+len(page.Prefixes) == f.pageSize {
			page.Next = last
			break
		}
		if last = name; folder != "" {
			page.Prefixes = append(page.Prefixes, folder)
			last = folder + "\xff"
			continue
		}
		page.Items = append(page.Items, f.attrs(name))
	}
	_ = json.NewEncoder(w).Encode(page)
}

func (f *fakeCloud) attrs(name string) map[string]string {
	o := f.objects[name]
	return map[string]string{"name": name, "bucket": "bucket", "size": strconv.Itoa(len(o.content)), "generation": strconv.FormatInt(o.generation, 10)}
}

func (f *fakeCloud) one(kind, name string, w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o, ok := f.objects[name]
	if want := r.URL.Query().Get("generation"); !ok || want != "" && want != strconv.FormatInt(o.generation, 10) {
		answer(w, http.StatusNotFound, "No such object: bucket/"+name)
		return
	}
	if !f.meets(name, r.URL.Query().Get("ifGenerationMatch")) {
		answer(w, http.StatusPreconditionFailed, "At least one of the pre-conditions you specified did not hold.")
		return
	}
	switch kind {
	case "delete":
		delete(f.objects, name)
		w.WriteHeader(http.StatusNoContent)
	case "stat":
		_ = json.NewEncoder(w).Encode(f.attrs(name))
	case "get":
		w.Header().Set("X-Goog-Generation", strconv.FormatInt(o.generation, 10))
		content, status := o.content, http.StatusOK
		if from, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes="); ok {
			offset, _ := strconv.Atoi(strings.TrimSuffix(from, "-"))
			if offset >= len(content) {
				answer(w, http.StatusRequestedRangeNotSatisfiable, "The requested range cannot be satisfied.")
				return
			}
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", offset, len(content)-1, len(content)))
			content, status = content[offset:], http.StatusPartialContent
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(content)))
		w.WriteHeader(status)
		_, _ = w.Write(content)
	}
}

// copy gives an object a second name.
func (f *fakeCloud) copy(w http.ResponseWriter, names string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	from, to, _ := strings.Cut(names, "/rewriteTo/b/bucket/o/")
	o, ok := f.objects[from]
	if !ok {
		answer(w, http.StatusNotFound, "No such object: bucket/"+from)
		return
	}
	f.generation++
	f.objects[to] = object{o.content, f.generation}
	_ = json.NewEncoder(w).Encode(map[string]any{"done": true, "resource": f.attrs(to)})
}

// meets tells whether an object is of the generation that a condition asks for, 0 for none.
func (f *fakeCloud) meets(name, condition string) bool {
	return condition == "" || condition == strconv.FormatInt(f.objects[name].generation, 10)
}

func (f *fakeCloud) insert(w http.ResponseWriter, r *http.Request) {
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		answer(w, http.StatusBadRequest, err.Error())
		return
	}
	parts := multipart.NewReader(r.Body, params["boundary"])
	var meta struct{ Name string }
	part, err := parts.NextPart()
	if err == nil {
		err = json.NewDecoder(part).Decode(&meta)
	}
	if err == nil {
		part, err = parts.NextPart()
	}
	var content []byte
	if err == nil {
		content, err = io.ReadAll(part)
	}
	if err != nil { // the client went away
		answer(w, http.StatusBadRequest, err.Error())
		return
	}
	f.finish(w, meta.Name, content, r.URL.Query().Get("ifGenerationMatch"))
}

// chunk takes a part of a resumable upload; the last one tells the total.
func (f *fakeCloud) chunk(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("upload_id")
	content, err := io.ReadAll(r.Body)
	if err != nil {
		answer(w, http.StatusBadRequest, err.Error())
		return
	}
	place, total, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Content-Range"), "bytes "), "/")
	f.mu.Lock()
	upload := f.uploads[name]
	if from, _, ok := strings.Cut(place, "-"); ok {
		offset, _ := strconv.Atoi(from)
		upload.Truncate(offset)
		upload.Write(content)
	}
	f.mu.Unlock()
	if total == "*" {
		w.Header().Set("X-Http-Status-Code-Override", "308")
		w.Header().Set("Range", fmt.Sprintf("bytes=0-%d", upload.Len()-1))
		return
	}
	f.finish(w, name, upload.Bytes(), f.conditions[name])
}

// finish ends an upload, whose object comes to be only if it meets the condition.
func (f *fakeCloud) finish(w http.ResponseWriter, name string, content []byte, condition string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.meets(name, condition) {
		answer(w, http.StatusPreconditionFailed, "At least one of the pre-conditions you specified did not hold.")
		return
	}
	f.generation++
	f.objects[name] = object{content, f.generation}
	_ = json.NewEncoder(w).Encode(f.attrs(name))
}

func answer(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"code": status, "message": message}})
}

// reset breaks the connection as a crash of the other side does.
func reset(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// cut answers with a part of the object that the request wants the rest of, and breaks.
func (f *fakeCloud) cut(w http.ResponseWriter, r *http.Request, part int) bool {
	_, _, name := sortOut(r)
	o, _ := f.get(name)
	offset, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(r.Header.Get("Range"), "bytes="), "-"))
	content := o.content[offset:]
	w.Header().Set("X-Goog-Generation", strconv.FormatInt(o.generation, 10))
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	if offset > 0 {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", offset, len(o.content)-1, len(o.content)))
		w.WriteHeader(http.StatusPartialContent)
	}
	_, _ = w.Write(content[:min(part, len(content))])
	_ = http.NewResponseController(w).Flush()
	reset(w)
	return true
}
