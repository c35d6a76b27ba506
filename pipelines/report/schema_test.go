package report

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"
	"pgregory.net/rapid"

	"tributary/transforms/account"
)

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	require.NoError(t, c.AddResource("report.json", document))
	compiled, err := c.Compile("report.json")
	require.NoError(t, err)
	return compiled
}

func validate(t require.TestingT, s *jsonschema.Schema, r *Report) {
	var buf bytes.Buffer
	require.NoError(t, r.JSON(&buf))
	document, err := jsonschema.UnmarshalJSON(&buf)
	require.NoError(t, err)
	require.NoError(t, s.Validate(document))
}

// Every key that a report may have is in the schema, which allows no other.
func TestReportsFollowTheSchema(t *testing.T) {
	s := compiledSchema(t)
	for _, r := range []*Report{calm(), troubled(), small(), opened(), bare(), staged(), everything()} {
		validate(t, s, r)
	}
	rapid.Check(t, func(t *rapid.T) { validate(t, s, reports().Draw(t, "report")) })
}

// everything has a value in each field.
func everything() *Report {
	r := troubled()
	r.Finished = 3
	r.Unread, r.Stale = Unread{Files: 1, Bytes: 2}, Stale{Files: 3, Example: "out/x", From: time.UnixMilli(0), To: time.UnixMilli(1)}
	r.Outputs = append(r.Outputs, Output{Name: "samples", Topic: "samples", Count: 1})
	r.Accounts.Fingerprint = "f"
	fill := func(s account.Subject, n *account.Counts) {
		for _, count := range account.All(s, account.Beside, account.Whole, account.Part) {
			n[count] = int64(count) + 1
		}
	}
	fill(account.OfViews, &r.Accounts.Views.N)
	for _, e := range r.Accounts.Engagements {
		fill(account.OfEngagements, &e.N)
	}
	fill(account.OfStage, &r.Accounts.StageOf("10s").N)
	r.Accounts.StageOf("10s").Correct("like")
	fill(account.OfInput, &r.Accounts.InputOf("views.inputs.0").N)
	return r
}

func TestSchemaRefusesWhatIsNoReport(t *testing.T) {
	s := compiledSchema(t)
	var whole bytes.Buffer
	require.NoError(t, everything().JSON(&whole))
	for path, value := range map[string]any{
		"format": 2, "notes.0.code": "no_such_note", "notes.0.severity": "grave", "outputs.0": "samples: out", "speed.elapsed_ms": 1.5,
		"kinds.click.delay_ms.p50": "1s", "accounts.views.lost": 1, "accounts.stages.10s.dead": 1, "stages.0.stage": 10, "from": "yesterday",
	} {
		var document map[string]any
		require.NoError(t, json.Unmarshal(whole.Bytes(), &document))
		set(document, path, value)
		assert.Error(t, s.Validate(document), path)
	}
}

// set puts a value at a path of keys and indices.
func set(in any, path string, value any) {
	for {
		key, rest := path, ""
		for i := range path {
			if path[i] == '.' {
				key, rest = path[:i], path[i+1:]
				break
			}
		}
		switch at := in.(type) {
		case map[string]any:
			if rest == "" {
				at[key] = value
				return
			}
			in = at[key]
		case []any:
			if rest == "" {
				at[0] = value
				return
			}
			in = at[0]
		}
		path = rest
	}
}

func TestSchemaListsAllNotes(t *testing.T) {
	var want, got []string
	for _, r := range rules() {
		want = append(want, r.code)
	}
	for _, code := range gjson.GetBytes(Schema(), `$defs.note.properties.code.enum`).Array() {
		got = append(got, code.Str)
	}
	assert.Equal(t, want, got)
	for _, r := range rules() {
		assert.NotEmpty(t, r.advice, r.code)
	}
}

// The accounts in a report are the accounts.
func TestReportHoldsTheAccounts(t *testing.T) {
	var buf bytes.Buffer
	require.NoError(t, calm().JSON(&buf))
	l, err := account.Decode([]byte(gjson.GetBytes(buf.Bytes(), "accounts").Raw))
	require.NoError(t, err)
	assert.Equal(t, calm().Accounts, l)
}
