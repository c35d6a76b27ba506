package flink

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recordedJob is the job whose answers are in testdata/rest, as a Flink 1.19.3 gave them.
const recordedJob = "JOB"

// fakeFlink answers a path with what is recorded for it, or with what the test has in its stead.
type fakeFlink struct {
	t       *testing.T
	answers map[string]string // by method and path; a number first is the status
	then    map[string]string // what is answered from the second time on
	asked   []string          // method, path and body
}

func startFake(t *testing.T, answers map[string]string) (*fakeFlink, *Client) {
	t.Helper()
	fake := &fakeFlink{t: t, answers: answers}
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	client, err := NewClient(strings.TrimPrefix(server.URL, "http://"))
	require.NoError(t, err)
	return fake, client
}

func (f *fakeFlink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	assert.NoError(f.t, err)
	request := r.Method + " " + r.URL.RequestURI()
	f.asked = append(f.asked, strings.TrimSpace(request+" "+string(body)))
	if answer, ok := f.answers[request]; ok {
		var code int
		if _, err := fmt.Sscanf(answer, "%d ", &code); err == nil {
			w.WriteHeader(code)
			_, answer, _ = strings.Cut(answer, " ")
		}
		_, _ = io.WriteString(w, answer)
		if then, ok := f.then[request]; ok {
			f.answers[request] = then
		}
		return
	}
	name := strings.Trim(strings.ReplaceAll(r.URL.Path, "/", "_"), "_") + ".json"
	text, err := os.ReadFile(filepath.Join("testdata", "rest", name))
	if err != nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_, _ = w.Write(text)
}

func TestOverviewAndConfig(t *testing.T) {
	_, client := startFake(t, nil)
	overview, err := client.Overview(t.Context())
	require.NoError(t, err)
	assert.Equal(t, Overview{Version: "1.19.3", TaskManagers: 1, Slots: 4, SlotsAvailable: 3}, overview)
	config, err := client.Config(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "file:///flink/checkpoints", config["state.checkpoints.dir"])
	memory, err := client.SlotMemory(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 192<<20, memory)
}

func TestStatusOfRecordedJob(t *testing.T) {
	_, client := startFake(t, nil)
	got, err := client.Status(t.Context(), recordedJob)
	require.NoError(t, err)
	text, err := json.MarshalIndent(got, "", "  ")
	require.NoError(t, err)
	golden := filepath.Join("testdata", "status.json")
	if *update {
		require.NoError(t, os.WriteFile(golden, append(text, '\n'), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.JSONEq(t, string(want), string(text))
}

func TestFailuresOfRecordedJobs(t *testing.T) {
	tests := []struct{ recorded, want string }{
		{"failed_dofn", "DoFn[UID:4, PID:e3, Name: tributary/runners/flink.refuseFn] failed: number 7 is not wanted here"},
		{"failed_version", "worker pool at 127.0.0.1:37853: the job was submitted by version devel-65c33ec4b554 of the binary, and this is version v0.0.1; run the same one in both places"},
	}
	for _, tt := range tests {
		t.Run(tt.recorded, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("testdata", "rest", tt.recorded+".json"))
			require.NoError(t, err)
			_, client := startFake(t, map[string]string{"GET /jobs/x/exceptions?maxExceptions=20": string(text)})
			failures, err := client.Failures(t.Context(), "x")
			require.NoError(t, err)
			require.NotEmpty(t, failures)
			assert.Equal(t, tt.want, failures[0].Cause)
			assert.False(t, failures[0].Time.IsZero())
		})
	}
}

func TestEventTimesOfFlink(t *testing.T) {
	tests := []struct {
		name string
		ms   int64
		want string
	}{
		{"Flink's first", -1 << 63, "none yet"},
		{"Beam's first", -9223372036854775, "none yet"},
		{"a time", 1767225601000, "2026-01-01T00:00:01Z"},
		{"before 1970", -1, "1969-12-31T23:59:59.999Z"},
		{"end of the global window", 9223371950454775, "at the end"},
		{"Beam's last", 9223372036854775, "at the end"},
		{"Flink's last", 1<<63 - 1, "at the end"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var s Status
			s.Watermark, s.AtEnd = eventTime(tt.ms)
			assert.Equal(t, tt.want, s.WatermarkText())
		})
	}
}

func TestBatchHasNoCheckpoints(t *testing.T) {
	_, client := startFake(t, map[string]string{
		"GET /jobs/JOB/checkpoints": `404 {"errors":["org.apache.flink.runtime.rest.handler.RestHandlerException: Checkpointing has not been enabled.\n\tat org.apache.flink.X.y(X.java:1)"]}`,
	})
	status, err := client.Status(t.Context(), recordedJob)
	require.NoError(t, err)
	assert.Zero(t, status.Checkpoints)
}

func TestStopWithSavepoint(t *testing.T) {
	const trigger, poll = "POST /jobs/JOB/stop", "GET /jobs/JOB/savepoints/r1"
	tests := []struct {
		name, dir, answer, want, wantErr, asked string
	}{
		{"to the cluster's folder", "", `{"status":{"id":"COMPLETED"},"operation":{"location":"file:/s/1"}}`, "file:/s/1", "", `{"drain":false}`},
		{"to a folder", "gs://b/s", `{"status":{"id":"COMPLETED"},"operation":{"location":"gs://b/s/1"}}`, "gs://b/s/1", "", `{"drain":false,"targetDirectory":"gs://b/s"}`},
		{
			"fails", "", `{"status":{"id":"COMPLETED"},"operation":{"failure-cause":{"class":"x","stack-trace":"java.util.concurrent.CompletionException: x\n\tat a.B.c(B.java:1)\nCaused by: org.apache.flink.X: disk is full\n"}}}`,
			"", "savepoint of job JOB: disk is full", `{"drain":false}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fake, client := startFake(t, map[string]string{trigger: `202 {"request-id":"r1"}`, poll: tt.answer})
			path, err := client.StopWithSavepoint(t.Context(), "JOB", tt.dir)
			if tt.wantErr != "" {
				require.EqualError(t, err, tt.wantErr)
			} else {
				require.NoError(t, err)
			}
			assert.Equal(t, tt.want, path)
			assert.Equal(t, []string{trigger + " " + tt.asked, poll}, fake.asked)
		})
	}
	t.Run("tasks start", func(t *testing.T) {
		fake, client := startFake(t, map[string]string{
			trigger: `202 {"request-id":"r1"}`,
			poll:    `{"status":{"id":"COMPLETED"},"operation":{"failure-cause":{"stack-trace":"x\nCaused by: y: Not all required tasks are currently running.\n"}}}`,
		})
		fake.then = map[string]string{poll: `{"status":{"id":"COMPLETED"},"operation":{"location":"file:/s/1"}}`}
		path, err := client.StopWithSavepoint(t.Context(), "JOB", "")
		require.NoError(t, err)
		assert.Equal(t, "file:/s/1", path)
		assert.Len(t, fake.asked, 4)
	})
	t.Run("never ends", func(t *testing.T) {
		_, client := startFake(t, map[string]string{trigger: `{"request-id":"r1"}`, poll: `{"status":{"id":"IN_PROGRESS"}}`})
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := client.StopWithSavepoint(ctx, "JOB", "")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "savepoint of job JOB")
	})
}

func TestCancel(t *testing.T) {
	const request = "PATCH /jobs/a%2Fb?mode=cancel"
	fake, client := startFake(t, map[string]string{request: "202 {}"})
	require.NoError(t, client.Cancel(t.Context(), "a/b"))
	assert.Equal(t, []string{request}, fake.asked)
}

func TestAnswersThatAreNone(t *testing.T) {
	tests := []struct{ name, answer, want string }{
		{"no such job", `404 {"errors":["org.apache.flink.runtime.rest.NotFoundException: Job JOB not found\n\tat a.B.c(B.java:1)\nCaused by: org.apache.flink.runtime.messages.FlinkJobNotFoundException: Could not find Flink job (JOB)\n"]}`, ErrNoJob.Error()},
		{"a reason", `500 {"errors":["Internal server error.","<Exception on server side:\njava.lang.X: gone\nEnd of exception on server side>"]}`, "Internal server error."},
		{"another server", "404 <html>nothing here</html>", "HTTP status 404, not from Flink: is this the REST address of a JobManager?"},
		{"another server that is content", "<html>welcome</html>", "not an answer of Flink"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, client := startFake(t, map[string]string{"GET /jobs/JOB": tt.answer})
			_, err := client.Status(t.Context(), "JOB")
			require.ErrorContains(t, err, tt.want)
			require.ErrorContains(t, err, "status of job JOB: GET http://127.0.0.1:")
		})
	}
}

func TestUnreachableCluster(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	client, err := NewClient(address)
	require.NoError(t, err)
	_, err = client.Overview(t.Context())
	require.ErrorContains(t, err, "flink at http://"+address+" does not answer: dial tcp "+address)
	require.ErrorContains(t, err, "is this its REST address (port 8081 by default)?")
}

func TestAddressesOfClients(t *testing.T) {
	for address, want := range map[string]string{
		"": "http://127.0.0.1:8081", "flink:8081": "http://flink:8081", "https://flink/proxy/": "https://flink/proxy",
	} {
		client, err := NewClient(address)
		require.NoError(t, err)
		assert.Equal(t, want+"/#/job/JOB/overview", client.URL("JOB"))
	}
	for _, address := range []string{"http://", "ftp://flink", "http://[::1"} {
		_, err := NewClient(address)
		require.Error(t, err, address)
	}
}

func TestFind(t *testing.T) {
	const jobs = `{"jobs":[
		{"jid":"aa11","name":"feed","state":"FINISHED","start-time":5,"end-time":6},
		{"jid":"aa22","name":"feed","state":"RUNNING","start-time":3},
		{"jid":"bb33","name":"shop","state":"RUNNING","start-time":4},
		{"jid":"bb44","name":"shop","state":"RESTARTING","start-time":2}]}`
	_, client := startFake(t, map[string]string{"GET /jobs/overview": jobs})
	list, err := client.List(t.Context())
	require.NoError(t, err)
	var ids []string
	for _, job := range list {
		ids = append(ids, job.ID)
	}
	assert.Equal(t, []string{"bb33", "aa22", "bb44", "aa11"}, ids, "those that run first, then the latest")
	for ref, want := range map[string]string{"aa11": "aa11", "aa2": "aa22", "feed": "aa22"} {
		job, err := client.Find(t.Context(), ref)
		require.NoError(t, err, ref)
		assert.Equal(t, want, job.ID, ref)
	}
	_, err = client.Find(t.Context(), "shop")
	require.EqualError(t, err, `"shop" is several jobs: bb33 (shop, RUNNING), bb44 (shop, RESTARTING)`)
	_, err = client.Find(t.Context(), "")
	require.ErrorIs(t, err, ErrNoJob)
	require.ErrorContains(t, err, "aa22 (feed, RUNNING)")
}

// TestStates: what has ended changes no more, and may be resumed from.
func TestStates(t *testing.T) {
	for _, s := range []State{Finished, Canceled, Failed, Suspended} {
		require.True(t, s.Ended(), s)
	}
	for _, s := range []State{"", Running, Canceling, "RESTARTING", "INITIALIZING", "CREATED", "FAILING", "RECONCILING"} {
		require.False(t, s.Ended(), s)
	}
}
