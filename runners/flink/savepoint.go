package flink

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// StopWithSavepoint takes a savepoint and ends the job with it. The savepoint goes to a new
// folder below dir, or, if that is empty, below the cluster's state.savepoints.dir. It
// returns the savepoint's path once it is complete; a job whose savepoint fails runs on. Tasks that
// are yet to start are waited for, a minute at most.
func (c *Client) StopWithSavepoint(ctx context.Context, jobID, dir string) (string, error) {
	request := map[string]any{"drain": false}
	if dir != "" {
		request["targetDirectory"] = dir
	}
	return c.savepoint(ctx, jobID, "/stop", request)
}

// Savepoint takes a savepoint of a job that runs on, as StopWithSavepoint does.
func (c *Client) Savepoint(ctx context.Context, jobID, dir string) (string, error) {
	request := map[string]any{"cancel-job": false}
	if dir != "" {
		request["target-directory"] = dir
	}
	return c.savepoint(ctx, jobID, "/savepoints", request)
}

// notStarted is what Flink says of a savepoint of a job that runs, and not all of whose tasks do.
const notStarted = "Not all required tasks are currently running"

func (c *Client) savepoint(ctx context.Context, jobID, verb string, request any) (string, error) {
	for begun := time.Now(); ; {
		path, failure, err := c.trySavepoint(ctx, jobID, verb, request)
		if err != nil {
			return "", fmt.Errorf("savepoint of job %s: %w", jobID, err)
		}
		switch {
		case failure == "":
			return path, nil
		case !strings.Contains(failure, notStarted) || time.Since(begun) > startWithin:
			return "", fmt.Errorf("savepoint of job %s: %s", jobID, RootCause(failure))
		}
		if err := wait(ctx, pollEvery); err != nil {
			return "", fmt.Errorf("savepoint of job %s: %s: %w", jobID, RootCause(failure), err)
		}
	}
}

// startWithin is how long the tasks of a job take to start.
const startWithin = time.Minute

// trySavepoint takes one savepoint, and returns its path, or the stack trace of what it failed by.
func (c *Client) trySavepoint(ctx context.Context, jobID, verb string, request any) (path, failure string, err error) {
	var trigger struct {
		ID string `json:"request-id"`
	}
	if err := c.call(ctx, http.MethodPost, jobPath(jobID)+verb, request, &trigger); err != nil {
		return "", "", err
	}
	for {
		var progress struct {
			Status    struct{ ID string }
			Operation struct {
				Location string
				Failure  *struct {
					StackTrace string `json:"stack-trace"`
				} `json:"failure-cause"`
			}
		}
		if err := c.get(ctx, jobPath(jobID)+"/savepoints/"+trigger.ID, &progress); err != nil {
			return "", "", err
		}
		switch failure := progress.Operation.Failure; {
		case failure != nil:
			return "", failure.StackTrace, nil
		case progress.Status.ID == "COMPLETED":
			return progress.Operation.Location, "", nil
		}
		if err := wait(ctx, pollEvery); err != nil {
			return "", "", fmt.Errorf("not complete yet: %w", err)
		}
	}
}
