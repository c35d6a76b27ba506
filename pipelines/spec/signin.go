package spec

import (
	"regexp"
	"slices"
	"strings"
)

func (r *reader) sasl(n *node, at dotted, above *fields) *SASL {
	var s SASL
	f := saslSection.read(r, n, at, above, &s)
	if f == nil {
		return nil
	}
	r.fits(f, s.Mechanism)
	return &s
}

// fits reports the keys that a mechanism lacks, and those that are of another one.
func (r *reader) fits(f *fields, m Mechanism) {
	var needs, takes []string
	switch m {
	case "":
		return // it could not be read
	case OAuthBearer:
		needs, takes = []string{"token"}, []string{"extensions"}
	case AWSMSKIAM:
		takes = []string{"credentials"}
	default:
		needs = []string{"user", "password"}
	}
	for _, key := range needs {
		if _, ok := f.found[key]; !ok {
			f.missing(key)
		}
	}
	for _, key := range []string{"user", "password", "token", "extensions", "credentials"} {
		p, ok := f.found[key]
		if !ok || slices.Contains(needs, key) || slices.Contains(takes, key) {
			continue
		}
		bad := r.problem("T1626", p.key, f.at.key(key), "%s has no use for %s", m, key)
		bad.Got, bad.Allowed = key, append(append([]string{"mechanism"}, needs...), append(takes, "insecure")...)
		bad.Hint = "leave it out, or choose another mechanism"
		r.add(bad)
	}
}

// The forms of extensions, as RFC 7628 has them; auth is Kafka's own.
const (
	extensionNamePattern  = `^[A-Za-z]+$`
	extensionValuePattern = `^[!-~ ]+$`
)

var (
	extensionName  = regexp.MustCompile(extensionNamePattern)
	extensionValue = regexp.MustCompile(extensionValuePattern)
)

// extensions reads what goes with a token.
func (r *reader) extensions(n *node, at dotted, above *fields) map[string]string {
	f := r.pairs(n, at, &section{name: "extensions"}, above)
	if f == nil {
		return nil
	}
	if len(n.pairs) == 0 {
		r.add(r.problem("T1012", n, at, "names no extension"))
	}
	out := map[string]string{}
	for _, p := range n.pairs {
		if f.found[p.key.text].key != p.key {
			continue // named twice
		}
		at := at.key(p.key.text)
		value := r.text(p.value, at)
		switch {
		case !extensionName.MatchString(p.key.text) || p.key.text == "auth":
			bad := r.problem("T1628", p.key, at, "%q cannot be the name of an extension", p.key.text)
			bad.Got, bad.Allowed = p.key.text, []string{"letters, and not auth"}
			r.add(bad)
		case value == "":
		case !extensionValue.MatchString(value):
			bad := r.problem("T1628", p.value, at, "an extension is printable ASCII")
			r.add(bad)
		default:
			out[p.key.text] = value
		}
	}
	return out
}

// secret reads where a secret is to be found.
func (r *reader) secret(n *node, at dotted, above *fields) Secret {
	return r.place(n, at, above, secretSection).Secret
}

// token reads where a token is to be found, or what prints it.
func (r *reader) token(n *node, at dotted, above *fields) Token {
	return r.place(n, at, above, tokenSection)
}

// place reads where something secret is to be found: one key of a section.
func (r *reader) place(n *node, at dotted, above *fields, of *section) Token {
	var forms []string
	for _, k := range of.keys {
		forms = append(forms, "{"+k.name+": "+k.example+"}")
	}
	switch n.kind {
	case textKind, boolKind, intKind, floatKind:
		p := r.problem("T1608", n, at, "a secret may not stand in a spec: specs are shared, printed and logged")
		variable := "KAFKA_PASSWORD"
		if name := otherTools.FindStringSubmatch(n.text); name != nil {
			variable = name[1]
		}
		p.Allowed = forms
		p.Hint = "if this one was ever shared, replace it"
		if n.width > 1 { // and not over several lines
			p.Fix = r.replaced(n, "{env: "+variable+"}")
		}
		r.add(p)
		return Token{}
	default: // a mapping, or nothing that could be a secret
	}
	f := r.fields(n, at, of, above)
	if f == nil {
		return Token{}
	}
	// What is no name of a variable may well be the secret itself.
	if env, _ := f.get("env"); env != nil && env.kind == textKind && !envForm.MatchString(env.text) {
		r.hide(env, env)
	}
	var only *key
	places := 0
	for i := range of.keys {
		if n, _ := f.get(of.keys[i].name); n != nil {
			only = &of.keys[i]
			places++
		}
	}
	if places != 1 {
		if !r.anyFailed(string(at) + ".") {
			p := r.problem("T1609", n, at, "%s is in one place", of.name)
			p.Allowed = forms
			r.add(p)
		}
		return Token{}
	}
	var t Token
	value, valueAt := f.get(only.name)
	only.value.read(r, value, valueAt, f, &t)
	return t
}

// variable reads the name of an environment variable.
func (r *reader) variable(n *node, at dotted) string {
	if n.kind != textKind || strings.TrimSpace(n.text) == "" || envForm.MatchString(n.text) {
		return r.text(n, at)
	}
	p := r.problem("T1609", n, at, "this is not the name of an environment variable")
	p.Allowed = []string{"letters, digits and _, like KAFKA_PASSWORD"}
	if name := otherTools.FindStringSubmatch(n.text); name != nil {
		p.Nearest, p.Fix = name[1], r.replaced(n, name[1])
	}
	r.add(p)
	return ""
}
