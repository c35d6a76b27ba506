package spec

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// section is the shape of one mapping of the spec: which keys it takes, and which of
// their values are mappings (or lists of them) in turn.
type section struct {
	// name is how problems call it.
	name     string
	keys     []string
	required []string
	inner    map[string]*section
}

// The shapes. A key that is missing here is unknown to the spec.
var (
	timeShape      = &section{name: "a time field", keys: []string{"field", "unit"}, required: []string{"field"}}
	orderShape     = &section{name: "order", keys: []string{"partition", "offset"}}
	inputShape     = &section{name: "an input", keys: []string{"path", "format", "schema", "order"}, required: []string{"path"}, inner: map[string]*section{"order": orderShape}}
	topicShape     = &section{name: "an input topic", keys: []string{"topic", "cluster", "format", "schema", "registry"}, required: []string{"topic"}}
	viewsShape     = &section{name: "views", keys: []string{"inputs", "id", "time", "duplicates_within"}, required: []string{"inputs", "id", "time"}, inner: map[string]*section{"inputs": inputShape, "time": timeShape}}
	kindShape      = &section{name: "a kind of engagement", keys: []string{"inputs", "where", "view", "time", "view_time", "id", "window", "label", "on_bad_value", "attribution"}, required: []string{"inputs", "view", "time", "window"}, inner: map[string]*section{"inputs": inputShape, "time": timeShape, "view_time": timeShape}}
	negativesShape = &section{name: "negatives", keys: []string{"keep"}, required: []string{"keep"}}
	samplesShape   = &section{name: "samples", keys: []string{"path", "format", "codec"}, required: []string{"path"}}
	samplesTopic   = &section{name: "a topic of samples", keys: []string{"topic", "cluster", "format", "registry", "codec"}, required: []string{"topic"}}
	outputTopic    = &section{name: "an output topic", keys: []string{"topic"}, required: []string{"topic"}}
	outputsShape   = &section{name: "outputs", keys: []string{"samples", "late", "dead_letters", "orphans", "ledger", "marks", "accounts"}, required: []string{"samples"}, inner: map[string]*section{"samples": samplesShape}}
	tlsShape       = &section{name: "tls", keys: []string{"ca", "cert", "key", "server_name"}}
	saslShape      = &section{name: "sasl", keys: []string{"mechanism", "user", "password", "token", "extensions", "credentials", "insecure"}, required: []string{"mechanism"}, inner: map[string]*section{"credentials": commandShape}}
	registryShape  = &section{name: "registry", keys: []string{"url", "tls", "user", "password", "token", "insecure"}, required: []string{"url"}, inner: map[string]*section{"tls": tlsShape}}
	secretShape    = &section{name: "a secret", keys: []string{"env", "file"}}
	tokenShape     = &section{name: "a token", keys: []string{"env", "file", "command"}}
	commandShape   = &section{name: "credentials", keys: []string{"command"}, required: []string{"command"}}
	clusterShape   = &section{name: "a cluster", keys: []string{"brokers", "tls", "sasl", "registry"}, required: []string{"brokers"}, inner: map[string]*section{"tls": tlsShape, "sasl": saslShape, "registry": registryShape}}
	streamShape    = &section{name: "stream", keys: []string{"name", "group", "start", "idle_after", "max_ahead", "readers", "on_truncation", "delivery", "transaction_timeout"}}
	testShape      = &section{name: "a test", keys: []string{"name", "views", "engagements", "samples"}, required: []string{"name", "views", "samples"}}
	sampleShape    = &section{name: "a sample", keys: []string{"view_id", "view_time", "positive", "labels", "delay_ms", "maturity_ms", "sampling_rate", "weight", "spec_version", "view"}, required: []string{"view_id"}}
	rootShape      = &section{
		name:     "the spec",
		keys:     []string{"version", "views", "engagements", "out_of_orderness", "clock_skew", "bucket", "shards", "negatives", "clusters", "stream", "outputs", "tests"},
		required: []string{"views", "engagements", "outputs"},
		inner:    map[string]*section{"views": viewsShape, "engagements": {name: "engagements", inner: map[string]*section{"*": kindShape}}, "negatives": negativesShape, "clusters": {name: "clusters", inner: map[string]*section{"*": clusterShape}}, "stream": streamShape, "outputs": outputsShape, "tests": testShape},
	}
)

// fields is a mapping being read.
type fields struct {
	r     *reader
	node  *node
	at    dotted
	shape *section
	// above is the mapping that this one is part of, nil for the spec itself.
	above *fields
	found map[string]pair
}

// fields reads a mapping of a known shape. Unknown and repeated keys are reported,
// and required ones that are missing. It is nil if the node is no mapping.
func (r *reader) fields(n *node, at dotted, shape *section, above *fields) *fields {
	f := r.pairs(n, at, shape, above)
	if f == nil {
		return nil
	}
	for _, p := range f.node.pairs {
		if !slices.Contains(shape.keys, p.key.text) {
			f.unknown(p)
		}
	}
	for _, key := range shape.required {
		if _, ok := f.found[key]; !ok {
			f.missing(key)
		}
	}
	return f
}

// pairs reads a mapping with keys of any name: repeated ones are reported.
func (r *reader) pairs(n *node, at dotted, shape *section, above *fields) *fields {
	switch n.kind {
	case mapKind:
	case badKind:
		r.failed[at] = true
		return nil
	case nullKind:
		r.add(r.problem("T1012", n, at, "has no value"))
		return nil
	default:
		p := r.problem("T1010", n, at, "must be a mapping, got %s", n.kind)
		p.Got, p.Allowed = n.text, shape.keys
		switch {
		case n.kind == listKind:
			p.Hint = "write keys with values, without the dash or the brackets of a list"
		case len(shape.required) == 1:
			// Only one key is needed, so this is its value.
			p.Fix = r.replaced(n, fmt.Sprintf("{%s: %s}", shape.required[0], n.text))
		case len(shape.required) > 0:
			p.Hint = fmt.Sprintf("begin with `%s:` on a line of its own, indented", shape.required[0])
		}
		r.add(p)
		return nil
	}
	f := &fields{r: r, node: n, at: at, shape: shape, above: above, found: map[string]pair{}}
	for _, p := range n.pairs {
		if first, ok := f.found[p.key.text]; ok {
			problem := r.problem("T1009", p.key, at.key(p.key.text), "this key stands here twice; the first is in line %d", first.key.line)
			problem.Hint = "keep one of the two"
			r.add(problem)
			continue
		}
		f.found[p.key.text] = p
		r.mark(at.key(p.key.text), p.key, p.value)
	}
	return f
}

// get returns the value of a key, nil if it is absent.
func (f *fields) get(key string) (*node, dotted) {
	p, ok := f.found[key]
	if !ok {
		return nil, f.at.key(key)
	}
	return p.value, f.at.key(key)
}

func (f *fields) missing(key string) {
	at := f.node
	if m, ok := f.r.marks[string(f.at)]; ok && !f.node.flow && m.key.Line > 0 {
		at = &node{line: m.key.Line, column: m.key.Column}
	}
	if f.node.merged || f.r.promised[wanted{f.node, key}] {
		f.r.failed[f.at.key(key)] = true
		return
	}
	p := f.r.problem("T1011", at, f.at.key(key), "%s needs the key %s", f.shape.name, key)
	if f.at == "" {
		p.Source = "" // the file as a whole is meant, not its first line
	}
	if example := cmp.Or(examples[f.shape.name+": "+key], examples[key]); example != "" {
		p.Hint = "for example `" + example + "`"
	}
	f.r.wanted[wanted{f.node, key}] = p.Field
	f.r.add(p)
}

// wanted is a required key that a mapping lacks.
type wanted struct {
	node *node
	key  string
}

// examples show what required keys look like.
var examples = map[string]string{
	"inputs": "inputs: [data/*.avro]", "id": "id: view_id", "time": "time: ts", "view": "view: view_id",
	"window": "window: 30m", "path": "path: data/*.avro", "field": "field: ts", "keep": "keep: 0.1",
	"views": "views: {inputs: views/*.avro, id: view_id, time: ts}", "outputs": "outputs: {samples: out/samples}",
	"engagements":   "engagements: {like: {inputs: likes/*.avro, view: view_id, time: ts, window: 30m}}",
	"a test: views": "views: [{view_id: v1, ts: 2026-01-01T10:00:00Z}]", "a test: samples": "samples: [{view_id: v1}]", "samples": "samples: out/samples", "name": "name: a like inside the window", "view_id": "view_id: v1",
	"topic": "topic: views", "brokers": "brokers: [kafka-1:9092, kafka-2:9092]", "mechanism": "mechanism: scram-sha-512", "user": "user: tributary",
	"password": "password: {env: KAFKA_PASSWORD}", "url": "url: https://registry:8081",
	"token": "token: {file: /run/secrets/token}", "command": "command: [get-credentials, --role, joiner]",
}

// unknown reports a key that the mapping does not take: one that belongs to a
// neighbouring mapping is wrongly indented, any other one is misspelt or made up.
func (f *fields) unknown(p pair) {
	at := f.at.key(p.key.text)
	if f.misplaced(p, at) {
		return
	}
	problem := f.r.problem("T1007", p.key, at, "%s has no key %q", f.shape.name, p.key.text)
	problem.Got, problem.Allowed = p.key.text, f.free()
	if f.shape == viewsShape && p.key.text == "where" {
		problem.Message = "views have no condition yet: it comes in a later version, and until then every record of their inputs is a view"
		problem.Hint = "write the views to a file or topic of their own first, and name that here"
		f.r.add(problem)
		return
	}
	if near := Nearest(p.key.text, problem.Allowed); near != "" {
		problem.Nearest, problem.Fix = near, f.r.replaced(p.key, near)
		// Read on as if it were spelt right: its value is checked too, and a required
		// key is not reported as missing on top.
		if _, taken := f.found[near]; !taken {
			f.found[near] = p
		}
	} else if home := home(p.key.text, rootShape, ""); home != "" {
		problem.Hint = "it belongs in " + home
	}
	f.r.add(problem)
}

// free lists the keys that the mapping may still take, or all if none is left.
func (f *fields) free() []string {
	var out []string
	for _, key := range f.shape.keys {
		if _, ok := f.found[key]; !ok {
			out = append(out, key)
		}
	}
	if len(out) == 0 {
		return f.shape.keys
	}
	return out
}

// misplaced reports a key that belongs to a mapping further out, or to one that
// stands just above it.
func (f *fields) misplaced(p pair, at dotted) bool {
	for outer := f.above; outer != nil; outer = outer.above {
		if !slices.Contains(outer.shape.keys, p.key.text) {
			continue
		}
		if _, taken := outer.found[p.key.text]; taken {
			continue
		}
		f.moved(p, at, outer.shape.name, outer.node, "less")
		return true
	}
	// Indented too little, it ended the mapping that it belongs to.
	for _, above := range f.innerAbove(p.key.line) {
		inner := f.shape.inner[above.key.text]
		values := []*node{above.value}
		if above.value.kind == listKind {
			values = above.value.items
		}
		// One level further down where the names in between are free.
		if free := inner.inner["*"]; free != nil && len(values) == 1 && len(values[0].pairs) > 0 {
			inner, values = free, []*node{values[0].pairs[len(values[0].pairs)-1].value}
		}
		if len(values) > 0 && slices.Contains(inner.keys, p.key.text) {
			f.moved(p, at, inner.name, values[len(values)-1], "more")
			return true
		}
	}
	return false
}

// innerAbove lists the mappings within this one that begin above a line, the nearest
// first.
func (f *fields) innerAbove(line int) []pair {
	var out []pair
	for name := range f.shape.inner {
		if p, ok := f.found[name]; ok && p.key.text == name && p.key.line < line {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b pair) int { return cmp.Or(b.key.line-a.key.line, b.key.column-a.key.column) })
	return out
}

func (f *fields) moved(p pair, at dotted, where string, to *node, how string) {
	problem := f.r.problem("T1008", p.key, at, "%q belongs to %s, not to %s", p.key.text, where, f.shape.name)
	problem.Got = p.key.text
	if !f.node.flow && to.kind == mapKind && !to.flow {
		column := to.pairs[0].key.column
		if column != p.key.column {
			problem.Hint = fmt.Sprintf("indent it %s: %d spaces, not %d", how, column-1, p.key.column-1)
			problem.Fix = f.r.line(p.key.line)
			f.r.moves[p.key.line] = column - 1
		}
	}
	if problem.Hint == "" {
		problem.Hint = "move it there"
	}
	// Found here, it is not missing there, whichever of the two is read first.
	f.r.promised[wanted{to, p.key.text}] = true
	if field, ok := f.r.wanted[wanted{to, p.key.text}]; ok {
		f.r.drop("T1011", field)
	}
	f.r.add(problem)
	if slices.Contains(durationKeys, p.key.text) {
		f.r.duration(p.value, at, 0)
	}
}

// durationKeys have durations as values wherever they stand, so that those are checked
// even in a wrong place.
var durationKeys = []string{"window", "duplicates_within", "out_of_orderness", "clock_skew", "bucket", "transaction_timeout"}

// home finds a mapping that takes a key, as a dotted path; empty if there is none.
func home(key string, shape *section, at string) string {
	if slices.Contains(shape.keys, key) {
		if at == "" {
			return "the spec's outermost level"
		}
		return at
	}
	for _, name := range append(slices.Clone(shape.keys), "*") {
		if inner := shape.inner[name]; inner != nil {
			if name == "*" {
				name = "KIND"
			}
			if found := home(key, inner, strings.TrimPrefix(at+"."+name, ".")); found != "" {
				return found
			}
		}
	}
	return ""
}
