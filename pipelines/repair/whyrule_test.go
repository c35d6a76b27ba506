package repair

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"
	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/pipelines/why"
)

// TestWhyRule: why tells of the sample that counts by the rule of consumers. Without stages what the job writes again behind a correction does,
// with stages the correction, whose field is higher; in both of several corrections the one with the higher header.
func TestWhyRule(t *testing.T) {
	for _, more := range []string{"", staged} {
		t.Run(strings.TrimSpace(more), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "{topic: samples, format: json}", more)
			before := newest(r.topic())
			require.Positive(t, r.fix(late(CorrectOptions{})).Written)
			var old, correction written
			for _, s := range r.topic() {
				if was, some := before[string(s.Key)]; some && s.corrected != "" {
					old, correction = was, s
					break
				}
			}
			again := func(s written, version string, headers ...kgo.RecordHeader) {
				r.put(&kgo.Record{Key: s.Key, Value: s.Value, Headers: append(headers, kgo.RecordHeader{Key: "version", Value: []byte(version)})})
			}
			told := func() (why.Outcome, string) {
				found, err := why.Run(t.Context(), r.spec, string(old.Key), why.Options{})
				require.NoError(t, err)
				return found.Outcome, found.Sentence
			}
			at := func(s written) string { return fmt.Sprintf("samples/%d@%d", s.Partition, s.Offset) }
			counts := func() written { return newest(r.topic())[string(old.Key)] }

			again(old, "2")
			outcome, sentence := told()
			if more == "" {
				require.Empty(t, counts().corrected)
				require.NotEqual(t, why.Corrected, outcome, sentence)
				require.Contains(t, sentence, "; the job has written it again since a repair corrected it at "+at(correction)+"; its sample is at "+at(counts()))
			} else {
				require.Equal(t, correction.Offset, counts().Offset)
				require.Equal(t, why.Corrected, outcome, sentence)
				require.Contains(t, sentence, ", and its sample is at "+at(correction)+".")
			}
			// A correction of weight 0 takes back, and does not change a weight.
			r.put(&kgo.Record{Key: old.Key, Value: weightless(correction), Headers: []kgo.RecordHeader{
				{Key: "version", Value: []byte("3")}, {Key: "corrected", Value: []byte(`{"late":false,"changed":{"weight":[1,0]}}`)},
			}})
			outcome, sentence = told()
			require.Equal(t, why.Corrected, outcome)
			require.True(t, strings.HasSuffix(sentence, "; a repair has taken its sample back, by one of weight 0 at "+at(counts())+"."), sentence)
			// One behind it with a lower header does not count.
			taken := counts()
			again(correction, "2", correction.Headers[1])
			_, sentence = told()
			require.Contains(t, sentence, "; a repair has taken its sample back, by one of weight 0 at "+at(taken)+".")
		})
	}
}

// TestWhyTakenBack: of an id that nothing holds but samples that were taken back no sample is told to be there.
func TestWhyTakenBack(t *testing.T) {
	r := newRig(t, "{topic: samples, format: json}", "")
	all := r.topic()
	ghosts := edited(all[0], string(all[0].Key), "ghost")
	ghosts.Key = []byte("ghost")
	r.put(ghosts)
	found, err := why.Run(t.Context(), r.spec, "ghost", why.Options{})
	require.NoError(t, err)
	require.Equal(t, why.Extra, found.Outcome)
	back := edited(newest(r.topic())["ghost"], `"weight":1`, `"weight":0`)
	back.Headers = []kgo.RecordHeader{{Key: "version", Value: []byte("2")}, {Key: "corrected", Value: []byte(`{"late":false,"changed":{"weight":[1,0]}}`)}}
	r.put(back)
	ghost := newest(r.topic())["ghost"]
	require.NotEmpty(t, ghost.corrected)
	found, err = why.Run(t.Context(), r.spec, "ghost", why.Options{})
	require.NoError(t, err)
	require.Equal(t, why.NotFound, found.Outcome, found.Sentence)
	require.Contains(t, found.Sentence, fmt.Sprintf("; its sample was taken back, by one of weight 0 at samples/%d@%d.", ghost.Partition, ghost.Offset))
}

// weightless is the value of a sample with weight 0.
func weightless(s written) []byte {
	return edited(s, `"weight":`+gjson.Get(s.text, "weight").Raw, `"weight":0`).Value
}
