package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// recordedFlink is a Flink cluster as runners/flink has its answers recorded. It has one job
// that runs, JOB, which can be stopped and canceled.
func recordedFlink(w http.ResponseWriter, r *http.Request) {
	switch r.Method + " " + r.URL.RequestURI() {
	case "POST /jobs/JOB/stop":
		_, _ = io.WriteString(w, `{"request-id":"r1"}`)
		return
	case "GET /jobs/JOB/savepoints/r1":
		_, _ = io.WriteString(w, `{"status":{"id":"COMPLETED"},"operation":{"location":"file:/savepoints/savepoint-1"}}`)
		return
	case "PATCH /jobs/JOB?mode=cancel":
		_, _ = io.WriteString(w, `{}`)
		return
	}
	name := strings.Trim(strings.ReplaceAll(r.URL.Path, "/", "_"), "_") + ".json"
	text, err := os.ReadFile(filepath.Join("..", "..", "runners", "flink", "testdata", "rest", name))
	if err != nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_, _ = w.Write(text)
}
