package flink

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLastState: what a job resumes from is the newest thing that is left.
func TestLastState(t *testing.T) {
	state := func(kind, path string, taken int, more string) string {
		at := "trigger_timestamp"
		if kind == "restored" {
			at = "restore_timestamp"
		}
		return fmt.Sprintf(`%q: {"external_path": %q, %q: %d, "is_savepoint": %t%s}`, kind, path, at, taken, kind == "savepoint", more)
	}
	answer := func(states ...string) string { return `{"latest": {` + strings.Join(states, ",") + `}}` }
	for _, c := range []struct {
		name string
		// jobs are their states, the oldest first, and checkpoints their answers.
		states      []State
		checkpoints []string
		want, err   string
	}{
		{"a checkpoint", []State{Canceled}, []string{answer(state("completed", "file:/c1", 1000, ""))}, "checkpoint file:/c1 of job j0, taken at 1970-01-01T00:00:01Z", ""},
		{
			"a savepoint is newer",
			[]State{Finished},
			[]string{answer(state("completed", "file:/c1", 1000, ""), state("savepoint", "file:/s1", 2000, ""))},
			"savepoint file:/s1 of job j0, taken at 1970-01-01T00:00:02Z", "",
		},
		{
			"a savepoint is older",
			[]State{Failed},
			[]string{answer(state("savepoint", "file:/s1", 2000, ""), state("completed", "file:/c1", 3000, ""))},
			"checkpoint file:/c1 of job j0, taken at 1970-01-01T00:00:03Z", "",
		},
		{
			"it was discarded",
			[]State{Canceled},
			[]string{answer(state("completed", "file:/c1", 1000, `, "discarded": true`))},
			"", `job "feed": there is no savepoint or checkpoint to resume from`,
		},
		{
			"only what it was resumed from",
			[]State{Canceled},
			[]string{answer(`"completed": null`, state("restored", "file:/r1", 1000, ""))},
			"checkpoint file:/r1 of job j0, taken at 1970-01-01T00:00:01Z", "",
		},
		{
			"what it was resumed from is older than its own",
			[]State{Canceled},
			[]string{answer(state("completed", "file:/c1", 2000, ""), state("restored", "file:/r1", 1000, ""))},
			"checkpoint file:/c1 of job j0, taken at 1970-01-01T00:00:02Z", "",
		},
		{
			"the latest job",
			[]State{Canceled, Failed},
			[]string{answer(state("completed", "file:/c1", 5000, "")), answer(state("completed", "file:/c2", 1000, ""))},
			"checkpoint file:/c2 of job j1, taken at 1970-01-01T00:00:01Z", "",
		},
		{
			"the latest job that left one",
			[]State{Canceled, Failed},
			[]string{answer(state("completed", "file:/c1", 5000, "")), answer()},
			"checkpoint file:/c1 of job j0, taken at 1970-01-01T00:00:05Z", "",
		},
		{"it runs", []State{Canceled, "RESTARTING"}, []string{answer(), answer()}, "", `job "feed": the job still runs: j1 is RESTARTING, and two would fence`},
		{
			"the latest job's are not told", // and an older job's state would join again what came after it
			[]State{Canceled, Failed},
			[]string{answer(state("completed", "file:/c1", 5000, "")), "unavailable"},
			"", "state of job j1: ",
		},
		{"the only job's are not told", []State{Failed}, []string{"unavailable"}, "", "state of job j0: "},
		{"nobody knows it", nil, nil, "", "which remembers 0 jobs of the name; give a path, or resume from the log"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/jobs/overview" {
					list := []string{`{"jid": "other", "name": "other", "state": "RUNNING"}`}
					for i, s := range c.states {
						list = append(list, fmt.Sprintf(`{"jid": "j%d", "name": "feed", "state": %q, "start-time": %d}`, i, s, i+1))
					}
					_, _ = io.WriteString(w, `{"jobs": [`+strings.Join(list, ",")+`]}`)
					return
				}
				var i int
				_, err := fmt.Sscanf(r.URL.Path, "/jobs/j%d/checkpoints", &i)
				if err != nil {
					w.WriteHeader(http.StatusNotFound)
					return
				}
				if c.checkpoints[i] == "unavailable" {
					w.WriteHeader(http.StatusInternalServerError)
				}
				_, _ = io.WriteString(w, c.checkpoints[i])
			}))
			defer server.Close()
			client, err := NewClient(server.URL)
			require.NoError(t, err)
			got, err := client.LastState(t.Context(), "feed")
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, got.String())
		})
	}
}
