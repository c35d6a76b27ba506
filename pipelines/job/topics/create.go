package topics

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/pipelines/spec"
)

// CreateOptions are the choices of Create. The zero value creates outputs with the
// broker's default numbers of partitions and replicas.
type CreateOptions struct {
	// Inputs creates missing inputs too. Usually a missing input is a wrong name.
	Inputs bool
	// Partitions and Replicas are for topics that do not need a certain number; 0 for the
	// broker's default. Marks have one partition.
	Partitions int32
	Replicas   int16
}

// Create creates the topics of a spec that are missing, and returns the states of all
// afterwards. Topics that differ are left alone: changing them may lose data. A topic that
// could not be created is Missing and has an Err.
func Create(ctx context.Context, s *spec.Spec, opt CreateOptions) ([]State, error) {
	states, err := List(ctx, s)
	if err != nil {
		return nil, err
	}
	for i := range s.Clusters {
		c := &s.Clusters[i]
		if err := withCluster(ctx, c, func(cl *kgo.Client) error { return createIn(ctx, cl, c.Name, states, opt) }); err != nil {
			return nil, err
		}
	}
	return states, nil
}

func createIn(ctx context.Context, cl *kgo.Client, cluster string, states []State, opt CreateOptions) error {
	var todo []*State
	for i := range states {
		if st := &states[i]; st.Cluster == cluster && st.Status == Missing && (st.Output || opt.Inputs) {
			todo = append(todo, st)
		}
	}
	if len(todo) == 0 {
		return nil
	}
	admin := kadm.NewClient(cl)
	for _, st := range todo {
		partitions, replicas := int32(-1), int16(-1)
		switch {
		case st.Partitions > 0:
			partitions = st.Partitions
		case st.Compacted:
			partitions = 1
		case opt.Partitions > 0:
			partitions = opt.Partitions
		}
		if opt.Replicas > 0 {
			replicas = opt.Replicas
		}
		configs := map[string]*string{}
		for key, value := range st.settings() {
			configs[key] = &value
		}
		r, err := admin.CreateTopic(ctx, partitions, replicas, configs, st.Name)
		switch {
		case errors.Is(err, kerr.TopicAlreadyExists):
			// Somebody else was quicker; what it is like will be seen at the next look.
			st.Status = Exists
		case ctx.Err() != nil:
			return fmt.Errorf("cluster %s: create topic %s: %w", cluster, st.Name, context.Cause(ctx))
		case err != nil:
			st.Err = fmt.Sprintf("create: %v", err)
			if r.ErrMessage != "" {
				st.Err += ": " + r.ErrMessage
			}
		default:
			st.Status, st.HasPartitions, st.Replicas = Created, int(r.NumPartitions), int(r.ReplicationFactor)
		}
	}
	return seen(ctx, cl, cluster, todo)
}

// seen waits until brokers know the topics that were created: the one that answers first
// may hear of them a moment after the controller has made them.
func seen(ctx context.Context, cl *kgo.Client, cluster string, created []*State) error {
	var names []string
	for _, st := range created {
		if st.Status == Created {
			names = append(names, st.Name)
		}
	}
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	unseen := func() error {
		return fmt.Errorf("cluster %s: wait for created topics %s: %w", cluster, strings.Join(names, ", "), context.Cause(ctx))
	}
	for len(names) > 0 {
		details, err := describe(ctx, cl, names)
		if ctx.Err() != nil {
			return unseen()
		}
		if err != nil {
			return fmt.Errorf("cluster %s: look for created topics: %w", cluster, err)
		}
		names = slices.DeleteFunc(names, func(name string) bool { return details[name].Topic != nil && details[name].ErrorCode == 0 })
		if len(names) == 0 {
			break
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return unseen()
		}
	}
	return nil
}
