package spec

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"tributary/io/record"
)

// kindPattern is what kinds are called: their names become fields of Avro records.
const kindPattern = `^[a-z][a-z0-9_]*$`

var kindForm = regexp.MustCompile(kindPattern)

// reserved words mean something else where kinds are named: the sample's own fields,
// and what YAML, JSON and filters read as values.
var reserved = []string{
	"true", "false", "null", "none", "any", "all", "yes", "no", "on", "off", "y", "n",
	"view", "view_id", "view_time", "positive", "negative", "labels", "label", "delay_ms", "maturity_ms", "sampling_rate", "weight", "spec_version",
}

func (r *reader) engagements(n *node, at dotted, above *fields) []Engagement {
	f := r.pairs(n, at, rootShape.inner["engagements"], above)
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
		if p.value.kind != mapKind && (slices.Contains(kindShape.keys, kind) || slices.Contains(rootShape.keys, kind)) && f.misplacedKind(p, at) {
			continue
		}
		r.kindName(p.key, at)
		out = append(out, r.engagement(kind, p.value, at, f))
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
	if last == nil || !slices.Contains(kindShape.keys, p.key.text) {
		return false
	}
	f.moved(p, at, kindShape.name, last, "more")
	return true
}

func (r *reader) kindName(key *node, at dotted) {
	kind := key.text
	switch {
	case !kindForm.MatchString(kind):
		p := r.problem("T1301", key, at, "%q cannot be the name of a kind", kind)
		p.Got, p.Allowed = kind, []string{"small letters, digits and _, beginning with a letter"}
		if guess := kindGuess(kind); guess != "" {
			p.Nearest, p.Fix = guess, r.replaced(key, guess)
		}
		r.add(p)
	case slices.Contains(reserved, kind):
		p := r.problem("T1302", key, at, "%q is a reserved word, and cannot be the name of a kind", kind)
		p.Got, p.Nearest = kind, kind+"_event"
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

func (r *reader) engagement(kind string, n *node, at dotted, above *fields) Engagement {
	e := Engagement{Kind: kind, Label: Label{Func: Binary}, OnBadValue: BadValueDead, Attribution: AttributeAll}
	f := r.fields(n, at, kindShape, above)
	if f == nil {
		return e
	}
	if n, at := f.get("inputs"); n != nil {
		e.Inputs = r.inputs(n, at, f)
	}
	if n, at := f.get("where"); n != nil {
		e.Where = r.where(n, at)
	}
	if n, at := f.get("view"); n != nil {
		e.View = r.fieldPath(n, at)
	}
	if n, at := f.get("time"); n != nil {
		e.Time = r.timeField(n, at, f)
	}
	if n, at := f.get("view_time"); n != nil {
		t := r.timeField(n, at, f)
		e.ViewTime = &t
	}
	if n, at := f.get("id"); n != nil {
		e.ID = r.fieldPath(n, at)
	}
	if n, at := f.get("window"); n != nil {
		e.Window = r.duration(n, at, time.Millisecond)
	}
	if n, at := f.get("label"); n != nil {
		e.Label = r.label(n, at)
	}
	if n, at := f.get("on_bad_value"); n != nil {
		e.OnBadValue = BadValueNull
		if n.kind != nullKind { // which is what null is without quotes
			e.OnBadValue = OnBadValue(r.choice(n, at, texts(OnBadValues)))
		}
	}
	if n, at := f.get("attribution"); n != nil {
		e.Attribution = Attribution(r.choice(n, at, texts(Attributions)))
	}
	return e
}

// where reads conditions; what no record can have is reported.
func (r *reader) where(n *node, at dotted) []Condition {
	if n.kind == mapKind && len(n.pairs) == 0 {
		p := r.problem("T1012", n, at, "has no condition")
		p.Hint = "leave it out to take every record"
		r.add(p)
		return nil
	}
	if n.kind == textKind || n.kind == listKind {
		p := r.problem("T1010", n, at, "must be a mapping of fields to values, got %s", n.kind)
		p.Hint = "for example `where: {kind: like}`"
		r.add(p)
		return nil
	}
	f := r.pairs(n, at, &section{name: "where"}, nil)
	if f == nil {
		return nil
	}
	var out []Condition
	for _, p := range n.pairs {
		where, at := at, at.key(p.key.text)
		field := r.checkFieldPath(p.key, at)
		r.mark(where.key(field), p.key, p.value)
		if c, ok := r.condition(p.value, at); ok {
			c.Field = field
			out = append(out, c)
		}
	}
	return out
}

func (r *reader) condition(n *node, at dotted) (Condition, bool) {
	switch n = n.number(); n.kind {
	case textKind:
		return Condition{Value: n.text, Type: TextCondition}, true
	case boolKind:
		return Condition{Value: n.text, Type: BoolCondition}, true
	case intKind:
		_, ok := r.decimal(n, at, true)
		return Condition{Value: n.text, Type: NumberCondition}, ok
	case floatKind:
		if _, ok := (record.Value{Kind: record.String, Text: []byte(n.text)}).Number(); ok {
			return Condition{Value: n.text, Type: NumberCondition}, true
		}
		p := r.problem("T1110", n, at, "no record matches: %s is no finite number, and equals nothing", n.text)
		p.Got = n.text
		p.Hint = "put it in quotes if the field holds this text"
		r.add(p)
	case nullKind:
		p := r.problem("T1110", n, at, "no record matches: a field without a value equals nothing")
		p.Hint = "put null in quotes if the field holds this text"
		r.add(p)
	case badKind:
		r.failed[at] = true
	default:
		p := r.problem("T1010", n, at, "must be one value, got %s", n.kind)
		p.Hint = "for several values make several kinds"
		r.add(p)
	}
	return Condition{}, false
}

// label reads a function's name, or a mapping of one function to its field.
func (r *reader) label(n *node, at dotted) Label {
	all := append(texts(PlainLabels), texts(FieldLabels)...)
	bad := func(at *node, field dotted, hint string, format string, args ...any) Label {
		p := r.problem("T1303", at, field, format, args...)
		p.Got, p.Allowed, p.Hint = at.text, labelForms(), hint
		r.add(p)
		return Label{}
	}
	if n.kind != mapKind {
		text := r.text(n, at)
		switch {
		case text == "" || slices.Contains(texts(PlainLabels), text):
			return Label{Func: LabelFunc(text)}
		case slices.Contains(all, text):
			return bad(n, at, "name the field, like `label: {"+text+": price}`", "%s needs a field", text)
		}
		p := r.notAllowed(n, at, text, labelForms())
		if p.Nearest = Nearest(text, all); slices.Contains(texts(FieldLabels), p.Nearest) {
			p.Hint = "name the field, like `label: {" + p.Nearest + ": price}`"
		} else {
			p.Fix = r.replaced(n, p.Nearest)
		}
		r.add(p)
		return Label{}
	}
	f := r.pairs(n, at, &section{name: "label", keys: all}, nil)
	if len(n.pairs) != 1 {
		if len(n.pairs) == 0 {
			return bad(n, at, "", "names no function")
		}
		return bad(n.pairs[1].key, at, "make a kind for each", "a kind has one label, this is a second one")
	}
	p := f.node.pairs[0]
	name := p.key.text
	switch {
	case slices.Contains(texts(PlainLabels), name):
		return bad(p.key, at.key(name), "write `label: "+name+"`", "%s takes no field", name)
	case !slices.Contains(all, name):
		wrong := r.notAllowed(p.key, at.key(name), name, texts(FieldLabels))
		r.add(wrong)
		return Label{}
	}
	return Label{Func: LabelFunc(name), Field: r.fieldPath(p.value, at.key(name))}
}

func labelForms() []string {
	forms := texts(PlainLabels)
	for _, name := range FieldLabels {
		forms = append(forms, "{"+string(name)+": FIELD}")
	}
	return forms
}
