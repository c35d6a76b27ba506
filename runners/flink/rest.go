package flink

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// ErrNoJob is returned for a job that the cluster does not know.
var ErrNoJob = errors.New("there is no such job on this cluster")

// errNoCheckpoints is the answer about a batch, or a stream without checkpoints.
var errNoCheckpoints = errors.New("the job has no checkpoints")

// Client talks to a Flink cluster by its REST interface. It is safe for concurrent use.
type Client struct {
	base string
	http *http.Client
}

// NewClient makes a client for the address of a JobManager's REST interface, host:port or a
// URL; empty means DefaultREST. Nothing is sent yet.
func NewClient(address string) (*Client, error) {
	if address == "" {
		address = DefaultREST
	}
	base, err := baseURL(address)
	if err != nil {
		return nil, fmt.Errorf("flink REST address: %w", err)
	}
	// A cluster that accepts a connection and then says nothing must not hold us. A JobManager
	// that takes a job on a busy machine was seen to say nothing for 20 s.
	return &Client{base: base, http: &http.Client{Timeout: 30 * time.Second}}, nil
}

func baseURL(address string) (string, error) {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", fmt.Errorf("parse %q: %w", address, err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "" {
		return "", fmt.Errorf("%q is neither host:port nor a URL", address)
	}
	return strings.TrimRight(u.String(), "/"), nil
}

// URL is the address of a job's page in Flink's user interface.
func (c *Client) URL(jobID string) string { return c.base + "/#/job/" + jobID + "/overview" }

// Overview is what a cluster consists of.
type Overview struct {
	Version        string `json:"flink-version"`
	TaskManagers   int    `json:"taskmanagers"`
	Slots          int    `json:"slots-total"`
	SlotsAvailable int    `json:"slots-available"`
}

// Overview tells what the cluster consists of.
func (c *Client) Overview(ctx context.Context) (Overview, error) {
	var o Overview
	return o, c.get(ctx, "/overview", &o)
}

// Config is the configuration of the JobManager, secrets masked by Flink.
func (c *Client) Config(ctx context.Context) (map[string]string, error) {
	var entries []struct{ Key, Value string }
	if err := c.get(ctx, "/jobmanager/config", &entries); err != nil {
		return nil, err
	}
	config := map[string]string{}
	for _, entry := range entries {
		config[entry.Key] = entry.Value
	}
	return config, nil
}

// Millis is a time in milliseconds since 1970, as Flink writes it.
type Millis int64

// Time is the zero time where Flink has none.
func (m Millis) Time() time.Time {
	if m <= 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(m)).UTC()
}

// JobSummary is a line in a list of jobs.
type JobSummary struct {
	ID      string `json:"jid"`
	Name    string `json:"name"`
	State   State  `json:"state"`
	Started Millis `json:"start-time"`
	Ended   Millis `json:"end-time"`
}

// Jobs lists the cluster's jobs, those that ended lately too, in no order.
func (c *Client) Jobs(ctx context.Context) ([]JobSummary, error) {
	var list struct {
		Jobs []JobSummary `json:"jobs"`
	}
	return list.Jobs, c.get(ctx, "/jobs/overview", &list)
}

// Cancel ends a job without a savepoint. It returns when Flink has taken the request.
func (c *Client) Cancel(ctx context.Context, jobID string) error {
	return c.call(ctx, http.MethodPatch, jobPath(jobID)+"?mode=cancel", nil, nil)
}

// pollEvery is how often Flink is asked about what it does by and by.
const pollEvery = 250 * time.Millisecond

func jobPath(jobID string) string { return "/jobs/" + url.PathEscape(jobID) }

func (c *Client) get(ctx context.Context, path string, answer any) error {
	return c.call(ctx, http.MethodGet, path, nil, answer)
}

// call sends a request, as JSON if it is not nil, and reads its answer.
func (c *Client) call(ctx context.Context, method, path string, request, answer any) error {
	var body io.Reader
	if request != nil {
		text, err := json.Marshal(request)
		if err != nil {
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
		body = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(r)
	if err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("%s %s: %w", method, path, ctx.Err())
		}
		return fmt.Errorf("flink at %s does not answer: %w; is the cluster up, and is this its REST address (port 8081 by default)?", c.base, cause(err))
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("%s %s%s: %w", method, c.base, path, err)
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s%s: %w", method, c.base, path, refusal(resp.StatusCode, text))
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return fmt.Errorf("%s %s%s: not an answer of Flink: %w", method, c.base, path, err)
	}
	return nil
}

// cause is a failed request's error without the URL, which the caller names.
func cause(err error) error {
	var failed *url.Error
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}

// refusal is Flink's reason for an answer that is none.
func refusal(code int, body []byte) error {
	var answer struct{ Errors []string }
	if err := json.Unmarshal(body, &answer); err != nil || len(answer.Errors) == 0 {
		return fmt.Errorf("HTTP status %d, not from Flink: is this the REST address of a JobManager?", code)
	}
	reason := RootCause(strings.Join(answer.Errors, "\n"))
	if strings.Contains(reason, "FlinkJobNotFoundException") || strings.Contains(reason, "Could not find Flink job") {
		return ErrNoJob
	}
	if strings.Contains(reason, "Checkpointing has not been enabled") {
		return errNoCheckpoints
	}
	return errors.New(reason)
}

// wait pauses, or returns the context's error if that comes first.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
