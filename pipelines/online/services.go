package online

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/twmb/franz-go/pkg/sr"

	"tributary/pipelines/spec"
	"tributary/pipelines/topics"
	"tributary/runners/flink"
)

// registry checks a cluster's registry if anything is read or written with it.
func (c *checker) registry(ctx context.Context, cluster *spec.Cluster) {
	var subjects []string
	for _, in := range c.spec.Inputs() {
		if in.Cluster == cluster.Name && in.Registry {
			subjects = append(subjects, in.Topic+"-value")
		}
	}
	o := c.spec.Outputs.Samples
	writes := o.Cluster == cluster.Name && o.Registry
	if cluster.Registry == nil || len(subjects) == 0 && !writes {
		return
	}
	c.step(ctx, "registry", cluster.Registry.URL, func(ctx context.Context) []Finding {
		return c.askRegistry(ctx, cluster, subjects)
	})
}

func (c *checker) askRegistry(ctx context.Context, cluster *spec.Cluster, subjects []string) []Finding {
	at := "clusters." + cluster.Name + ".registry"
	problem := func(err error, fix string) []Finding {
		return []Finding{{Status: Problem, Detail: reason(ctx, err), Fix: fix}}
	}
	opts := []sr.ClientOpt{sr.URLs(cluster.Registry.URL)}
	if cluster.Registry.Password != (spec.Secret{}) {
		user, err := topics.User(cluster.Registry.User).Read()
		if err != nil {
			return problem(fmt.Errorf("user: %w", err), "set the variable, or correct the path")
		}
		password, err := topics.Secret(cluster.Registry.Password).Read()
		if err != nil {
			return problem(fmt.Errorf("password: %w", err), "set the variable, or correct the path")
		}
		opts = append(opts, sr.BasicAuth(user, password))
	}
	client, err := sr.NewClient(opts...)
	if err != nil {
		return problem(err, "correct "+at+".url")
	}
	known, err := client.Subjects(ctx)
	var refused *sr.ResponseError
	switch {
	case errors.As(err, &refused) && (refused.StatusCode == http.StatusUnauthorized || refused.StatusCode == http.StatusForbidden):
		return problem(err, "user or password is wrong or missing: see "+at)
	case errors.As(err, &refused):
		return problem(err, "the address may lack a path, like /apis/ccompat/v7: correct "+at+".url")
	case err != nil:
		return problem(err, "correct "+at+".url, start the registry, or open the way to it")
	}
	has := map[string]bool{}
	for _, subject := range known {
		has[subject] = true
	}
	out := []Finding{{Status: OK, Detail: fmt.Sprintf("%d subjects", len(known))}}
	for _, subject := range subjects {
		if !has[subject] {
			out = append(out, Finding{
				"registry", subject, Warning, "there is no such subject: values may have been written under another one, or without the registry",
				"if values are plain Avro, write `registry: false` and `schema: FILE` at the input",
			})
		}
	}
	return out
}

// mostAnswer bounds what is read of an answer: an overview is a few hundred bytes.
const mostAnswer = 1 << 20

// flink asks Flink's REST interface for an overview.
func (c *checker) flink(ctx context.Context) []Finding {
	const fix = "start the cluster, or correct --flink: it is the address of the JobManager's REST interface, usually port 8081"
	url := c.targets.Flink
	if !strings.Contains(url, "://") {
		url = "http://" + url
	}
	problem := func(err error) []Finding {
		return []Finding{{Status: Problem, Detail: reason(ctx, err), Fix: fix}}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(url, "/")+"/overview", http.NoBody)
	if err != nil {
		return problem(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return problem(err)
	}
	defer func() { _ = resp.Body.Close() }() // only read
	body, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer))
	if err != nil {
		return problem(err)
	}
	var overview struct {
		Version      string `json:"flink-version"`
		TaskManagers int    `json:"taskmanagers"`
		Slots        int    `json:"slots-total"`
		Free         int    `json:"slots-available"`
	}
	if err := json.Unmarshal(body, &overview); err != nil || resp.StatusCode != http.StatusOK || overview.Version == "" {
		return problem(fmt.Errorf("status %s, and not what Flink answers", resp.Status))
	}
	detail := fmt.Sprintf("Flink %s, %d task managers, %d of %d slots free", overview.Version, overview.TaskManagers, overview.Free, overview.Slots)
	switch {
	case overview.Slots == 0:
		return []Finding{{Status: Problem, Detail: detail, Fix: "start a TaskManager, and see its log if it does not register"}}
	case overview.Free == 0:
		return []Finding{{Status: Warning, Detail: detail, Fix: "stop a job, or start another TaskManager: until then the job waits for slots"}}
	}
	return []Finding{{Status: OK, Detail: detail}}
}

// jobServer connects to Beam's job service and asks what it knows.
func (c *checker) jobServer(ctx context.Context) []Finding {
	const fix = "start Beam's Flink job server, or correct --jobserver: it is Beam's job service, usually port 8099, and not Flink's"
	found := dial(ctx, c.targets.JobServer, "job server", fix)
	if found.Status != OK {
		return []Finding{found}
	}
	if err := flink.CheckJobServer(ctx, c.targets.JobServer); err != nil {
		return []Finding{{Status: Problem, Detail: reason(ctx, err), Fix: fix}}
	}
	return []Finding{{Status: OK, Detail: "it knows the options of the job"}}
}
