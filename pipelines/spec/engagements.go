package spec

import (
	"regexp"
	"slices"
	"strings"
)

// kindPattern is what kinds are called: their names become fields of Avro records.
const kindPattern = `^[a-z][a-z0-9_]*$`

var kindForm = regexp.MustCompile(kindPattern)

// reserved words mean something else where kinds are named: the sample's own fields,
// and what YAML, JSON and filters read as values.
var reserved = []string{
	"true", "false", "null", "none", "any", "all", "yes", "no", "on", "off", "y", "n",
	"view", "views", "view_id", "view_time", "positive", "negative", "labels", "label", "delay_ms", "maturity_ms", "sampling_rate", "weight", "spec_version",
}

// kindsSection is what holds the kinds; its keys are names.
var kindsSection = &section{name: "engagements"}

// kindsType is the kinds of engagement, each by its name.
var kindsType = valueType[[]Engagement]{
	about: about{
		what: "a mapping of names to kinds", inner: []*section{kindSection}, named: "KIND",
		schema: object{
			{"type", "object"},
			{"minProperties", 1},
			{"propertyNames", object{{"pattern", kindPattern}, {"not", oneOf(reserved...)}}},
			{"additionalProperties", kindSection.schema()},
		},
	},
	read: (*reader).engagements,
	fill: func(r *reader, s *Spec, at dotted, kinds *[]Engagement) {
		for i := range *kinds {
			kindSection.fill(r, s, at.key((*kinds)[i].Kind), &(*kinds)[i])
		}
	},
	block: func(w *writer, indent int, name string, kinds []Engagement) {
		w.line(indent, name, "")
		for _, e := range kinds {
			w.line(indent+2, e.Kind, "")
			kindSection.write(w, indent+4, &e)
		}
	},
	show: func(l *lister, path []string, kinds []Engagement) {
		for _, e := range kinds {
			kindSection.show(l, append(path, e.Kind), &e)
		}
	},
}

func (r *reader) engagements(n *node, at dotted, above *fields) []Engagement {
	f := r.pairs(n, at, kindsSection, above)
	if f == nil {
		return nil
	}
	if len(f.node.pairs) == 0 {
		p := r.problem("T1012", n, at, "names no kind of engagement")
		p.Hint = "begin with a kind, like `like:`, on a line of its own, indented"
		r.add(p)
	}
	var out []Engagement
	for _, p := range f.node.pairs {
		if f.found[p.key.text].key != p.key {
			continue // named twice
		}
		kind := p.key.text
		at := at.key(kind)
		// A key of a kind, or of the spec, that stands where kinds are named.
		if p.value.kind != mapKind && (kindSection.has(kind) || r.root.has(kind)) && f.misplacedKind(p, at) {
			continue
		}
		r.columnName(p.key, at, kindNames)
		e := Engagement{Kind: kind}
		kindSection.read(r, p.value, at, f, &e)
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b Engagement) int { return strings.Compare(a.Kind, b.Kind) })
	return out
}

// misplacedKind reports a key with a simple value among the kinds: it belongs to the
// kind above it, or to the spec.
func (f *fields) misplacedKind(p pair, at dotted) bool {
	if f.misplaced(p, at) {
		return true
	}
	var last *node
	for _, above := range f.node.pairs {
		if above.key.line < p.key.line && above.value.kind == mapKind && len(above.value.pairs) > 0 {
			last = above.value
		}
	}
	if last == nil || !kindSection.has(p.key.text) {
		return false
	}
	f.moved(p, at, kindSection, last, "more")
	return true
}

// names are those of something that is a field of samples: the codes of one that cannot be and of a reserved word, what has it, and what
// is put behind a reserved word.
type names struct{ form, word, of, ending string }

var (
	kindNames  = names{"T1301", "T1302", "a kind", "_event"}
	labelNames = names{"T1441", "T1442", "a label", "_label"}
)

// columnName reports a name that a field of samples cannot have.
func (r *reader) columnName(key *node, at dotted, n names) {
	name := key.text
	switch {
	case !kindForm.MatchString(name):
		p := r.problem(n.form, key, at, "%q cannot be the name of %s", name, n.of)
		p.Got, p.Allowed = name, []string{"small letters, digits and _, beginning with a letter"}
		if guess := kindGuess(name); guess != "" {
			p.Nearest, p.Fix = guess, r.replaced(key, guess)
		}
		r.add(p)
	case slices.Contains(reserved, name):
		p := r.problem(n.word, key, at, "%q is a reserved word, and cannot be the name of %s", name, n.of)
		p.Got, p.Nearest = name, name+n.ending
		p.Fix = r.replaced(key, p.Nearest)
		r.add(p)
	}
}

var (
	wordStart = regexp.MustCompile(`([a-z0-9])([A-Z])`)
	notInKind = regexp.MustCompile(`[^a-z0-9]+`)
)

// kindGuess turns a name into one that a kind may have: addToCart is add_to_cart.
func kindGuess(name string) string {
	if secret.MatchString(name) {
		return ""
	}
	name = strings.ToLower(wordStart.ReplaceAllString(name, "${1}_${2}"))
	name = strings.Trim(notInKind.ReplaceAllString(name, "_"), "_")
	if name = strings.TrimLeft(name, "0123456789_"); !kindForm.MatchString(name) || slices.Contains(reserved, name) {
		return ""
	}
	return name
}
