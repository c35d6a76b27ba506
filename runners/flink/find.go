package flink

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
)

// List lists the cluster's jobs: those that have not ended first, then the latest first.
func (c *Client) List(ctx context.Context) ([]JobSummary, error) {
	jobs, err := c.Jobs(ctx)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(jobs, func(a, b JobSummary) int {
		if a.State.Ended() != b.State.Ended() {
			if a.State.Ended() {
				return 1
			}
			return -1
		}
		return cmp.Or(cmp.Compare(b.Started, a.Started), cmp.Compare(a.ID, b.ID))
	})
	return jobs, nil
}

// Find returns the job that a user means: by its id, by the beginning of that, or by its
// name, if only one job of the name has not ended.
func (c *Client) Find(ctx context.Context, ref string) (JobSummary, error) {
	jobs, err := c.List(ctx)
	if err != nil {
		return JobSummary{}, err
	}
	var byID, byName []JobSummary
	for _, job := range jobs {
		if ref != "" && strings.HasPrefix(job.ID, ref) {
			byID = append(byID, job)
		}
		if job.Name == ref && !job.State.Ended() {
			byName = append(byName, job)
		}
	}
	found := byID
	if len(found) == 0 {
		found = byName
	}
	switch len(found) {
	case 0:
		return JobSummary{}, fmt.Errorf("%q: %w; it has %s", ref, ErrNoJob, names(jobs))
	case 1:
		return found[0], nil
	}
	return JobSummary{}, fmt.Errorf("%q is several jobs: %s", ref, names(found))
}

func names(jobs []JobSummary) string {
	if len(jobs) == 0 {
		return "none"
	}
	var list []string
	for _, job := range jobs {
		list = append(list, fmt.Sprintf("%s (%s, %s)", job.ID, job.Name, job.State))
	}
	return strings.Join(list, ", ")
}
