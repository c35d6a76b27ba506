package preflight

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"

	"github.com/twmb/franz-go/pkg/sr"

	"tributary/io/format"
	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/registry"
	"tributary/pipelines/job"
	"tributary/pipelines/spec"
	"tributary/runners/flink"
)

// registry checks a cluster's registry if anything is read or written with it.
func (c *checker) registry(ctx context.Context, kafka *spec.Cluster) {
	var subjects []subject
	for _, in := range c.spec.Inputs() {
		if in.Cluster != kafka.Name || !in.Registry {
			continue
		}
		s := subject{name: in.InSubject(), format: string(in.Format)}
		if read, err := format.Get[format.Registered](s.format); err == nil && in.Schema == "" {
			s.takes = registry.Type(read.SchemaType())
		}
		subjects = append(subjects, s)
	}
	o := c.spec.Outputs.SamplesTopic()
	writes := o != nil && o.Cluster == kafka.Name && o.Registry
	if kafka.Registry == nil || len(subjects) == 0 && !writes {
		return
	}
	// Each address by itself: a job needs one, and counts on the others.
	for _, url := range kafka.Registry.URLs {
		schemas := job.Registry(kafka)
		schemas.URLs = []string{url}
		c.step(ctx, "registry", url, func(ctx context.Context) []Finding {
			return askRegistry(ctx, schemas, "clusters."+kafka.Name+".registry", subjects)
		})
	}
}

// subject is one that an input is read with; takes is the type that its schema must have, empty if none is asked for.
type subject struct {
	name, format string
	takes        registry.Type
}

// check looks at the newest schema of a subject that there is. Whether the registry answers is found elsewhere.
func (s *subject) check(ctx context.Context, schemas *registry.Config) []Finding {
	if s.takes == "" {
		return nil
	}
	schema, err := schemas.Latest(ctx, s.name)
	var unusable *registry.UnusableError
	switch {
	case errors.As(err, &unusable):
		return []Finding{{"registry", s.name, Problem, unusable.Error(), "see `tributary help T1633`"}}
	case err == nil && schema.Type != s.takes:
		detail := fmt.Sprintf("its schema is of type %s, and format %s takes %s", schema.Type, s.format, s.takes)
		return []Finding{{"registry", s.name, Problem, detail, "see `tributary help T1631`"}}
	}
	return nil
}

func askRegistry(ctx context.Context, schemas *registry.Config, at string, subjects []subject) []Finding {
	problem := func(err error, fix string) []Finding {
		return []Finding{{Status: Problem, Detail: reason(ctx, err), Fix: fix}}
	}
	known, err := schemas.Subjects(ctx)
	var refused *sr.ResponseError
	var certificate *tls.CertificateVerificationError
	var file *fs.PathError
	switch {
	case errors.As(err, &refused) && (refused.StatusCode == http.StatusUnauthorized || refused.StatusCode == http.StatusForbidden):
		return problem(err, "user, password or token is wrong or missing: see "+at)
	case errors.As(err, &refused):
		return problem(err, "the address may lack a path, like /apis/ccompat/v7: correct "+at+".url")
	case errors.As(err, &certificate):
		return problem(err, "the registry's certificate is not trusted or for another name: set "+at+".tls.ca, or server_name")
	case errors.As(err, &file), errors.Is(err, cluster.ErrNoSecret):
		return problem(err, "set the variable, or correct the path, where this command and where the workers run")
	case err != nil:
		return problem(err, "correct "+at+".url, start the registry, or open the way to it")
	}
	has := map[string]bool{}
	for _, subject := range known {
		has[subject] = true
	}
	out := []Finding{{Status: OK, Detail: fmt.Sprintf("%d subjects", len(known))}}
	for _, subject := range subjects {
		if has[subject.name] {
			out = append(out, subject.check(ctx, schemas)...)
			continue
		}
		out = append(out, Finding{
			"registry", subject.name, Warning, "there is no such subject: values may have been written under another one, or without the registry",
			"name it, as `subject: NAME`; if values are plain Avro, write `registry: false` and `schema: FILE` at the input",
		})
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
	found := Finding{Status: OK, Detail: detail}
	switch {
	case overview.Slots == 0:
		found.Status, found.Fix = Problem, "start a TaskManager, and see its log if it does not register"
	case overview.Free == 0:
		found.Status, found.Fix = Warning, "stop a job, or start another TaskManager: until then the job waits for slots"
	}
	all := append([]Finding{found}, c.state(ctx, url)...)
	return append(all, open(ctx, url,
		"whoever reaches it can upload a program and have the cluster run it, with all that Flink's user may do",
		"set rest.bind-address to 127.0.0.1 or security.ssl.rest.authentication-enabled, keep its network to itself, and set web.submit.enable: false")...)
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
	return append([]Finding{{Status: OK, Detail: "it knows the options of the job"}}, open(ctx, c.targets.JobServer,
		"whoever reaches it can have any command run on the TaskManagers, as the environment of a pipeline",
		"start it with --job-host=127.0.0.1, or keep its network to itself and those who submit")...)
}

// worker asks whether the worker would take the job. Its address is as the TaskManagers see it.
func (c *checker) worker(ctx context.Context) []Finding {
	guarded, err := flink.CheckWorker(ctx, c.targets.Worker, c.targets.WorkerTokenFile)
	switch {
	case errors.Is(err, flink.ErrUnreachable):
		return []Finding{{Status: Skipped, Detail: "not reached from here, which says nothing: TaskManagers use this address"}}
	case errors.Is(err, flink.ErrRefuses) && guarded:
		return []Finding{{Status: Problem, Detail: err.Error(), Fix: "give the file of the worker's token: --worker-token-file"}}
	case err != nil:
		return []Finding{{Status: Problem, Detail: reason(ctx, err), Fix: "run `tributary worker` of this binary there, and correct --worker"}}
	case guarded:
		return []Finding{{Status: OK, Detail: "it takes jobs of this binary, from who knows its token"}}
	}
	return append([]Finding{{Status: OK, Detail: "it takes jobs of this binary"}}, open(ctx, c.targets.Worker,
		"whoever reaches it can have this binary read what the worker's user may read, and send it anywhere",
		"start it with --token-file, and submit with --worker-token-file")...)
}
