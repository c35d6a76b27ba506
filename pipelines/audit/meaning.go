package audit

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tributary/io/kafkaio/commitlog"
	"tributary/pipelines/job/batch"
	"tributary/pipelines/spec"
	"tributary/transforms/attribution/rules"
)

// keptFiles is the name by which the state of a job says which files it reads beside topics.
const keptFiles = "files"

// written is what a commit log or the log of a folder says of those that wrote the samples; the zero value says nothing.
type written struct {
	step           int64
	meaning, state map[string]string
}

// headerOf is the header that counts in a commit log: where those of shards differ, nothing was written under the larger ones.
func headerOf(logs map[int32]*commitlog.Log) (h *commitlog.Header) {
	for _, l := range logs {
		if l.Header != nil && (h == nil || l.Header.FencingEpoch < h.FencingEpoch) {
			h = l.Header
		}
	}
	return h
}

// asWritten is how the join reads what the job has read.
type asWritten struct {
	viewSchema string
	kept       batch.Kept
}

// checkMeaning holds what the samples mean by the logs of those who wrote them against the spec. Buckets of another length are an error: they
// would be closed elsewhere. Of what else differs the sinks get a note. The schema that views have in the samples is taken from there, as a job
// keeps it though the registry has a newer one, and so are the files that the job reads.
func checkMeaning(ctx context.Context, s *spec.Spec, sinks []*sink) (as asWritten, err error) {
	var params *rules.Params
	for _, k := range sinks {
		for _, of := range k.stages {
			was := of.written
			if was.step != 0 && was.step != of.step {
				return as, fmt.Errorf("%s: its samples were written in buckets of %d ms, and the spec has %d ms: audit it with the spec that has written it", k.nameOf(&of), was.step, of.step)
			}
			if as.kept == nil {
				if as.kept, err = batch.ParseKept(was.state[keptFiles]); err != nil {
					return as, fmt.Errorf("%s: %w", k.nameOf(&of), err)
				}
			}
			if was.meaning == nil {
				continue
			}
			if params == nil {
				i, problems, err := batch.Inspect(ctx, s, nil)
				if err != nil {
					return as, err
				}
				if err := i.Close(); err != nil {
					return as, err
				}
				if len(problems) > 0 {
					return as, problems
				}
				params = &i.Params
			}
			stage := params.OfStage(of.number)
			now := stage.Meaning()
			before := rules.Meaning(maps.Clone(was.meaning))
			if schema := before[rules.MeaningViewSchema]; schema != "" && now[rules.MeaningViewSchema] != "" && !givenSchema(s) {
				as.viewSchema = schema
				now[rules.MeaningViewSchema] = schema
			}
			maps.DeleteFunc(before, func(name, _ string) bool {
				return name == "topics" || strings.HasPrefix(name, "schema of topic ") || strings.HasPrefix(name, "files of ")
			})
			if _, told := before.Differences(now); len(told) > 0 {
				note := fmt.Sprintf("its samples were written when the spec meant something else (%s): what follows from that is among the findings", strings.Join(told, "; "))
				if of.name != "" {
					note = "stage " + of.name + ": " + note
				}
				k.notes = append(k.notes, note)
			}
		}
	}
	return as, nil
}

// meantSoSince cuts from a stage what was written before the spec meant what it means now, and says so, empty if nothing was cut.
func (of *stage) meantSoSince() (string, error) {
	since := int64(commitlog.NoID)
	for _, l := range of.logs {
		if l.Header != nil {
			since = max(since, l.Header.MeansSince())
		}
	}
	switch {
	case since <= of.from:
		return "", nil
	case since >= of.to:
		return "", fmt.Errorf("what it has before %s was written when the spec meant something else, or that is not known: nothing of the range can be corrected", momentOf(since))
	}
	of.from = since
	return fmt.Sprintf("views before %s are left: their samples were written when the spec meant something else, or that is not known", momentOf(since)), nil
}

// givenSchema tells whether the spec gives a schema for views, which is the one they have in samples.
func givenSchema(s *spec.Spec) bool {
	return slices.ContainsFunc(s.Views.Inputs, func(in spec.Input) bool { return in.Schema != "" })
}
