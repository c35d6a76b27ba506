package flink

import (
	"context"
	"errors"
)

// markOption is an option that Beam does not know but hands on to Flink's record of the job:
// the job server does not tell which of Flink's jobs it has made of a submission.
const (
	markOption   = "tributary_submission"
	markInRecord = "tributarySubmission"
)

// ids lists the jobs that Flink knows.
func (c *Client) ids(ctx context.Context) (map[string]bool, error) {
	jobs, err := c.Jobs(ctx)
	if err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for _, job := range jobs {
		ids[job.ID] = true
	}
	return ids, nil
}

// find returns the job that was submitted with the mark, or empty. Jobs that are not it are
// added to others, and not asked about again. Flink tells no options of one that it is still
// making, and for some seconds more, even if that job has ended meanwhile: of such a one nothing
// is known yet.
func (c *Client) find(ctx context.Context, mark string, others map[string]bool) (string, error) {
	jobs, err := c.Jobs(ctx)
	if err != nil {
		return "", err
	}
	for _, job := range jobs {
		if others[job.ID] {
			continue
		}
		options, err := c.options(ctx, job.ID)
		switch {
		case errors.Is(err, ErrNoJob): // it has gone meanwhile
		case err != nil:
			return "", err
		case options[markInRecord] == mark:
			return job.ID, nil
		case len(options) > 0:
			others[job.ID] = true
		}
	}
	return "", nil
}
