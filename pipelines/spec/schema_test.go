package spec

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"tributary/io/record"
	"tributary/pipelines/spec/problem"
)

// beyondSchema are the problems that JSON Schema cannot see, and why. Specs with these
// codes alone pass the schema; all others must fail it.
var beyondSchema = map[string]string{
	"T1002": "about the text: data has no tabs",
	"T1003": "about the text: data has no bytes",
	"T1004": "about the text: its size and depth",
	"T1005": "about the text: editors check each document by itself",
	"T1006": "about the text: in data aliases and tags are resolved",
	"T1009": "about the text: data has each key once",
	"T1015": "about the text: in data 007 and 7 are the same number",
	"T1108": "compares fields with one another",
	"T1109": "compares resolved paths with one another",
	"T1110": "about how a number is written",
	"T1111": "compares fields with one another",
	"T1112": "compares inputs and fields of kinds with those of the views",
	"T1203": "adds up the parts of a duration",
	"T1204": "computes with a duration",
	"T1205": "computes with two durations",
	"T1206": "compares two durations",
	"T1401": "compares folders with one another",
	"T1402": "compares folders with one another",
	"T1405": "compares patterns with folders",
	"T1501": "compares names in tests with the kinds",
	"T1502": "follows field paths into the records of tests",
	"T1503": "reads times in the unit that another key gives",
	"T1504": "compares names of tests with one another",
	"T1505": "compares ids of samples with those of views",
	"T1602": "compares inputs with one another",
	"T1604": "compares names of clusters with clusters",
	"T1607": "compares a mechanism, a URL and tls",
	"T1627": "compares a URL and tls",
	"T1611": "depends on the cluster's registry",
	"T1612": "depends on the cluster's registry",
	"T1615": "compares inputs with one another",
	"T1616": "compares topics with one another",
	"T1617": "compares topics with one another",
	"T1622": "computes with a duration",
	// Of these the schema sees all but the cases named in seenLess.
	"T1608": "seen, but among the arguments of a command",
	"T1614": "seen, but for days that no calendar has",
	"T1101": "seen, but for the syntax of patterns",
	"T1506": "seen, but for labels, whose values depend on the kind's label",
}

// seenLess are the specs whose code the schema sees in other cases only.
var seenLess = []string{"T1101_pattern", "T1506_binary", "the wrong example of T1506", "T1608_command", "T1614_no_such_day"}

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	require.NoError(t, compiler.AddResource("spec.json", document))
	schema, err := compiler.Compile("spec.json")
	require.NoError(t, err)
	return schema
}

// asData reads YAML as an editor does, without this package.
func asData(t *testing.T, content []byte) (any, bool) {
	t.Helper()
	var value any
	if err := yaml.Unmarshal(content, &value); err != nil {
		return nil, false
	}
	text, err := json.Marshal(value)
	if err != nil {
		return nil, false // .nan and the like: no JSON at all
	}
	data, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	return data, true
}

func TestSchemaAcceptsGoodSpecs(t *testing.T) {
	schema := compiledSchema(t)
	for _, folder := range []string{"good", "warn"} {
		for name, content := range corpus(t, folder) {
			data, ok := asData(t, content)
			require.True(t, ok, name)
			assert.NoError(t, schema.Validate(data), "%s/%s", folder, name)
		}
	}
	for _, name := range []string{"feed.yaml", "stream.yaml"} {
		content, err := os.ReadFile("../../testdata/specs/" + name)
		require.NoError(t, err)
		data, _ := asData(t, content)
		assert.NoError(t, schema.Validate(data), name)
	}
	for _, code := range problem.Codes() {
		data, ok := asData(t, []byte(completed(code.Good)))
		if code.ID != "T1000" && assert.True(t, ok, code.ID) {
			assert.NoError(t, schema.Validate(data), "the right example of %s", code.ID)
		}
	}
}

func TestSchemaRejectsWhatCheckRejects(t *testing.T) {
	schema := compiledSchema(t)
	specs := corpus(t, "bad")
	for _, code := range problem.Codes() {
		if code.Severity == problem.SeverityError && code.ID != "T1000" && !strings.HasPrefix(code.ID, "T20") {
			specs["the wrong example of "+code.ID] = []byte(completed(code.Bad))
		}
	}
	seen := map[string]bool{}
	for name, content := range specs {
		data, ok := asData(t, content)
		if !ok {
			continue // no YAML: an editor says so without a schema
		}
		codes := codesOf(problemsOf(t, string(content)).Errors())
		rejected := schema.Validate(data) != nil
		if rejected {
			for _, code := range codes {
				seen[code] = true
			}
			continue
		}
		for _, code := range codes {
			assert.Contains(t, beyondSchema, code, "%s: check finds %v, the schema nothing", name, codes)
			if strings.HasPrefix(beyondSchema[code], "seen") {
				assert.Contains(t, seenLess, name)
			}
		}
	}
	for code, why := range beyondSchema {
		if strings.HasPrefix(why, "seen") {
			assert.True(t, seen[code], "%s is never seen by the schema", code)
		}
	}
}

// TestSchemaHasTheKeysOfTheSpec compares keys, words and patterns, so that neither
// side learns of something new without the other.
func TestSchemaHasTheKeysOfTheSpec(t *testing.T) {
	var root map[string]any
	require.NoError(t, json.Unmarshal(Schema(), &root))
	at := func(path ...string) any {
		t.Helper()
		var v any = root
		for _, key := range path {
			switch parent := v.(type) {
			case map[string]any:
				v = parent[key]
			case []any:
				v = parent[int(key[0]-'0')]
			}
			require.NotNil(t, v, path)
		}
		return v
	}
	for _, c := range []struct {
		shape *section
		path  []string
	}{
		{rootShape, nil},
		{viewsShape, []string{"properties", "views"}},
		{kindShape, []string{"$defs", "kind"}},
		{inputShape, []string{"$defs", "input", "anyOf", "1"}},
		{timeShape, []string{"$defs", "time", "anyOf", "1"}},
		{negativesShape, []string{"properties", "negatives"}},
		{outputsShape, []string{"properties", "outputs"}},
		{samplesShape, []string{"properties", "outputs", "properties", "samples", "anyOf", "1"}},
		{topicShape, []string{"$defs", "input", "anyOf", "2"}},
		{samplesTopic, []string{"properties", "outputs", "properties", "samples", "anyOf", "2"}},
		{outputTopic, []string{"$defs", "output_topic"}},
		{clusterShape, []string{"$defs", "cluster"}},
		{tlsShape, []string{"$defs", "tls", "anyOf", "1"}},
		{saslShape, []string{"$defs", "cluster", "properties", "sasl"}},
		{registryShape, []string{"$defs", "cluster", "properties", "registry"}},
		{secretShape, []string{"$defs", "secret"}},
		{tokenShape, []string{"$defs", "token"}},
		{commandShape, []string{"$defs", "cluster", "properties", "sasl", "properties", "credentials"}},
		{streamShape, []string{"properties", "stream"}},
		{testShape, []string{"properties", "tests", "items"}},
		{sampleShape, []string{"$defs", "sample"}},
	} {
		object := at(c.path...).(map[string]any)
		keys := slices.Collect(maps.Keys(object["properties"].(map[string]any)))
		assert.ElementsMatch(t, c.shape.keys, keys, c.shape.name)
		assert.Equal(t, false, object["additionalProperties"], c.shape.name)
		var required []string
		for _, key := range object["required"].([]any) {
			required = append(required, key.(string))
		}
		assert.ElementsMatch(t, c.shape.required, required, c.shape.name)
	}
	words := func(path ...string) (out []string) {
		for _, v := range at(path...).([]any) {
			if text, ok := v.(string); ok {
				out = append(out, text)
			}
		}
		return out
	}
	kind := []string{"$defs", "kind", "properties"}
	assert.ElementsMatch(t, texts(Attributions), words(append(kind, "attribution", "enum")...))
	assert.ElementsMatch(t, texts(PlainLabels), words(append(kind, "label", "anyOf", "0", "enum")...))
	assert.ElementsMatch(t, texts(FieldLabels), slices.Collect(maps.Keys(at(append(kind, "label", "anyOf", "1", "properties")...).(map[string]any))))
	assert.ElementsMatch(t, texts(Formats), words("$defs", "input", "anyOf", "1", "properties", "format", "enum"))
	assert.ElementsMatch(t, reserved, words("properties", "engagements", "propertyNames", "not", "enum"))
	assert.Equal(t, fieldPattern, at("$defs", "field", "pattern"))
	assert.Equal(t, record.ForeignPattern, at("$defs", "field", "not", "pattern"))
	assert.Equal(t, unreadEndings, at("$defs", "unread_ending", "pattern"))
	assert.Equal(t, durationPattern, at("$defs", "duration", "pattern"))
	assert.Equal(t, kindPattern, at("properties", "engagements", "propertyNames", "pattern"))
	samples := []string{"properties", "outputs", "properties", "samples", "anyOf", "2", "properties"}
	stream := []string{"properties", "stream", "properties"}
	sasl := []string{"$defs", "cluster", "properties", "sasl", "properties"}
	assert.Equal(t, texts(TopicCodecs), words(append(samples, "codec", "enum")...))
	assert.Equal(t, texts(TopicFormats), words(append(samples, "format", "enum")...))
	assert.Equal(t, texts(TopicFormats), words("$defs", "input", "anyOf", "2", "properties", "format", "enum"))
	assert.Equal(t, texts(Mechanisms), words(append(sasl, "mechanism", "enum")...))
	assert.Equal(t, startWords, words(append(stream, "start", "anyOf", "0", "enum")...))
	assert.Equal(t, startTimePattern, at(append(stream, "start", "anyOf", "1", "pattern")...))
	assert.EqualValues(t, maxReaders, at(append(stream, "readers", "maximum")...))
	assert.EqualValues(t, DefaultReaders, at(append(stream, "readers", "default")...))
	assert.Equal(t, FormatDuration(DefaultTransactionTimeout), at(append(stream, "transaction_timeout", "default")...))
	assert.Equal(t, topicPattern, at("$defs", "topic", "pattern"))
	assert.EqualValues(t, longestTopic, at("$defs", "topic", "maxLength"))
	assert.EqualValues(t, longestSamples, at(append(samples, "topic", "maxLength")...))
	assert.Equal(t, clusterPattern, at("properties", "clusters", "propertyNames", "pattern"))
	assert.Equal(t, brokerPattern, at("$defs", "broker", "pattern"))
	assert.Equal(t, envPattern, at("$defs", "secret", "properties", "env", "pattern"))
	assert.Equal(t, envPattern, at("$defs", "token", "properties", "env", "pattern"))
	assert.Equal(t, extensionNamePattern, at(append(sasl, "extensions", "propertyNames", "pattern")...))
	assert.Equal(t, extensionValuePattern, at(append(sasl, "extensions", "additionalProperties", "pattern")...))
	assert.Equal(t, registryPattern, at("$defs", "registry_url", "pattern"))
	assert.Equal(t, streamPattern, at("$defs", "job", "pattern"))
	assert.EqualValues(t, maxShards, at("properties", "shards", "maximum"))
	assert.EqualValues(t, DefaultShards, at("properties", "shards", "default"))
	assert.Equal(t, FormatDuration(DefaultOutOfOrderness), at("properties", "out_of_orderness", "default"))
	assert.Equal(t, FormatDuration(DefaultDuplicatesWithin), at("properties", "views", "properties", "duplicates_within", "default"))
}
