package why

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/pipelines/audit"
)

// TestWrittenOver: a correction is named where it counts, by the rule for readers, and one of weight 0 as what takes back.
func TestWrittenOver(t *testing.T) {
	at := time.UnixMilli(1_767_348_000_000).UTC()
	sample := func(offset, field, header int64, weight float64, corrected bool) FoundSample {
		partition := int32(0)
		s := FoundSample{audit.FoundSample{
			Topic: "samples", Partition: &partition, Offset: &offset, Version: header, State: "committed", ViewID: "v", ViewTime: at, Weight: weight,
		}, json.RawMessage(fmt.Sprintf(`{"version":%d}`, field))}
		if corrected {
			s.Corrected = &audit.Corrected{}
		}
		return s
	}
	elsewhere := func(s FoundSample) FoundSample {
		s.Topic = "more"
		return s
	}
	job, repaired := false, true
	for _, c := range []struct {
		name    string
		samples []FoundSample
		outcome Outcome
		text    string
	}{
		{"a correction counts", []FoundSample{sample(0, 0, 1, 1, job), sample(1, 0, 2, 1, repaired)}, Corrected, "it; a repair has corrected it, and its sample is at samples/0@1"},
		{"the job has written over it, with its version", []FoundSample{sample(0, 0, 1, 1, job), sample(1, 0, 2, 1, repaired), sample(2, 0, 2, 1, job)}, Extra, "it; yet a sample of it is at samples/0@2"},
		{"the job has written over it, with a higher one", []FoundSample{sample(1, 0, 2, 1, repaired), sample(2, 0, 3, 1, job)}, Extra, "it; yet a sample of it is at samples/0@2"},
		{"the field comes before the header", []FoundSample{sample(1, 3, 2, 1, repaired), sample(2, 2, 5, 1, job)}, Corrected, "it; a repair has corrected it, and its sample is at samples/0@1"},
		{"of another topic", []FoundSample{sample(1, 0, 2, 1, repaired), elsewhere(sample(2, 0, 3, 1, job))}, Corrected, "it; a repair has corrected it, and its sample is at samples/0@1"},
		{"taken back by a repair", []FoundSample{sample(0, 0, 1, 1, job), sample(1, 0, 2, 0, repaired)}, Corrected, "it; a repair has taken its sample back, by one of weight 0 at samples/0@1"},
		{"taken back by a stage", []FoundSample{sample(0, 1, 1, 1, job), sample(1, 2, 1, 0, job)}, Late, "it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &Result{Samples: c.samples}
			one := &Record{ViewID: "v", Time: &at, time: at.UnixMilli()}
			outcome, text := r.withExtra(one, Late, "it")
			require.Equal(t, c.outcome, outcome)
			require.Equal(t, c.text, text)
		})
	}
}
