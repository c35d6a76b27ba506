package show

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSeveralLabelsOfAKind: labels that are not called like their kind are shown, filtered by, and told of.
func TestSeveralLabelsOfAKind(t *testing.T) {
	const rest = `,"maturity_ms":1,"sampling_rate":1,"weight":1,"spec_version":1,"view":{"item":7}}` + "\n"
	path := write(t, t.TempDir(), "part.jsonl",
		`{"view_id":"v1","view_time":1767261600000,"positive":true,"labels":{"click":0,"value":2.5,"coupon":null},"delay_ms":{"click":null,"buy":300000}`+rest+
			`{"view_id":"v2","view_time":1767261600000,"positive":true,"labels":{"click":2,"value":0,"coupon":"SPRING"},"delay_ms":{"click":5000,"buy":1000}`+rest+
			`{"view_id":"v3","view_time":1767261600000,"positive":false,"labels":{"click":0,"value":0,"coupon":null},"delay_ms":{"click":null,"buy":null}`+rest)
	out, _ := run(t, path, Options{Width: 120})
	assert.Contains(t, out, "click  delay  value  coupon  buy delay  weight")
	assert.Contains(t, out, "    2     5s      0  SPRING         1s       1")
	out, _ = run(t, path, Options{Width: 70})
	assert.Contains(t, out, "buy after 5m, value 2.5\n")
	assert.Contains(t, out, "click 2 after 5s, buy after 1s, value 0, coupon SPRING\n")
	assert.Regexp(t, `v3 +–\n`, out)
	for _, c := range []struct {
		filter Filter
		want   string
	}{
		{Filter{Kind: "buy", Labels: []string{"value>=1"}}, "v1"},
		{Filter{Labels: []string{"coupon=SPRING"}}, "v2"},
		{Filter{Kind: "value"}, "show: --kind value: the samples have no such kind, but buy, click"},
		{Filter{Labels: []string{"valu=1"}}, "show: --label valu: the samples have no such label, but click, coupon, value; did you mean value?"},
	} {
		var out, warn bytes.Buffer
		if err := Run(t.Context(), path, Options{Filter: c.filter, JSON: true}, &out, &warn); err != nil {
			require.EqualError(t, err, c.want)
			continue
		}
		require.Equal(t, 1, bytes.Count(out.Bytes(), []byte("\n")))
		require.Contains(t, out.String(), c.want)
	}
	kinds, err := Kinds(t.Context(), path)
	require.NoError(t, err)
	assert.Equal(t, []string{"buy", "click"}, kinds)
}
