package spec

import (
	"bytes"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestReferenceIsOfTheDeclarations: the page is what the declarations give.
func TestReferenceIsOfTheDeclarations(t *testing.T) {
	generated(t, "reference.md", page(rootSection))
}

// TestEveryKeyIsExplained: with a sentence, and an example that may stand there.
func TestEveryKeyIsExplained(t *testing.T) {
	places := map[*section][]string{}
	var sections []*section
	gather(rootSection, "", places, &sections)
	require.Greater(t, len(sections), 20)
	for _, s := range sections {
		for _, k := range s.keys {
			at := s.name + ": " + k.name
			assert.Regexp(t, `^[A-Z1a-z].*\.$`, k.doc, at)
			if k.example == "" {
				assert.Equal(t, "tests", k.name, "%s has no example", at)
				continue
			}
			var value any
			require.NoError(t, yaml.Unmarshal([]byte(k.example), &value), at)
			schema := object{{"$defs", definitions}}
			compiled := compileSchema(t, compact(append(schema, k.schema()...)))
			data, ok := asData(t, []byte(k.example))
			require.True(t, ok, at)
			assert.NoError(t, compiled.Validate(data), "the example of %s", at)
			assert.False(t, k.required && k.was != "", "%s: an old name of a required key is not looked for", at)
		}
	}
}

func TestExplain(t *testing.T) {
	for path, want := range map[string]string{
		"views.time": "views.time\n", "engagements.KIND.window": "window", "engagements.like.window": "engagements.KIND.window",
		"clusters.main.sasl": "a mapping", "outputs.ledger": "\n\noutputs.commit_log\n", "stream.readers": "stream.source_parallelism\n", "outputs.samples.codec": "a topic of samples: `codec`", "stream.delivery": "exactly_once or at_least_once",
	} {
		text, ok := Explain(path)
		require.True(t, ok, path)
		assert.Contains(t, text, want)
	}
	for _, path := range []string{"", "window", "views", "views.window", "views.time.x", "VIEWS.time"} {
		_, ok := Explain(path)
		assert.Equal(t, path == "views", ok, path)
	}
}

func TestKeysAreDistinct(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Keys() {
		assert.False(t, seen[k.Path], k.Path)
		seen[k.Path] = true
		assert.NotEmpty(t, k.Doc)
	}
	assert.True(t, seen["engagements.KIND.inputs.order.offset"])
}

// TestDefinitionsAreUsed: a type in the schema that nothing refers to is left over.
func TestDefinitionsAreUsed(t *testing.T) {
	for _, d := range definitions {
		assert.True(t, strings.Contains(string(Schema()), `"#/$defs/`+d.name+`"`), d.name)
	}
}

func compileSchema(t *testing.T, text string) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(text)))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	require.NoError(t, compiler.AddResource("spec.json", document))
	schema, err := compiler.Compile("spec.json")
	require.NoError(t, err)
	return schema
}
