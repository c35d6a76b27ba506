package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
)

// taskManagers are the files with the pids of TaskManagers: the worker of a release that has the
// same index is theirs.
var taskManagers = [2]string{"taskmanager.pid", "taskmanager2.pid"}

// atWork is the index of a TaskManager, and of its worker, that runs tasks of the job: after the death of one
// all tasks may be where the other is, and nothing that is killed there would then be missed.
func (s *System) atWork(ctx context.Context, random *rand.Rand) (int, error) {
	var working []int
	for i, at := range s.Releases[s.release].health {
		serves, err := servesRunner(ctx, at)
		if err != nil {
			return 0, err
		}
		if serves {
			working = append(working, i)
		}
	}
	if len(working) == 0 {
		return 0, errors.New("no worker serves a runner")
	}
	return one(working, random), nil
}

// servesRunner asks a worker whether a runner is connected to it.
func servesRunner(ctx context.Context, health string) (bool, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+health+"/metrics", nil)
	if err != nil {
		return false, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false, err
	}
	defer response.Body.Close() //nolint:errcheck // it was read
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return false, err
	}
	const metric = "tributary_worker_harnesses "
	for line := range strings.Lines(string(text)) {
		if count, ok := strings.CutPrefix(line, metric); ok {
			return strings.TrimSpace(count) != "0", nil
		}
	}
	return false, fmt.Errorf("the worker at %s has no metric %s", health, metric)
}
