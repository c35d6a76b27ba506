package spec

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestFixesMend puts each proposed line in the place of the bad one: the problem is
// gone then, and so are the others of that line that propose the same.
func TestFixesMend(t *testing.T) {
	fixes := 0
	for _, folder := range []string{"bad", "warn"} {
		for name, content := range corpus(t, folder) {
			for _, p := range problemsOf(t, string(content)) {
				if p.Fix == "" {
					continue
				}
				fixes++
				lines := strings.Split(string(content), "\n")
				lines[p.Line-1] = p.Fix
				for _, left := range problemsOf(t, strings.Join(lines, "\n")) {
					same := left.Code == p.Code && left.Line == p.Line && left.Field == p.Field
					assert.False(t, same, "%s: with the fix there is still\n%v", name, left)
				}
			}
		}
	}
	assert.Greater(t, fixes, 60)
}

func TestFixesOfOneLineAreOne(t *testing.T) {
	for _, c := range []struct{ name, line, want string }{
		{"key and value", "engagements: {like: {inputs: likes/*.avro, view: v, time: ts, windw: 30 minutes}}", "engagements: {like: {inputs: likes/*.avro, view: v, time: ts, window: 30m}}"},
		{"key and number for text", "outputs: {samples: out/samples, lat: 1}", `outputs: {samples: out/samples, late: "1"}`},
		{"a key where the line begins", "outOfOrderness: 5 minutes", "out_of_orderness: 5m"},
		{"wide characters before", "views: {inputs: Ж/*.avro, idd: ß..ß, time: ts}", "views: {inputs: Ж/*.avro, id: ß.ß, time: ts}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			list := problemsOf(t, completed(c.line))
			assert.Len(t, list, 2)
			for _, p := range list {
				assert.Equal(t, c.want, p.Fix)
			}
		})
	}
}

// The rest of a spec of topics.
const (
	outTopics = "engagements:\n  like: {inputs: [{topic: likes, format: json}], view: view_id, time: ts, window: 30m}\noutputs: {samples: {topic: samples, format: json}}"
	topics    = "views: {inputs: [{topic: v, format: json}], id: view_id, time: ts}\n" + outTopics
)

// TestOneMistakeOneProblem: what follows from a mistake is not reported on top of it.
func TestOneMistakeOneProblem(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a required key misspelt", "engagements:\n  like: {inputs: likes/*.avro, view: view_id, tme: ts, window: 30m}", "T1007"},
		{"a required key indented too little", "engagements:\n  like:\n    inputs: likes/*.avro\n    view: view_id\n    time: ts\n  window: 30m", "T1008"},
		{"a bad window, and rules that need it", "clock_skew: 31m\nbucket: 7m\nengagements:\n  like: {inputs: likes/*.avro, view: view_id, time: ts, window: soon}", "T1201"},
		{"a bad id field, and tests that need it", "views: {inputs: views/*.avro, id: a..b, time: ts}\ntests: [{name: x, views: [{ts: 2026-01-01T10:00:00Z}], samples: [{view_id: v1}]}]", "T1107"},
		{"a bad samples folder, and the folders beside it", "outputs: {samples: out/*}", "T1404"},
		{"a bad label, and a test with it", "engagements:\n  like: {inputs: likes/*.avro, view: view_id, time: ts, window: 30m, label: sum}\ntests: [{name: x, views: [{view_id: v1, ts: 2026-01-01T10:00:00Z}], samples: [{view_id: v1, labels: {like: 1.5}}]}]", "T1303"},
		{"an unquoted pattern, and no input", "views: {inputs: [*.avro], id: view_id, time: ts}", "T1006"},
		{"a password indented too little", "clusters:\n  main:\n    brokers: k:1\n    sasl:\n      mechanism: scram-sha-512\n      user: u\n    password: {env: P}\n" + topics, "T1008"},
		{"a topic misspelt", `clusters: {main: {brokers: "k:1"}}` + "\nviews: {inputs: [{topik: v, format: json}], id: view_id, time: ts}\n" + outTopics, "T1007"},
		{"no cluster at all", "views: {inputs: [{topic: v, format: json}], id: view_id, time: ts}\n" + outTopics, "T1604"},
		{"a bad cluster, and topics in it", `clusters: {main: {brokers: "k:1", registry: {url: r}}}` + "\nviews: {inputs: [{topic: v}], id: view_id, time: ts}\n" + outTopics, "T1610"},
		{"a cluster without a name", "clusters:\n  brokers: k:1\n" + topics, "T1603"},
		{"files into a topic that is nowhere", "outputs: {samples: {topic: samples}}", "T1604"},
		{"a bad format, and the ending", "views: {inputs: [{path: views/*, format: avor}], id: view_id, time: ts}", "T1013"},
	} {
		t.Run(c.name, func(t *testing.T) {
			list := problemsOf(t, completed(c.text))
			if assert.Len(t, list, 1, "%v", list) {
				assert.Equal(t, c.want, list[0].Code)
			}
		})
	}
}

// TestEveryPlaceIsInTheFile: a caret under nothing helps nobody.
func TestEveryPlaceIsInTheFile(t *testing.T) {
	for _, folder := range []string{"bad", "warn"} {
		for name, content := range corpus(t, folder) {
			lines := strings.Split(string(content), "\n")
			for _, p := range problemsOf(t, string(content)) {
				if p.Code == "T1012" {
					continue // stands where a value should
				}
				assert.LessOrEqual(t, p.Column, max(1, len([]rune(lines[p.Line-1]))), "%s: %v", name, p)
				assert.LessOrEqual(t, p.Column-1+p.Width, max(1, len([]rune(lines[p.Line-1]))), "%s: %v", name, p)
			}
		}
	}
}
