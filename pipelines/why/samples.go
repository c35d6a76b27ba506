package why

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/tidwall/gjson"

	"tributary/io/format/avro"
	"tributary/pipelines/audit"
)

// samples finds what is written of the views of a result, and says of each stage what its sinks hold.
func (f *found) samples(ctx context.Context, written *audit.Written, r *Result) error {
	ids, times := map[string]bool{}, []int64(nil)
	var want []audit.WantedSample
	for i := range r.Records {
		one := &r.Records[i]
		if !one.view() || one.ViewID == "" || one.Time == nil {
			continue
		}
		ids[one.ViewID] = true
		times = append(times, one.time)
		for k := range one.Stages {
			if st := &one.Stages[k]; st.Given {
				want = append(want, audit.WantedSample{Stage: st.number, ID: one.ViewID, Time: one.time, Encoded: st.encoded})
			}
		}
	}
	if len(ids) == 0 { // of a view whose records are gone a sample may still be there
		ids[r.ID] = true
	}
	schema := f.in.SampleSchema
	if err := r.decodeSamples(schema); err != nil {
		return err
	}
	found, err := written.Find(ctx, schema, ids, times, want)
	if err != nil {
		return err
	}
	for _, one := range found {
		text := json.RawMessage(one.Sample)
		if !json.Valid(text) {
			return fmt.Errorf("a sample of view %s in %s%s is no JSON", one.ViewID, one.Topic, one.Folder)
		}
		r.Samples = append(r.Samples, FoundSample{one, text})
	}
	stages := written.Stages()
	for i := range r.Records {
		for k := range r.Records[i].Stages {
			r.holdAgainst(stages, &r.Records[i], &r.Records[i].Stages[k])
		}
	}
	for i := range stages {
		of := &stages[i]
		if note := fmt.Sprintf("topic %s no longer holds the samples that were written to it first", of.Topic); of.Trimmed && !slices.Contains(r.Notes, note) {
			r.Notes = append(r.Notes, note)
		}
		if of.Number == f.in.Params.StageCount()-1 {
			r.close(of.Complete)
		}
	}
	return nil
}

// close has those orphans wait no more for whose last view the bucket is complete: a partition that is idle may hold back the watermark of what
// was read, and not that of the job.
func (r *Result) close(complete func(viewTime int64) bool) {
	for i := range r.Records {
		if one := &r.Records[i]; one.Open != nil && complete(one.foundTo) {
			one.Open = nil
		}
	}
}

// decodeSamples makes JSON of the samples that the join gives.
func (r *Result) decodeSamples(schema string) error {
	var toJSON *avro.JSONWriter
	for i := range r.Records {
		for k := range r.Records[i].Stages {
			st := &r.Records[i].Stages[k]
			if st.encoded == nil {
				continue
			}
			if toJSON == nil {
				parsed, err := avro.ParseSchema(schema)
				if err != nil {
					return err
				}
				if toJSON, err = avro.NewJSON(parsed); err != nil {
					return err
				}
			}
			text, _, err := toJSON.Append(nil, st.encoded)
			if err != nil {
				return fmt.Errorf("a sample of view %s: %w", r.Records[i].ViewID, err)
			}
			st.Sample = text
		}
	}
	return nil
}

// holdAgainst says what the sinks hold of a view's sample at a stage, if that gives one.
func (r *Result) holdAgainst(stages []audit.WrittenStage, one *Record, st *StageOfView) {
	for _, sink := range stages {
		if sink.Number != st.number {
			continue
		}
		complete := sink.Complete(one.time)
		st.open = st.open || !complete && !sink.Unknown
		if !st.Given || sink.Final && st.Withdrawn {
			continue
		}
		of := SinkOfView{Topic: sink.Topic, Folder: sink.Folder, Commit: sink.Commit(one.time, one.hash)}
		at := r.newest(&sink, one)
		switch {
		case at >= 0 && len(r.Samples[at].Fields) == 0:
			of.State = stateWritten
		case at >= 0 && (complete || sink.Unknown):
			of.State = stateDifferent
		case sink.Unknown:
			of.State = stateUnknown
		case !complete:
			of.State = statePending
		case sink.Trimmed:
			of.State = stateGone
		case sink.Compacted && r.replacing(stages, &sink, one) >= 0:
			of.State, at = stateReplaced, r.replacing(stages, &sink, one)
		default:
			of.State = stateMissing
		}
		if at >= 0 {
			of.At = &at
		}
		st.Sinks = append(st.Sinks, of)
	}
}

// newest is the sample of a view that counts in a sink of those of its stage; -1 for none.
func (r *Result) newest(sink *audit.WrittenStage, one *Record) int {
	return r.counting(one, func(s *FoundSample) bool {
		return s.Topic == sink.Topic && s.Folder == sink.Folder && s.Stage == sink.Stage
	})
}

// replacing is a sample of the id of a view that a compacted topic keeps instead of the one of a stage: one of a later view, or of a later
// stage; -1 for none.
func (r *Result) replacing(stages []audit.WrittenStage, sink *audit.WrittenStage, one *Record) int {
	return slices.IndexFunc(r.Samples, func(s FoundSample) bool {
		later := slices.ContainsFunc(stages, func(of audit.WrittenStage) bool { return of.Stage == s.Stage && of.Number > sink.Number })
		at := s.ViewTime.UnixMilli()
		return s.Topic == sink.Topic && s.ViewID == one.ViewID && s.committed() && (at > one.time || at == one.time && later)
	})
}

// correction is the sample of a view that a repair has written, and whether it counts in its topic: the job may have written over it since. Of
// several it is the one that counts, or would. nil for none.
func (r *Result) correction(one *Record) (s *FoundSample, counts bool) {
	at := r.counting(one, func(s *FoundSample) bool { return s.Corrected != nil })
	if at < 0 {
		return nil, false
	}
	s = &r.Samples[at]
	return s, r.counting(one, s.beside) == at
}

// beside tells whether another sample is in the same sink.
func (s *FoundSample) beside(other *FoundSample) bool {
	return s.Topic == other.Topic && s.Folder == other.Folder
}

// counting is the committed sample of a view that counts of those that are of it, by the rule for readers: the highest version, by the field,
// by the header, then by offset; -1 for none.
func (r *Result) counting(one *Record, of func(*FoundSample) bool) int {
	best := -1
	for i := range r.Samples {
		if s := &r.Samples[i]; s.of(one) && s.committed() && of(s) && (best < 0 || s.rank(&r.Samples[best]) >= 0) {
			best = i
		}
	}
	return best
}

// of tells whether a sample is one of a view.
func (s *FoundSample) of(one *Record) bool {
	return one.Time != nil && s.ViewID == one.ViewID && s.ViewTime.UnixMilli() == one.time
}

// rank compares two samples of a view. Those of one rank stand in order of offset.
func (s *FoundSample) rank(than *FoundSample) int {
	field := func(of *FoundSample) int64 { return gjson.GetBytes(of.Sample, "version").Int() }
	return cmp.Or(cmp.Compare(field(s), field(than)), cmp.Compare(max(s.Version, 1), max(than.Version, 1)))
}

// extra is a committed sample of a view that the join does not give, the one that counts if it is such; nil for none, and where one that counts
// takes it back or is a correction.
func (r *Result) extra(one *Record) *FoundSample {
	for i := range r.Samples {
		s := &r.Samples[i]
		if !s.of(one) || s.Wanted || s.Corrected != nil || !s.committed() {
			continue
		}
		switch counts := &r.Samples[r.counting(one, s.beside)]; { // it is s, if no other
		case counts.Weight == 0 || counts.Corrected != nil:
		case counts.Wanted:
			return s
		default:
			return counts
		}
	}
	return nil
}

// committed tells whether those who read a topic get the sample, or will.
func (s *FoundSample) committed() bool {
	return slices.Contains([]string{"committed", "held back"}, s.State)
}
