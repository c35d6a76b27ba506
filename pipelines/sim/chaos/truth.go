package chaos

import (
	"fmt"
	"path/filepath"

	"tributary/pipelines/sim/generate"
	"tributary/pipelines/spec"
)

// sampleRow is what a sample says.
type sampleRow struct {
	ViewID   string             `json:"view_id"`
	ViewTime int64              `json:"view_time"`
	Positive bool               `json:"positive"`
	Labels   map[string]float64 `json:"labels"`
	Delay    map[string]*int64  `json:"delay_ms"`
	Maturity int64              `json:"maturity_ms"`
	Stage    string             `json:"stage"`
	Version  int                `json:"version"`
	Final    bool               `json:"final"`
}

// compareWithTruth compares samples by view id with the truth in the folder dir; it uses them up.
func compareWithTruth(dir string, s *spec.Spec, samples map[string]sampleRow) error {
	err := eachRow(filepath.Join(dir, "truth", "*.avro"), func(_ []byte, want generate.TrueSample) error {
		got, ok := samples[want.ViewID]
		if !ok {
			return fmt.Errorf("no sample for view %s", want.ViewID)
		}
		delete(samples, want.ViewID)
		if got.ViewTime != want.ViewTime || got.Positive != want.Positive || len(got.Labels) != len(want.Labels) {
			return fmt.Errorf("sample %+v, truth %+v", got, want)
		}
		for kind, label := range want.Labels {
			value := label.Value(s.Engagement(kind).Label.Func)
			if got.Labels[kind] != value || !equal(got.Delay[kind], label.DelayMs) {
				return fmt.Errorf("%s: sample %+v, truth %+v", kind, got, want)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("the batch's samples differ from the truth: %w", err)
	}
	for id := range samples {
		return fmt.Errorf("the batch has %d samples that the truth does not have, view %s among them", len(samples), id)
	}
	return nil
}

func equal(a, b *int64) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
