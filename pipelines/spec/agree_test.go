package spec

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// oddValues replace values of a good spec: of every type, and such as stand elsewhere
// in specs.
var oddValues = []any{
	nil, true, false, 0, 1, -1, 2.5, 5000, "", " ", "x", "1", "0s", "30m", "-30m", "1d12h", "soon", "avro", "json", "csv", "gzip",
	"binary", "sum", "first", "epoch-seconds", "user.id", "a..b", "a[0]", "views/*.avro", "views/*", "out/x", "views/", "~/x.avro", "$X/a.csv",
	"gs://shop/x/y.avro", "gs://shop", "s3://shop/x.avro", "gs://a:b@shop/x.avro", "file", "none", "view.avsc", "2026-01-01T10:00:00Z",
	[]any{},
	[]any{"a.avro"},
	[]any{nil},
	[]any{map[string]any{}},
	[]any{map[string]any{"path": "a.json", "order": "file"}},
	map[string]any{},
	map[string]any{"path": "out/y"},
	"-", "./-", "/dev/stdin",
	map[string]any{"path": "-"},
	map[string]any{"path": "-", "format": "json", "folders": "hour"},
	map[string]any{"field": "ts"},
	map[string]any{"sum": "price"},
	map[string]any{"kind": "like"},
	map[string]any{"partition": "p", "offset": "o"},
	map[string]any{"keep": 0.5},
	map[string]any{"like": nil},
	map[string]any{"x": 1},
	"never", "latest", "2026-01-02", "2026-02-30", "views.eu", "..", "kafka-1:9092", "kafka-1", "http://r:1", "http://a:b@r", "plain", "exactly_once", "zstd", "main", "${X}",
	[]any{"kafka-1:9092", "x"},
	[]any{map[string]any{"topic": "views", "format": "json"}},
	[]any{map[string]any{"topic": "views", "path": "a.avro"}},
	map[string]any{"topic": "views"},
	map[string]any{"topic": "views", "format": "json", "registry": true},
	map[string]any{"env": "X"},
	map[string]any{"file": "x"},
	map[string]any{"env": "X", "file": "x"},
	map[string]any{"cert": "x"},
	map[string]any{"url": "http://r", "user": "x"},
	map[string]any{"url": []any{"http://r", "https://r"}, "tls": true},
	map[string]any{"url": "https://r", "token": map[string]any{"env": "X"}, "password": map[string]any{"env": "X"}},
	map[string]any{"main": map[string]any{"brokers": "k:1"}},
}

var oddKeys = []string{"x", "path", "format", "field", "unit", "keep", "window", "Like", "true", "view", "samples", "codec", "id", "tests", "1", "a.b", "", "topic", "cluster", "clusters", "stream", "registry", "main", "brokers", "tls", "sasl", "user", "password", "insecure", "token", "url", "start", "marks", "ledger", "accounts", "commit_log", "readers", "source_parallelism"}

// mutated changes one value or key somewhere in data.
func mutated(t *rapid.T, data any) any {
	switch v := data.(type) {
	case map[string]any:
		keys := slices.Sorted(maps.Keys(v))
		if len(keys) > 0 && rapid.IntRange(0, 5).Draw(t, "descend") > 0 {
			key := rapid.SampledFrom(keys).Draw(t, "key")
			out := maps.Clone(v)
			switch rapid.IntRange(0, 6).Draw(t, "what") {
			case 0:
				delete(out, key)
			case 1:
				out[rapid.SampledFrom(oddKeys).Draw(t, "new key")] = out[key]
				delete(out, key)
			default:
				out[key] = mutated(t, v[key])
			}
			return out
		}
		if rapid.Bool().Draw(t, "add") {
			out := maps.Clone(v)
			out[rapid.SampledFrom(oddKeys).Draw(t, "added")] = rapid.SampledFrom(oddValues).Draw(t, "value")
			return out
		}
	case []any:
		if len(v) > 0 && rapid.Bool().Draw(t, "descend") {
			out := slices.Clone(v)
			i := rapid.IntRange(0, len(v)-1).Draw(t, "index")
			out[i] = mutated(t, v[i])
			return out
		}
	}
	return rapid.SampledFrom(oddValues).Draw(t, "value")
}

// TestSchemaAndCheckAgree changes good specs at random: the schema rejects what check
// rejects, and nothing else, but for what the schema cannot say.
func TestSchemaAndCheckAgree(t *testing.T) {
	schema := compiledSchema(t)
	var specs []any
	for _, content := range corpus(t, "good") {
		data, ok := asData(t, content)
		require.True(t, ok)
		specs = append(specs, data)
	}
	for _, name := range []string{"feed", "stream"} {
		content, err := os.ReadFile("../../testdata/specs/" + name + ".yaml")
		require.NoError(t, err)
		example, _ := asData(t, content)
		specs = append(specs, example)
	}
	slices.SortFunc(specs, func(a, b any) int { return strings.Compare(indented(t, a), indented(t, b)) })

	rapid.Check(t, func(rt *rapid.T) {
		data := specs[rapid.IntRange(0, len(specs)-1).Draw(rt, "spec")]
		for range rapid.IntRange(1, 2).Draw(rt, "changes") {
			data = mutated(rt, data)
		}
		text := indented(t, data)
		data, ok := asData(t, []byte(text))
		if !ok {
			rt.Fatalf("no YAML:\n%s", text)
		}
		rejected := schema.Validate(data)
		list := problemsOf(t, text)
		codes := codesOf(list.Errors())
		if rejected != nil && len(codes) == 0 {
			rt.Fatalf("only the schema rejects this:\n%v\n%s", rejected, text)
		}
		for _, code := range codes {
			if rejected == nil && beyondSchema[code] == "" {
				rt.Fatalf("only check rejects this:\n%v\n%s", list, text)
			}
		}
	})
}

// indented writes data as JSON over several lines, which is YAML as well.
func indented(t *testing.T, data any) string {
	t.Helper()
	out, err := json.MarshalIndent(data, "", " ")
	require.NoError(t, err, strconv.Quote("data"))
	return string(out)
}
