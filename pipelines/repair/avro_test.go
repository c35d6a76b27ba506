package repair

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"tributary/io/format/avro"
	"tributary/pipelines/audit"
	"tributary/pipelines/job/batch"
)

// TestAvro: corrections of Avro samples, with a registry and without, are of the schema of the others; so is what takes one back.
func TestAvro(t *testing.T) {
	for _, c := range []struct {
		name, more string
		registry   bool
	}{
		{"plain", "negatives: {keep: 0.3}\n", false},
		{"registry, stages", staged, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			frame, registry, schemas := 0, "", srfake.New()
			t.Cleanup(schemas.Close)
			if c.registry {
				frame, registry = 5, ", registry: {url: "+schemas.URL()+"}"
			}
			r := newRigWith(t, registry, "{topic: samples}", c.more)
			whole, err := batch.OpenWhole(t.Context(), r.spec, batch.WholeOptions{})
			require.NoError(t, err)
			schema, err := avro.ParseSchema(whole.SampleSchema)
			require.NoError(t, err)
			toJSON, err := avro.NewJSON(schema)
			require.NoError(t, err)
			r.decode = func(value []byte) string {
				text, n, err := toJSON.Append(nil, value[frame:])
				require.NoError(t, err)
				require.LessOrEqual(t, n, len(value)-frame)
				return string(text)
			}
			was := r.topic()
			found := r.fix(late(CorrectOptions{}))
			require.Greater(t, found.Written, int64(10))
			all := r.topic()
			r.requireTruth(*found.To, c.more == staged)
			require.Equal(t, was[0].Value[:frame], all[len(all)-1].Value[:frame], "one schema")
			audited(t, r)

			of := closed(all, *found.To)
			victim := of[0]
			for _, s := range of { // one of the last stage, and that is no correction
				if s.corrected == "" && gjson.Get(s.text, "final").String() != "false" && len(s.Key) == 4 {
					victim = s
				}
			}
			ghost := bytes.Replace(victim.Value, victim.Key, []byte("gone"), 1)
			require.NotEqual(t, victim.Value, ghost)
			if c.registry { // one of another schema stays of that
				last := strings.LastIndex(whole.SampleSchema, "]")
				id, _, err := schemas.RegisterSchema("other", sr.Schema{Schema: whole.SampleSchema[:last] + `,{"name":"more","type":"int"}` + whole.SampleSchema[last:]})
				require.NoError(t, err)
				ghost = append(binary.BigEndian.AppendUint32([]byte{0}, uint32(id)), append(ghost[frame:], 8)...)
			}
			r.put(&kgo.Record{Key: []byte("gone"), Value: ghost, Headers: victim.Headers})
			found = r.fix(CorrectOptions{CorrectOptions: audit.CorrectOptions{TakeBack: true}})
			require.EqualValues(t, [2]int64{1, 1}, [2]int64{found.Extra, found.Written})
			gone := newest(r.topic())["gone"]
			require.Zero(t, gjson.Get(gone.text, "weight").Float())
			require.Equal(t, ghost[:frame], gone.Value[:frame])
			require.Equal(t, ghost[len(ghost)-1], gone.Value[len(gone.Value)-1])
			require.Equal(t, victim.version[1]+1, gone.version[1])
			require.Equal(t, gjson.Get(victim.text, "labels").Raw, gjson.Get(gone.text, "labels").Raw)
			audited(t, r)
			require.Zero(t, r.fix(CorrectOptions{}).Written)
		})
	}
}
