package flink

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/runtime/graphx"
	pipepb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/pipeline_v1"
	"google.golang.org/protobuf/proto"
)

// versionParam is the parameter of a worker environment that names the submitter's binary.
// Beam's runner hands it to the worker pool with each worker it asks for.
const versionParam = "binary_version"

// marshal makes the portable form of a pipeline whose Go code runs in the worker pool at the
// address, by a binary of the version.
// With a token its submitter shows that it knows it.
func marshal(p *beam.Pipeline, pool, version, token string) (*pipepb.Pipeline, error) {
	edges, _, err := p.Build()
	if err != nil {
		return nil, fmt.Errorf("build the pipeline: %w", err)
	}
	params := map[string]string{versionParam: version}
	if token != "" {
		params[proofParam] = proof(token, version)
	}
	payload, err := proto.Marshal(&pipepb.ExternalPayload{Endpoint: &pipepb.ApiServiceDescriptor{Url: pool}, Params: params})
	if err != nil {
		return nil, fmt.Errorf("worker environment: %w", err)
	}
	env, err := graphx.CreateEnvironment(context.Background(), graphx.URNEnvExternal, func(context.Context) string { return pool })
	if err != nil {
		return nil, fmt.Errorf("worker environment: %w", err)
	}
	env.Payload = payload
	// The workers have the binary already: nothing is staged.
	env.Dependencies = nil
	pb, err := graphx.Marshal(edges, &graphx.Options{Environment: env})
	if err != nil {
		return nil, fmt.Errorf("translate the pipeline: %w", err)
	}
	return pb, StableNames(pb)
}

// StableNames renames every PCollection after the transform and output it comes from.
//
// Flink finds the state of an operator in a savepoint by an id that Beam's runner makes of the
// name of the operator's input PCollection. The SDK numbers PCollections in order of
// construction, so that a step added upstream would give every later operator another id, and
// make its state unusable. By these names an id stays while the scopes and names of the Go
// functions or types that lead to it do.
//
// It is an error if two PCollections would get the same name, because a transform of the same
// name is twice in one scope.
func StableNames(p *pipepb.Pipeline) error {
	c := p.GetComponents()
	names := map[string]string{} // of PCollections, by id
	for _, t := range c.GetTransforms() {
		if len(t.GetSubtransforms()) > 0 {
			continue // a composite: what it puts out comes from a transform within
		}
		for output, id := range t.GetOutputs() {
			names[id] = t.GetUniqueName() + "." + output
		}
	}
	used := map[string]bool{}
	var errs []error
	for _, id := range slices.Sorted(maps.Keys(names)) {
		name := names[id]
		if used[name] {
			errs = append(errs, fmt.Errorf("two PCollections would be named %q: give each transform a scope of its own", name))
		}
		used[name] = true
		if pc := c.GetPcollections()[id]; pc != nil {
			pc.UniqueName = name
		}
	}
	return errors.Join(errs...)
}

// ImpulsesApart has Flink send what an Impulse puts out to another task, by a reshuffle behind each.
//
// Flink makes the id of Beam's Impulse, which is given none, of what is chained to it, and chains to it only what has the same parallelism:
// one. So a savepoint taken at parallelism 1 could not be resumed at any other, nor the other way round. What comes behind the reshuffle
// finds its state by the name that it had before.
func ImpulsesApart(p *pipepb.Pipeline) {
	c := p.GetComponents()
	var impulses []string
	for id, t := range c.GetTransforms() {
		if t.GetSpec().GetUrn() == graphx.URNImpulse {
			impulses = append(impulses, id)
		}
	}
	for _, id := range impulses {
		impulse := c.GetTransforms()[id]
		for output, to := range impulse.GetOutputs() {
			from := to + "_impulse"
			before := proto.Clone(c.GetPcollections()[to]).(*pipepb.PCollection)
			before.UniqueName += apart
			c.Pcollections[from] = before
			impulse.Outputs[output] = from
			c.Transforms[id+apart] = &pipepb.PTransform{
				UniqueName: impulse.GetUniqueName() + apart,
				Spec:       &pipepb.FunctionSpec{Urn: graphx.URNReshuffle},
				Inputs:     map[string]string{"i0": from},
				Outputs:    map[string]string{"i0": to},
			}
		}
		p.RootTransformIds = beside(p.GetRootTransformIds(), id)
		for _, t := range c.GetTransforms() {
			t.Subtransforms = beside(t.GetSubtransforms(), id)
		}
	}
}

// apart is what the names of what ImpulsesApart adds end in.
const apart = "/Apart"

// beside puts what is to stand behind a transform there, if the list has it.
func beside(list []string, id string) []string {
	if at := slices.Index(list, id); at >= 0 {
		return slices.Insert(list, at+1, id+apart)
	}
	return list
}

// OperatorNames lists, in order, the names that Flink's operator ids are made of: a name that
// is in the list of a pipeline, but not in that of its next version, is state that a savepoint
// cannot hand over.
func OperatorNames(p *pipepb.Pipeline) []string {
	var names []string
	for _, pc := range p.GetComponents().GetPcollections() {
		names = append(names, pc.GetUniqueName())
	}
	slices.Sort(names)
	return names
}

// isBounded tells whether no PCollection of the pipeline is unbounded, and nothing in it may go on by timers of processing time.
func isBounded(p *pipepb.Pipeline) bool {
	for _, pc := range p.GetComponents().GetPcollections() {
		if pc.GetIsBounded() == pipepb.IsBounded_UNBOUNDED {
			return false
		}
	}
	for _, t := range p.GetComponents().GetTransforms() {
		if t.GetSpec().GetUrn() == graphx.URNParDo && hasProcessingTimers(t) {
			return false
		}
	}
	return true
}

func hasProcessingTimers(t *pipepb.PTransform) bool {
	var parDo pipepb.ParDoPayload
	if proto.Unmarshal(t.GetSpec().GetPayload(), &parDo) != nil {
		return false
	}
	for _, timers := range parDo.GetTimerFamilySpecs() {
		if timers.GetTimeDomain() == pipepb.TimeDomain_PROCESSING_TIME {
			return true
		}
	}
	return false
}
