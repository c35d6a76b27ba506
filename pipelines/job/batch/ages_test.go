package batch

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/transforms/account"
)

const agesSpec = `
views: {inputs: [views/*.avro], id: id, time: ts}
engagements:
  like: {inputs: [likes/*.avro, likes/*.csv], view: view, time: at, id: event_id, view_time: seen, where: {kind: like}, window: 1m, label: {sum: amount}}
outputs: {samples: out/samples}
`

// aliased gives a field of a schema aliases.
func aliased(schema, field string, aliases ...string) string {
	name := fmt.Sprintf(`{"name":%q,`, field)
	return strings.Replace(schema, name, name+`"aliases":["`+strings.Join(aliases, `","`)+`"],`, 1)
}

// TestFilesOfAllAges: files of an older age call fields by names that newer ones give as
// aliases, and lack those that records need not have.
func TestFilesOfAllAges(t *testing.T) {
	dir := t.TempDir()
	writeAvro(t, dir+"/views/1.avro", recordSchema("View", `uid "string"`, "ts "+stampType), 100, `{"uid":"v1","ts":1767225600000}`)
	writeAvro(t, dir+"/views/2.avro", aliased(recordSchema("View", `view_id "string"`, "ts "+stampType), "view_id", "uid"), 100, `{"view_id":"v2","ts":1767225600000}`)
	writeAvro(t, dir+"/views/3.avro", aliased(recordSchema("View", `id "string"`, "ts "+stampType), "id", "view_id", "uid"), 100, `{"id":"v3","ts":1767225600000}`)
	// Three likes each: an old one without what it may lack, which is of no kind either.
	writeAvro(t, dir+"/likes/1.avro", recordSchema("Like", `vid "string"`, `kind "string"`, "at "+stampType), 100,
		`{"vid":"v1","kind":"like","at":1767225601000}`, `{"vid":"v1","kind":"like","at":1767225602000}`)
	writeAvro(t, dir+"/likes/2.avro", aliased(recordSchema("Like", `view "string"`, `event_id ["null","string"] null`,
		`amount ["null","double"] null`, "seen "+`["null",`+stampType+`] null`, `kind "string" "like"`, "at "+stampType), "view", "vid"), 100,
		`{"view":"v2","event_id":"e","amount":2.5,"seen":null,"kind":"like","at":1767225601000}`,
		`{"view":"v2","event_id":"e","amount":2.5,"seen":null,"kind":"like","at":1767225601000}`)
	write(t, dir+"/likes/3.csv", "view,kind,at\nv3,like,2026-01-01T00:00:01Z\n")
	write(t, dir+"/likes/4.csv", "view,event_id,amount,at\nv3,e,7,2026-01-01T00:00:01Z\n")
	write(t, dir+"/spec.yaml", agesSpec)
	s := loadSpec(t, dir)
	r := join(t, s, Options{})
	require.EqualValues(t, 3, r.Accounts.Views.N[account.Positives])
	like := r.Accounts.Engagements["like"]
	require.EqualValues(t, 5, like.N[account.Read])
	require.EqualValues(t, 1, like.N[account.Duplicates])
	require.EqualValues(t, 1, like.N[account.Filtered])
	require.Zero(t, like.N[account.Dead])
	for i, sum := range []float64{0, 2.5, 0} {
		require.Equal(t, sum, samplesBelow(t, s.Outputs.Samples.Path)[i].Labels["like"])
	}

	// Without the newer files nobody knows the names, and a field that no file has is misspelt.
	require.Equal(t, "T2003", refused(t, loadSpec(t, dir, "views/*.avro", "views/1.avro"))[0].Code)
	for from, to := range map[string]string{"sum: amount": "sum: amont", "id: event_id": "id: eventid", "view_time: seen": "view_time: sen", "where: {kind": "where: {knd"} {
		list := refused(t, loadSpec(t, dir, from, to))
		require.NotEmpty(t, list)
		for _, p := range list {
			require.Equal(t, "T2003", p.Code, "%v", p)
		}
	}
	// JSON may have it.
	write(t, dir+"/likes/5.jsonl", `{"view":"v3","amont":1,"kind":"like","at":"2026-01-01T00:00:01Z"}`)
	r = join(t, loadSpec(t, dir, "sum: amount", "sum: amont", "likes/*.csv", "likes/*.csv, likes/*.jsonl"), Options{})
	require.EqualValues(t, 6, r.Accounts.Engagements["like"].N[account.Read])
	// A field that every record needs must be in each.
	writeAvro(t, dir+"/likes/6.avro", recordSchema("Like", `kind "string"`, "at "+stampType), 100, `{"kind":"like","at":1}`)
	require.Len(t, refused(t, loadSpec(t, dir)), 1)
}

// TestGivenSchemaFindsFields: the schema in the spec knows the older names, for Avro, JSON
// and CSV.
func TestGivenSchemaFindsFields(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/like.avsc", aliased(recordSchema("Like", `view "string"`, "at "+stampType, `event_id ["null","string"] null`), "view", "vid", "v.id"))
	writeAvro(t, dir+"/views/1.avro", recordSchema("View", `id "string"`, "ts "+stampType), 100, `{"id":"v1","ts":1767225600000}`)
	writeAvro(t, dir+"/likes/1.avro", recordSchema("Like", `vid "string"`, "at "+stampType), 100, `{"vid":"v1","at":1767225601000}`)
	write(t, dir+"/likes/2.csv", "v.id,at\nv1,2026-01-01T00:00:02Z\n")
	write(t, dir+"/likes/3.jsonl", `{"vid":"v1","at":"2026-01-01T00:00:03Z"}`+"\n"+`{"vid":"v9","view":"v1","at":"2026-01-01T00:00:04Z"}`)
	write(t, dir+"/spec.yaml", `
views: {inputs: [views/*.avro], id: id, time: ts}
engagements:
  like:
    inputs: [{path: likes/1.avro, schema: like.avsc}, {path: likes/2.csv, schema: like.avsc}, {path: likes/3.jsonl, schema: like.avsc}]
    view: view
    time: at
    id: event_id
    window: 1m
    label: count
outputs: {samples: out/samples}
`)
	s := loadSpec(t, dir)
	r := join(t, s, Options{})
	require.EqualValues(t, 4, r.Accounts.Engagements["like"].N[account.Matched])
	require.EqualValues(t, 4, samplesBelow(t, s.Outputs.Samples.Path)[0].Labels["like"])
}

// TestSchemasOfOneFingerprint: two files that differ in the unit of their times alone.
func TestSchemasOfOneFingerprint(t *testing.T) {
	dir := t.TempDir()
	micros := `{"type":"long","logicalType":"timestamp-micros"}`
	for i, order := range []string{"a", "b"} {
		writeAvro(t, dir+"/views/"+order+".avro", recordSchema("View", `id "string"`, "ts "+[]string{stampType, micros}[i]), 100,
			[]string{`{"id":"v1","ts":1767225600000}`, `{"id":"v2","ts":1767225600000000}`}[i])
	}
	write(t, dir+"/likes/1.jsonl", `{"view":"v1","at":"2026-01-01T00:00:01Z"}`+"\n"+`{"view":"v2","at":"2026-01-01T00:00:01Z"}`)
	write(t, dir+"/spec.yaml", `
views: {inputs: [views/a.avro], id: id, time: ts}
engagements:
  like: {inputs: [likes/1.jsonl], view: view, time: at, window: 1m}
  seen: {inputs: [views/*.avro], view: id, time: ts, window: 1m}
outputs: {samples: out/samples}
`)
	r := join(t, loadSpec(t, dir), Options{})
	require.EqualValues(t, 1, r.Accounts.Engagements["seen"].N[account.Matched])
	require.EqualValues(t, 1, r.Accounts.Engagements["seen"].N[account.Orphans])
	require.Zero(t, r.Accounts.Engagements["seen"].N[account.Dead])
	// As views they do not go together: Avro would take the numbers as they are.
	require.Equal(t, "T2005", refused(t, loadSpec(t, dir, "[views/a.avro]", "[views/a.avro, views/b.avro]"))[0].Code)
}
